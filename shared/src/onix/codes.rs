//! Code lists of `EDItEUR` (issue 75), as far as publishing metadata needs them, and the ways from the lists of ONIX 2.1 to
//! those of ONIX 3.0.

/// A code list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// 1.
    NotificationType,
    /// 7 of ONIX 2.1.
    ProductForm21,
    /// 17.
    ContributorRole,
    /// 33 of ONIX 2.1.
    TextType21,
    /// 46.
    SalesRightsType,
    /// 51.
    ProductRelation,
    /// 55.
    DateFormat,
    /// 58.
    PriceType,
    /// 59.
    PriceQualifier,
    /// 64.
    PublishingStatus,
    /// 73.
    WebsiteRole,
    /// 150.
    ProductForm,
    /// 153.
    TextType,
    /// 158.
    ResourceContentType,
    /// 159.
    ResourceMode,
    /// 161.
    ResourceForm,
    /// 162.
    ResourceVersionFeature,
    /// 163.
    PublishingDateRole,
}

impl List {
    pub(super) const fn entries(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::NotificationType => NOTIFICATION_TYPE,
            Self::ProductForm21 => PRODUCT_FORM_21,
            Self::ContributorRole => CONTRIBUTOR_ROLE,
            Self::TextType21 => TEXT_TYPE_21,
            Self::SalesRightsType => SALES_RIGHTS_TYPE,
            Self::ProductRelation => PRODUCT_RELATION,
            Self::DateFormat => DATE_FORMAT,
            Self::PriceType => PRICE_TYPE,
            Self::PriceQualifier => PRICE_QUALIFIER,
            Self::PublishingStatus => PUBLISHING_STATUS,
            Self::WebsiteRole => WEBSITE_ROLE,
            Self::ProductForm => PRODUCT_FORM,
            Self::TextType => TEXT_TYPE,
            Self::ResourceContentType => RESOURCE_CONTENT_TYPE,
            Self::ResourceMode => RESOURCE_MODE,
            Self::ResourceForm => RESOURCE_FORM,
            Self::ResourceVersionFeature => RESOURCE_VERSION_FEATURE,
            Self::PublishingDateRole => PUBLISHING_DATE_ROLE,
        }
    }

    /// What a code means, in short; nothing for a code that is not listed here.
    pub fn meaning(self, code: &str) -> Option<&'static str> {
        self.entries().iter().find(|(known, _)| *known == code).map(|(_, meaning)| *meaning)
    }
}

/// Whether a sales rights type (list 46) means that the product is for sale; nothing where the code does not say.
pub fn is_for_sale(sales_rights_type: &str) -> Option<bool> {
    match sales_rights_type {
        "01" | "02" | "07" | "08" => Some(true),
        "03" | "04" | "05" | "06" => Some(false),
        _ => None,
    }
}

/// Whether it means that the right to sell is exclusive.
pub fn is_exclusive(sales_rights_type: &str) -> bool {
    matches!(sales_rights_type, "01" | "07")
}

/// A product form of ONIX 2.1 (list 7) in list 150. Codes that both lists have, and those of list 150, stay.
pub fn product_form_from_list_7(code: &str) -> &str {
    match code {
        "DG" => "ED",
        "DH" => "EC",
        "DA" => "EA",
        "DO" => "LB",
        "WW" | "WX" => "SA",
        same => same,
    }
}

/// A text type of ONIX 2.1 (list 33) in list 153; nothing for one that has no place there.
pub fn text_type_from_list_33(code: &str) -> Option<&'static str> {
    Some(match code {
        "01" | "03" => "03",
        "02" => "02",
        "04" => "04",
        "08" => "06",
        "09" => "10",
        "13" => "12",
        "18" => "05",
        _ => return None,
    })
}

const NOTIFICATION_TYPE: &[(&str, &str)] =
    &[("01", "early"), ("02", "advance"), ("03", "confirmed"), ("04", "partial update"), ("05", "delete")];

const PRODUCT_FORM_21: &[(&str, &str)] = &[
    ("00", "undefined"),
    ("AC", "CD audio"),
    ("AJ", "downloadable audio"),
    ("BA", "book"),
    ("BB", "hardback"),
    ("BC", "paperback"),
    ("BD", "loose-leaf"),
    ("BE", "spiral bound"),
    ("BH", "board book"),
    ("DA", "digital"),
    ("DG", "electronic book text"),
    ("DH", "online resource"),
    ("DO", "digital product licence key"),
    ("PF", "diary"),
    ("WW", "mixed media"),
    ("WX", "multiple copy pack"),
];

const CONTRIBUTOR_ROLE: &[(&str, &str)] = &[
    ("A01", "author"),
    ("A02", "with"),
    ("A12", "illustrator"),
    ("A13", "photographs"),
    ("A15", "preface"),
    ("A19", "afterword"),
    ("A23", "foreword"),
    ("A24", "introduction"),
    ("A32", "contributions"),
    ("A36", "cover design"),
    ("B01", "editor"),
    ("B05", "adapted"),
    ("B06", "translator"),
    ("C01", "compiler"),
    ("E07", "reader"),
];

const TEXT_TYPE_21: &[(&str, &str)] = &[
    ("01", "main description"),
    ("02", "short description"),
    ("03", "long description"),
    ("04", "table of contents"),
    ("08", "review quote"),
    ("09", "promotional headline"),
    ("13", "biographical note"),
    ("18", "back cover copy"),
    ("25", "for sales people"),
];

const SALES_RIGHTS_TYPE: &[(&str, &str)] = &[
    ("00", "unknown"),
    ("01", "for sale, exclusive rights"),
    ("02", "for sale, non-exclusive rights"),
    ("03", "not for sale, reason unstated"),
    ("04", "not for sale, though exclusive rights are held"),
    ("05", "not for sale, though non-exclusive rights are held"),
    ("06", "not for sale, no rights held"),
    ("07", "for sale, exclusive rights, with a restriction"),
    ("08", "for sale, non-exclusive rights, with a restriction"),
];

const PRODUCT_RELATION: &[(&str, &str)] =
    &[("06", "alternative format"), ("13", "e-publication based on"), ("27", "electronic version available")];

const DATE_FORMAT: &[(&str, &str)] = &[("00", "YYYYMMDD"), ("01", "YYYYMM"), ("05", "YYYY")];

const PRICE_TYPE: &[(&str, &str)] = &[
    ("01", "recommended, without tax"),
    ("02", "recommended, with tax"),
    ("03", "fixed, without tax"),
    ("04", "fixed, with tax"),
];

const PRICE_QUALIFIER: &[(&str, &str)] =
    &[("05", "consumer"), ("06", "corporate, library or education"), ("10", "library")];

const PUBLISHING_STATUS: &[(&str, &str)] = &[
    ("00", "unspecified"),
    ("01", "cancelled"),
    ("02", "forthcoming"),
    ("03", "postponed indefinitely"),
    ("04", "active"),
    ("05", "no longer ours"),
    ("06", "out of stock indefinitely"),
    ("07", "out of print"),
    ("08", "inactive"),
    ("09", "unknown"),
    ("10", "remaindered"),
    ("11", "withdrawn from sale"),
    ("12", "recalled (deprecated)"),
    ("13", "active, not sold separately"),
    ("15", "recalled"),
    ("16", "temporarily withdrawn from sale"),
    ("17", "permanently withdrawn from sale"),
    ("18", "active, not sold as a set"),
];

const WEBSITE_ROLE: &[(&str, &str)] = &[
    ("00", "unspecified"),
    ("02", "publisher's site for a work"),
    ("29", "full content"),
    ("45", "permissions contact"),
];

const PRODUCT_FORM: &[(&str, &str)] = &[
    ("00", "undefined"),
    ("AC", "CD audio"),
    ("AJ", "downloadable audio"),
    ("AN", "downloadable and online audio"),
    ("AO", "online audio"),
    ("BA", "book"),
    ("BB", "hardback"),
    ("BC", "paperback"),
    ("BD", "loose-leaf"),
    ("BE", "spiral bound"),
    ("BH", "board book"),
    ("EA", "digital, delivered electronically"),
    ("EB", "digital download and online"),
    ("EC", "digital online"),
    ("ED", "digital download"),
    ("LB", "digital product licence key"),
    ("SA", "multi-component"),
];

const TEXT_TYPE: &[(&str, &str)] = &[
    ("02", "short description"),
    ("03", "description"),
    ("04", "table of contents"),
    ("05", "primary cover copy"),
    ("06", "review quote"),
    ("09", "endorsement"),
    ("10", "promotional headline"),
    ("11", "feature"),
    ("12", "biographical note"),
    ("13", "publisher's notice"),
    ("14", "excerpt"),
    ("20", "open access statement"),
    ("27", "secondary cover copy"),
    ("30", "abstract"),
];

const RESOURCE_CONTENT_TYPE: &[(&str, &str)] = &[
    ("01", "front cover"),
    ("02", "back cover"),
    ("03", "cover or pack"),
    ("04", "contributor picture"),
    ("07", "product image"),
    ("15", "sample content"),
    ("17", "review"),
    ("19", "reading group guide"),
    ("24", "press release"),
    ("25", "table of contents"),
    ("26", "trailer"),
    ("28", "full content"),
    ("29", "full cover"),
    ("38", "digital review copy"),
    ("99", "licence"),
];

const RESOURCE_MODE: &[(&str, &str)] =
    &[("02", "audio"), ("03", "still image"), ("04", "text"), ("05", "video"), ("06", "multi-mode")];

const RESOURCE_FORM: &[(&str, &str)] = &[("01", "linkable resource"), ("02", "downloadable file")];

const RESOURCE_VERSION_FEATURE: &[(&str, &str)] = &[
    ("02", "height in pixels"),
    ("03", "width in pixels"),
    ("05", "approximate size in megabytes"),
    ("06", "MD5"),
    ("07", "exact size in bytes"),
    ("08", "SHA-256"),
];

const PUBLISHING_DATE_ROLE: &[(&str, &str)] = &[
    ("01", "publication"),
    ("02", "sales embargo"),
    ("09", "public announcement"),
    ("10", "trade announcement"),
    ("11", "first publication"),
    ("12", "latest reprint"),
    ("13", "out of print or withdrawn"),
    ("16", "latest reissue"),
    ("19", "publication of the print counterpart"),
    ("20", "first publication in the original language"),
    ("22", "expected back after withdrawal"),
    ("27", "pre-order embargo"),
    ("28", "transfer"),
    ("41", "manuscript submitted"),
    ("42", "manuscript accepted"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_the_older_lists_find_their_place() {
        let forms = ["DG", "DH", "DA", "DO", "WW", "WX", "BC", "ED"].map(product_form_from_list_7);
        assert_eq!(forms, ["ED", "EC", "EA", "LB", "SA", "SA", "BC", "ED"]);
        for form in forms {
            assert!(List::ProductForm.meaning(form).is_some(), "{form}");
        }
        // Of a diary list 150 has nothing: it stays as it is.
        let forms = List::ProductForm21.entries().iter().map(|(code, _)| product_form_from_list_7(code));
        let without: Vec<&str> = forms.filter(|code| List::ProductForm.meaning(code).is_none()).collect();
        assert_eq!(without, ["PF"]);
        let texts = List::TextType21.entries().iter().map(|(code, _)| (*code, text_type_from_list_33(code)));
        for (old, new) in texts {
            let is_known = new.is_some_and(|code| List::TextType.meaning(code).is_some());
            assert_eq!(is_known, old != "25", "{old}: what is for sales people has no place among texts");
        }
        for (old, new) in [("01", "description"), ("08", "review quote"), ("18", "primary cover copy")] {
            assert_eq!(text_type_from_list_33(old).and_then(|code| List::TextType.meaning(code)), Some(new));
        }
        assert_eq!(text_type_from_list_33("25"), None);
    }

    #[test]
    fn sales_rights_say_whether_and_how() {
        for code in ["01", "02", "07", "08"] {
            assert_eq!(is_for_sale(code), Some(true), "{code}");
        }
        for code in ["03", "04", "05", "06"] {
            assert_eq!((is_for_sale(code), is_exclusive(code)), (Some(false), false), "{code}");
        }
        assert_eq!((is_for_sale("00"), is_for_sale("77")), (None, None));
        assert_eq!(["01", "02", "07", "08"].map(is_exclusive), [true, false, true, false]);
    }

    #[test]
    fn no_list_has_a_code_twice() {
        use List::{
            ContributorRole, DateFormat, NotificationType, PriceQualifier, PriceType, ProductForm,
            ProductForm21, ProductRelation, PublishingDateRole, PublishingStatus, ResourceContentType,
            ResourceForm, ResourceMode, ResourceVersionFeature, SalesRightsType, TextType, TextType21,
            WebsiteRole,
        };
        let descriptive =
            [ContributorRole, ProductForm, ProductForm21, ProductRelation, TextType, TextType21];
        let resources = [ResourceContentType, ResourceForm, ResourceMode, ResourceVersionFeature];
        let publishing =
            [DateFormat, NotificationType, PublishingDateRole, PublishingStatus, SalesRightsType];
        let others = [PriceQualifier, PriceType, WebsiteRole];
        for &list in descriptive.iter().chain(&resources).chain(&publishing).chain(&others) {
            let mut codes: Vec<_> = list.entries().iter().map(|(code, _)| code).collect();
            codes.sort_unstable();
            codes.dedup();
            assert_eq!(codes.len(), list.entries().len(), "{list:?}");
        }
        assert_eq!(List::PublishingStatus.meaning("04"), Some("active"));
    }
}
