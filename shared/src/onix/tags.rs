//! The two spellings of ONIX: reference names and short tags. Names outside this table are passed on as they are.

/// Short tag and reference name.
const TAGS: &[(&str, &str)] = &[
    ("a001", "RecordReference"),
    ("a002", "NotificationType"),
    ("addressee", "Addressee"),
    ("b012", "ProductForm"),
    ("b029", "Subtitle"),
    ("b030", "TitlePrefix"),
    ("b031", "TitleWithoutPrefix"),
    ("b034", "SequenceNumber"),
    ("b035", "ContributorRole"),
    ("b036", "PersonName"),
    ("b037", "PersonNameInverted"),
    ("b039", "NamesBeforeKey"),
    ("b040", "KeyNames"),
    ("b044", "BiographicalNote"),
    ("b047", "CorporateName"),
    ("b067", "SubjectSchemeIdentifier"),
    ("b069", "SubjectCode"),
    ("b070", "SubjectHeadingText"),
    ("b079", "ImprintName"),
    ("b081", "PublisherName"),
    ("b089", "SalesRightsType"),
    ("b171", "SubjectSchemeName"),
    ("b201", "WorkIDType"),
    ("b202", "TitleType"),
    ("b203", "TitleText"),
    ("b221", "ProductIDType"),
    ("b233", "IDTypeName"),
    ("b244", "IDValue"),
    ("b291", "PublishingRole"),
    ("b306", "Date"),
    ("b333", "ProductFormDetail"),
    ("b394", "PublishingStatus"),
    ("collateraldetail", "CollateralDetail"),
    ("collection", "Collection"),
    ("contributor", "Contributor"),
    ("d104", "Text"),
    ("descriptivedetail", "DescriptiveDetail"),
    ("header", "Header"),
    ("imprint", "Imprint"),
    ("j151", "PriceAmount"),
    ("j152", "CurrencyCode"),
    ("j260", "DateFormat"),
    ("j261", "PriceQualifier"),
    ("m183", "MessageNote"),
    ("m184", "DefaultLanguageOfText"),
    ("m186", "DefaultCurrencyCode"),
    ("price", "Price"),
    ("product", "Product"),
    ("productidentifier", "ProductIdentifier"),
    ("productsupply", "ProductSupply"),
    ("publisher", "Publisher"),
    ("publishingdate", "PublishingDate"),
    ("publishingdetail", "PublishingDetail"),
    ("relatedmaterial", "RelatedMaterial"),
    ("relatedproduct", "RelatedProduct"),
    ("relatedwork", "RelatedWork"),
    ("resourceversion", "ResourceVersion"),
    ("resourceversionfeature", "ResourceVersionFeature"),
    ("salesrights", "SalesRights"),
    ("sender", "Sender"),
    ("subject", "Subject"),
    ("supplydetail", "SupplyDetail"),
    ("supportingresource", "SupportingResource"),
    ("territory", "Territory"),
    ("textcontent", "TextContent"),
    ("titledetail", "TitleDetail"),
    ("titleelement", "TitleElement"),
    ("workidentifier", "WorkIdentifier"),
    ("x298", "SenderName"),
    ("x307", "SentDateTime"),
    ("x409", "TitleElementLevel"),
    ("x425", "MainSubject"),
    ("x426", "TextType"),
    ("x427", "ContentAudience"),
    ("x435", "ResourceLink"),
    ("x436", "ResourceContentType"),
    ("x437", "ResourceMode"),
    ("x439", "FeatureValue"),
    ("x441", "ResourceForm"),
    ("x442", "ResourceVersionFeatureType"),
    ("x448", "PublishingDateRole"),
    ("x449", "CountriesIncluded"),
    ("x450", "RegionsIncluded"),
    ("x451", "CountriesExcluded"),
    ("x452", "RegionsExcluded"),
    ("x454", "WorkRelationCode"),
    ("x455", "ProductRelationCode"),
    ("x456", "ROWSalesRightsType"),
    ("x462", "PriceType"),
    ("x501", "NoPrefix"),
];

/// Which of the two a message is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    /// `<RecordReference>`.
    Reference,
    /// `<a001>`.
    Short,
}

/// The reference name of a tag.
pub(super) fn reference_name(spelling: Spelling, tag: &str) -> &str {
    let short = || TAGS.binary_search_by_key(&tag, |(short, _)| short).ok().and_then(|at| TAGS.get(at));
    match spelling {
        Spelling::Reference => tag,
        Spelling::Short => short().map_or(tag, |(_, reference)| reference),
    }
}

/// The short tag of a reference name.
#[cfg(test)]
pub(super) fn short_tag(reference: &str) -> &str {
    TAGS.iter().find(|(_, known)| *known == reference).map_or(reference, |(short, _)| short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_as_its_search_needs_and_goes_both_ways() {
        assert!(TAGS.is_sorted_by_key(|(short, _)| short));
        for (short, reference) in TAGS {
            assert_eq!(reference_name(Spelling::Short, short), *reference);
            assert_eq!(short_tag(reference), *short);
        }
        assert_eq!(reference_name(Spelling::Short, "x999"), "x999");
    }
}
