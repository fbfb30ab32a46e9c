//! A record as a title.

use std::collections::BTreeSet;

use super::{
    Contributor, Identifier, Product, TextContent,
    codes::{is_exclusive, is_for_sale},
};
use crate::title::{DATE_WRONG, Isbn, PlainText, Territories, Title};

/// The role of the date of publication.
const PUBLICATION: &str = "01";

impl Product {
    /// What flows look at. A partial update gives what it names; the rest is empty there.
    pub fn title(&self) -> Title {
        let mut title = Title {
            work_id: self.work_id(),
            title: self.title.as_ref().and_then(|title| {
                let parts = [title.prefix.as_deref(), title.rest.as_deref()];
                let whole = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
                (!whole.is_empty()).then_some(whole)
            }),
            subtitle: self.title.as_ref().and_then(|title| title.subtitle.clone()),
            description: self.text("03"),
            short_description: self.text("02"),
            authors: self.authors(),
            imprint: self.imprint.clone(),
            form: self.form.clone(),
            status: self.status.clone(),
            territories: self.territories(),
            ..Title::default()
        };
        title.take_isbn(self.isbn_text());
        if let Some(date) = self.dates.iter().find(|date| date.role == PUBLICATION) {
            match date.format.as_str() {
                "00" => title.take_publication_date(Some(&date.value)),
                // A month or a year alone is no mistake, and no date.
                "01" | "05" => {}
                _ => title.warn(DATE_WRONG, "publication_date"),
            }
        }
        title
    }

    /// The first text of a type, list 153.
    fn text(&self, kind: &str) -> Option<PlainText> {
        self.texts.iter().filter(|text| text.kind == kind).find_map(TextContent::plain)
    }

    /// The ISBN as it stands: as such, or as the number of the trade item, which the same digits are.
    fn isbn_text(&self) -> Option<&str> {
        let of = |kind: &str| self.identifiers.iter().find(|identifier| identifier.kind == kind);
        let is_isbn = |identifier: &&Identifier| {
            identifier.value.starts_with("978") || identifier.value.starts_with("979")
        };
        of("15").or_else(|| of("03").filter(is_isbn)).map(|identifier| identifier.value.as_str())
    }

    /// The key of the sender's system: `com.<publisher>.onix.<work id>`, of the work the product manifests.
    fn work_id(&self) -> Option<i64> {
        let works = self.related_works.iter().filter(|work| work.relation == "01");
        let identifiers = works.flat_map(|work| &work.identifiers);
        let mut own = identifiers.filter(|identifier| {
            identifier.kind == "01" && identifier.type_name.as_deref() == Some("system-internal-identifier")
        });
        own.find_map(|identifier| identifier.value.rsplit_once(".onix.")?.1.parse().ok())
    }

    fn authors(&self) -> Vec<String> {
        let mut ordered: Vec<&Contributor> = self.contributors.iter().collect();
        ordered.sort_by_key(|contributor| contributor.sequence.unwrap_or(u32::MAX));
        let of = |wanted: &str| -> Vec<String> {
            let has_role = |one: &&&Contributor| one.roles.iter().any(|role| role == wanted);
            ordered.iter().filter(has_role).filter_map(|one| one.name.clone()).collect()
        };
        let has_authors = ordered.iter().any(|one| one.roles.iter().any(|role| role.starts_with('A')));
        if has_authors { of("A01") } else { of("B01") }
    }

    /// What is left out of one right may be for sale by another, or by what holds for the rest of the world.
    fn territories(&self) -> Territories {
        let mut territories = Territories::default();
        let mut left_out = BTreeSet::new();
        for right in &self.sales_rights {
            let Some(for_sale) = is_for_sale(&right.kind) else { continue };
            let territory = &right.territory;
            let places = || territory.countries.iter().chain(&territory.regions).cloned();
            if for_sale {
                territories.for_sale.extend(places());
                if is_exclusive(&right.kind) {
                    territories.exclusive.extend(places());
                }
                left_out
                    .extend(territory.without_countries.iter().chain(&territory.without_regions).cloned());
            } else {
                territories.not_for_sale.extend(places());
            }
        }
        let rest = self.rest_of_world.as_deref().and_then(is_for_sale);
        let unsold: Vec<String> = match rest {
            Some(true) => Vec::new(),
            _ => left_out.difference(&territories.for_sale).cloned().collect(),
        };
        if !self.sales_rights.is_empty() || rest.is_some() {
            let everywhere = territories.for_sale.contains("WORLD") || rest == Some(true);
            let is_worldwide = everywhere && territories.not_for_sale.is_empty() && unsold.is_empty();
            territories.worldwide = Some(is_worldwide);
        }
        if rest == Some(false) {
            territories.not_for_sale.extend(unsold);
        }
        territories
    }

    /// The ISBN, when there is one and it is right.
    pub fn isbn(&self) -> Option<Isbn> {
        self.isbn_text().and_then(Isbn::parse)
    }
}
