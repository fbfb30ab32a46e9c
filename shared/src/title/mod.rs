//! What is known of a published title, whichever way it came: the projection that flows compare, map and file.
//!
//! Nothing here reads or writes anything. What a source does not say stays empty; what it says wrongly is kept as text and
//! told in `warnings`, and is never a key.

mod isbn;
mod text;

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::Serialize;
use sha2::{Digest, Sha256};

pub use self::{isbn::Isbn, text::PlainText};
use crate::error::{Error, Result};

/// A product and its work, as far as flows look at them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Title {
    /// The product, in the system it came from.
    pub product_id: Option<i64>,
    /// Its work there.
    pub work_id: Option<i64>,
    /// The ISBN, when there is one and its check digit is right. It can be given or changed later: no key by itself.
    pub isbn: Option<Isbn>,
    /// What stood in place of an ISBN that is none.
    pub isbn_text: Option<String>,
    /// The title with its prefix.
    pub title: Option<String>,
    /// The subtitle.
    pub subtitle: Option<String>,
    /// The description for readers, without the markup it came with: text type 03 of ONIX list 153.
    pub description: Option<PlainText>,
    /// The short one: text type 02.
    pub short_description: Option<PlainText>,
    /// Authors one by one, in order; the editors where nobody is named as author. Empty where the source gives one text.
    pub authors: Vec<String>,
    /// Authors as one text.
    pub authorship: Option<String>,
    /// Name of the imprint.
    pub imprint: Option<String>,
    /// When it is or was published.
    pub publication_date: Option<Date>,
    /// The publisher's own name of the format.
    pub format: Option<String>,
    /// Product form, ONIX list 150.
    pub form: Option<String>,
    /// Publishing status, ONIX list 64.
    pub status: Option<String>,
    /// The publisher's own name of the stage of the work.
    pub stage: Option<String>,
    /// Where it may be sold.
    pub territories: Territories,
    /// What was wrong with the record.
    pub warnings: Vec<Warning>,
}

/// Where a product may be sold. Countries are ISO 3166 codes, regions those of ONIX list 49.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Territories {
    /// Everywhere.
    pub worldwide: Option<bool>,
    /// Where it is for sale.
    pub for_sale: BTreeSet<String>,
    /// Of these, where the right to sell it is exclusive. Only ONIX says.
    pub exclusive: BTreeSet<String>,
    /// Where it is not for sale.
    pub not_for_sale: BTreeSet<String>,
    /// The same in words, where the source has words.
    pub statement: Option<String>,
}

/// Something about a record that a person should put right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// The stable reason.
    pub code: &'static str,
    /// The field.
    pub field: &'static str,
}

/// An ISBN whose length, prefix or check digit is wrong.
pub const ISBN_WRONG: &str = "title.isbn-wrong";
/// A date that is none.
pub const DATE_WRONG: &str = "title.date-wrong";

impl Title {
    /// Takes what stands in place of an ISBN: a right one, a wrong one, or words that say there is none.
    pub fn take_isbn(&mut self, text: Option<&str>) {
        let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return };
        if text.eq_ignore_ascii_case("no isbn") {
            return;
        }
        self.isbn = Isbn::parse(text);
        if self.isbn.is_none() {
            self.isbn_text = Some(text.to_owned());
            self.warn(ISBN_WRONG, "isbn");
        }
    }

    /// Takes the date of publication, written `YYYY-MM-DD` or `YYYYMMDD`.
    pub fn take_publication_date(&mut self, text: Option<&str>) {
        let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return };
        self.publication_date = text.parse().ok();
        if self.publication_date.is_none() {
            self.warn(DATE_WRONG, "publication_date");
        }
    }

    /// Notes what is wrong.
    pub fn warn(&mut self, code: &'static str, field: &'static str) {
        let warning = Warning { code, field };
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// SHA-256 over its canonical JSON: two records with the same one say the same.
    ///
    /// # Errors
    /// A fault of ours.
    pub fn fingerprint(&self) -> Result<String> {
        let canonical = serde_json_canonicalizer::to_vec(self)
            .map_err(|error| Error::bug("fingerprint a title", error.to_string()))?;
        Ok(hex::encode(Sha256::digest(canonical)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_isbn_is_kept_as_text_and_is_no_key() {
        let mut title = Title::default();
        title.take_isbn(Some("978-0-00-000000-1"));
        assert_eq!((&title.isbn, title.isbn_text.as_deref()), (&None, Some("978-0-00-000000-1")));
        assert_eq!(title.warnings, [Warning { code: ISBN_WRONG, field: "isbn" }]);
    }

    #[test]
    fn no_isbn_is_no_mistake() {
        for text in [None, Some(""), Some("No ISBN"), Some(" no isbn ")] {
            let mut title = Title::default();
            title.take_isbn(text);
            assert_eq!(title, Title::default(), "{text:?}");
        }
    }

    #[test]
    fn what_differs_has_another_fingerprint_and_what_is_the_same_has_not() {
        let mut one = Title { title: Some("Salt".to_owned()), ..Title::default() };
        one.take_publication_date(Some("2031-05-06"));
        let mut same = one.clone();
        same.publication_date = "20310506".parse().ok();
        assert_eq!(one.fingerprint().unwrap(), same.fingerprint().unwrap());
        same.status = Some("04".to_owned());
        assert_ne!(one.fingerprint().unwrap(), same.fingerprint().unwrap());
    }

    #[test]
    fn a_date_that_is_none_is_told() {
        let mut title = Title::default();
        title.take_publication_date(Some("2031-13-01"));
        assert_eq!((title.publication_date, title.warnings.len()), (None, 1));
    }
}
