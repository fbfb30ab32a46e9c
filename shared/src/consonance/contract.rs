//! Contracts as GraphQL shows them: no party, no territory, no file and no currency are among what it has.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Deserialize;

use super::{product::Named, wire};

/// A contract.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Contract {
    /// Its id.
    #[serde(deserialize_with = "wire::integer")]
    pub id: Option<i64>,
    /// Its name.
    #[serde(deserialize_with = "wire::text")]
    pub contract_name: Option<String>,
    /// Its work.
    #[serde(deserialize_with = "wire::record")]
    pub work: Option<Named>,
    /// When it was signed.
    #[serde(deserialize_with = "wire::text")]
    pub signed_date: Option<String>,
    /// How long it holds, in months when it is a number; else in words.
    #[serde(deserialize_with = "wire::text")]
    pub term: Option<String>,
    /// The last day on which it holds.
    #[serde(deserialize_with = "wire::text")]
    pub terminated_date: Option<String>,
    /// Why it ended.
    #[serde(deserialize_with = "wire::text")]
    pub termination_reason: Option<String>,
    /// When it is to be looked at again.
    #[serde(deserialize_with = "wire::text")]
    pub review_date: Option<String>,
    /// When the manuscript is due.
    #[serde(deserialize_with = "wire::text")]
    pub ms_delivery_date: Option<String>,
    /// A fee for everything.
    #[serde(deserialize_with = "wire::decimal")]
    pub flat_fee_value: Option<Decimal>,
    /// Royalties that are guaranteed. Its currency is not given.
    #[serde(deserialize_with = "wire::decimal")]
    pub guaranteed_royalty_value: Option<Decimal>,
    /// Rights that were licensed with it.
    #[serde(deserialize_with = "wire::list")]
    pub licensed_rights: Vec<LicensedRight>,
    /// What is due when.
    #[serde(deserialize_with = "wire::list")]
    pub delivery_dates: Vec<DeliveryDate>,
}

/// A right, without territory and time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct LicensedRight {
    /// Its id.
    #[serde(deserialize_with = "wire::integer")]
    pub id: Option<i64>,
    /// What kind of right.
    #[serde(deserialize_with = "wire::text")]
    pub right_type: Option<String>,
    /// The author's share in percent.
    #[serde(deserialize_with = "wire::decimal")]
    pub author_cut: Option<Decimal>,
}

/// Something that is due.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DeliveryDate {
    /// Its id.
    #[serde(deserialize_with = "wire::integer")]
    pub id: Option<i64>,
    /// What is due.
    #[serde(deserialize_with = "wire::text")]
    pub deliverable_type: Option<String>,
    /// When.
    #[serde(deserialize_with = "wire::text")]
    pub date_due: Option<String>,
}

impl Contract {
    /// The last day on which it holds, as far as that is known: said outright, or the signing and a term in whole months. It
    /// is never guessed: a term in words gives none.
    pub fn expires(&self) -> Option<Date> {
        if let Some(ended) = self.terminated_date.as_deref() {
            return ended.parse().ok();
        }
        let signed: Date = self.signed_date.as_deref()?.parse().ok()?;
        let months: u32 = self.term.as_deref()?.trim().parse().ok()?;
        signed.checked_add(jiff::Span::new().try_months(months).ok()?).ok()
    }
}

pub(super) const CONTRACT: &str = "id contractName work{id title} signedDate term terminatedDate terminationReason reviewDate \
    msDeliveryDate flatFeeValue guaranteedRoyaltyValue licensedRights{id rightType authorCut} \
    deliveryDates{id deliverableType dateDue}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contract_ends_when_it_says_so_or_after_whole_months_and_never_by_a_guess() {
        let text = |text: &str| Some(text.to_owned());
        let of = |signed: &str, term: Option<String>, ended: Option<String>| {
            Contract { signed_date: text(signed), term, terminated_date: ended, ..Contract::default() }
                .expires()
        };
        let day = |text: &str| Some(text.parse::<Date>().unwrap());
        assert_eq!(of("2026-01-31", text("1"), None), day("2026-02-28"));
        assert_eq!(of("2026-01-31", text("60"), text("2027-03-01")), day("2027-03-01"));
        for term in ["Full term of copyright", "10 years", "", "1.5", "-3", "99999999999"] {
            assert_eq!(of("2026-01-31", text(term), None), None, "{term}");
        }
        assert_eq!(of("soon", text("1"), None), None);
        assert_eq!(of("2026-01-31", None, None), None);
    }
}
