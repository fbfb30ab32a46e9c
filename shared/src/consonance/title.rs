//! Products as titles.

use super::{Contribution, MarketingText, Product, RestProduct};
use crate::{
    onix::codes::product_form_from_list_7,
    title::{PlainText, Territories, Title},
};

impl Product {
    /// What flows look at.
    pub fn title(&self) -> Title {
        let work = self.work.as_ref();
        let mut title = Title {
            product_id: self.id,
            work_id: work.and_then(|work| work.id),
            title: self.full_title.clone(),
            subtitle: self.subtitle.clone(),
            // Of the work where the product has none of its own.
            short_description: first(&self.short_descriptions)
                .or_else(|| work.and_then(|work| first(&work.short_descriptions))),
            authors: work.map(|work| authors(&work.contributions, self.id)).unwrap_or_default(),
            authorship: self.authorship_description.clone(),
            imprint: work.and_then(|work| work.imprint.as_ref()?.name.clone()),
            format: self.in_house_format.as_ref().and_then(|format| format.name.clone()),
            form: self.form_21().map(|form| product_form_from_list_7(form).to_owned()),
            status: self.status().map(str::to_owned),
            stage: work.and_then(|work| work.project_stage.clone()),
            territories: Territories {
                worldwide: self.is_for_sale_worldwide,
                for_sale: self.for_sale_country_codes.iter().cloned().collect(),
                not_for_sale: self.not_for_sale_country_codes.iter().cloned().collect(),
                statement: self.sales_rights_description.clone(),
                ..Territories::default()
            },
            ..Title::default()
        };
        let isbn = self.isbn.as_ref();
        title.take_isbn(isbn.and_then(|isbn| isbn.isbn13.as_deref().or(isbn.isbn_with_dashes.as_deref())));
        title.take_publication_date(self.publication_date.as_deref());
        title
    }
}

fn first(texts: &[MarketingText]) -> Option<PlainText> {
    texts.iter().find_map(|text| text.external_text.clone())
}

/// Authors of a product in order; its editors where it has nobody in an author's role.
fn authors(contributions: &[Contribution], product: Option<i64>) -> Vec<String> {
    let holds = |one: &&Contribution| {
        one.product_ids.is_empty() || product.is_some_and(|product| one.product_ids.contains(&product))
    };
    let mut its: Vec<&Contribution> = contributions.iter().filter(holds).collect();
    its.sort_by_key(|one| one.sequence_number.unwrap_or(i64::MAX));
    let of = |wanted: &str| -> Vec<String> {
        let has_role = |one: &&&Contribution| one.role() == Some(wanted);
        its.iter().filter(has_role).filter_map(|one| one.contributor.as_ref()?.name.clone()).collect()
    };
    let has_authors = its.iter().any(|one| one.role().is_some_and(|role| role.starts_with('A')));
    if has_authors { of("A01") } else { of("B01") }
}

impl RestProduct {
    /// What flows look at. The authors come as one text, and are not taken apart.
    pub fn title(&self) -> Title {
        let mut title = Title {
            product_id: self.id,
            work_id: self.work_id,
            title: self.full_title.clone(),
            subtitle: self.subtitle.clone(),
            description: self.text("01").or_else(|| self.text("03")),
            short_description: self.text("02"),
            authorship: self.authorship.clone(),
            imprint: self.imprint.clone(),
            format: self.in_house_format.clone(),
            form: self.product_form.as_deref().map(|form| product_form_from_list_7(form).to_owned()),
            status: self.publishing_status.clone(),
            stage: self.project_stage_name.clone(),
            territories: match &self.rights_not_available_countries {
                // An empty list is the whole world; none at all says nothing.
                Some(countries) => Territories {
                    worldwide: Some(countries.is_empty()),
                    not_for_sale: countries.iter().cloned().collect(),
                    ..Territories::default()
                },
                None => Territories::default(),
            },
            ..Title::default()
        };
        title.take_isbn(self.isbn.as_deref());
        title.take_publication_date(self.pub_date.as_deref());
        title
    }

    /// The first text of a type: main, short, long are 01, 02, 03 of the older list.
    fn text(&self, code: &str) -> Option<PlainText> {
        let mut its = self.texts.iter().filter(|text| text.code.as_deref() == Some(code));
        its.find_map(|text| text.external_text.clone())
    }
}
