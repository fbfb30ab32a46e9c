//! The code lists as a whole: a code that is lost, or means something else, is noticed.

use super::codes::List::{self, *};

/// Each list with its number and what stands in it, as `EDItEUR` has it in issue 75 in short: compared by eye with the published
/// lists, and changed here only together with them.
const LISTS: &[(List, &str, &[&str])] = &[
    (NotificationType, "1", &["01 early", "02 advance", "03 confirmed", "04 partial update", "05 delete"]),
    (
        ProductForm21,
        "7 of ONIX 2.1",
        &[
            "00 undefined",
            "AC CD audio",
            "AJ downloadable audio",
            "BA book",
            "BB hardback",
            "BC paperback",
            "BD loose-leaf",
            "BE spiral bound",
            "BH board book",
            "DA digital",
            "DG electronic book text",
            "DH online resource",
            "DO digital product licence key",
            "PF diary",
            "WW mixed media",
            "WX multiple copy pack",
        ],
    ),
    (
        ContributorRole,
        "17",
        &[
            "A01 author",
            "A02 with",
            "A12 illustrator",
            "A13 photographs",
            "A15 preface",
            "A19 afterword",
            "A23 foreword",
            "A24 introduction",
            "A32 contributions",
            "A36 cover design",
            "B01 editor",
            "B05 adapted",
            "B06 translator",
            "C01 compiler",
            "E07 reader",
        ],
    ),
    (
        TextType21,
        "33 of ONIX 2.1",
        &[
            "01 main description",
            "02 short description",
            "03 long description",
            "04 table of contents",
            "08 review quote",
            "09 promotional headline",
            "13 biographical note",
            "18 back cover copy",
            "25 for sales people",
        ],
    ),
    (
        SalesRightsType,
        "46",
        &[
            "00 unknown",
            "01 for sale, exclusive rights",
            "02 for sale, non-exclusive rights",
            "03 not for sale, reason unstated",
            "04 not for sale, though exclusive rights are held",
            "05 not for sale, though non-exclusive rights are held",
            "06 not for sale, no rights held",
            "07 for sale, exclusive rights, with a restriction",
            "08 for sale, non-exclusive rights, with a restriction",
        ],
    ),
    (
        ProductRelation,
        "51",
        &["06 alternative format", "13 e-publication based on", "27 electronic version available"],
    ),
    (DateFormat, "55", &["00 YYYYMMDD", "01 YYYYMM", "05 YYYY"]),
    (
        PriceType,
        "58",
        &[
            "01 recommended, without tax",
            "02 recommended, with tax",
            "03 fixed, without tax",
            "04 fixed, with tax",
        ],
    ),
    (PriceQualifier, "59", &["05 consumer", "06 corporate, library or education", "10 library"]),
    (
        PublishingStatus,
        "64",
        &[
            "00 unspecified",
            "01 cancelled",
            "02 forthcoming",
            "03 postponed indefinitely",
            "04 active",
            "05 no longer ours",
            "06 out of stock indefinitely",
            "07 out of print",
            "08 inactive",
            "09 unknown",
            "10 remaindered",
            "11 withdrawn from sale",
            "12 recalled (deprecated)",
            "13 active, not sold separately",
            "15 recalled",
            "16 temporarily withdrawn from sale",
            "17 permanently withdrawn from sale",
            "18 active, not sold as a set",
        ],
    ),
    (
        WebsiteRole,
        "73",
        &["00 unspecified", "02 publisher's site for a work", "29 full content", "45 permissions contact"],
    ),
    (
        ProductForm,
        "150",
        &[
            "00 undefined",
            "AC CD audio",
            "AJ downloadable audio",
            "AN downloadable and online audio",
            "AO online audio",
            "BA book",
            "BB hardback",
            "BC paperback",
            "BD loose-leaf",
            "BE spiral bound",
            "BH board book",
            "EA digital, delivered electronically",
            "EB digital download and online",
            "EC digital online",
            "ED digital download",
            "LB digital product licence key",
            "SA multi-component",
        ],
    ),
    (
        TextType,
        "153",
        &[
            "02 short description",
            "03 description",
            "04 table of contents",
            "05 primary cover copy",
            "06 review quote",
            "09 endorsement",
            "10 promotional headline",
            "11 feature",
            "12 biographical note",
            "13 publisher's notice",
            "14 excerpt",
            "20 open access statement",
            "27 secondary cover copy",
            "30 abstract",
        ],
    ),
    (
        ResourceContentType,
        "158",
        &[
            "01 front cover",
            "02 back cover",
            "03 cover or pack",
            "04 contributor picture",
            "07 product image",
            "15 sample content",
            "17 review",
            "19 reading group guide",
            "24 press release",
            "25 table of contents",
            "26 trailer",
            "28 full content",
            "29 full cover",
            "38 digital review copy",
            "99 licence",
        ],
    ),
    (ResourceMode, "159", &["02 audio", "03 still image", "04 text", "05 video", "06 multi-mode"]),
    (ResourceForm, "161", &["01 linkable resource", "02 downloadable file"]),
    (
        ResourceVersionFeature,
        "162",
        &[
            "02 height in pixels",
            "03 width in pixels",
            "05 approximate size in megabytes",
            "06 MD5",
            "07 exact size in bytes",
            "08 SHA-256",
        ],
    ),
    (
        PublishingDateRole,
        "163",
        &[
            "01 publication",
            "02 sales embargo",
            "09 public announcement",
            "10 trade announcement",
            "11 first publication",
            "12 latest reprint",
            "13 out of print or withdrawn",
            "16 latest reissue",
            "19 publication of the print counterpart",
            "20 first publication in the original language",
            "22 expected back after withdrawal",
            "27 pre-order embargo",
            "28 transfer",
            "41 manuscript submitted",
            "42 manuscript accepted",
        ],
    ),
];

#[test]
fn no_code_of_a_list_is_lost_or_means_something_else() {
    for (list, number, expected) in LISTS {
        let entries: Vec<String> =
            list.entries().iter().map(|(code, meaning)| format!("{code} {meaning}")).collect();
        assert_eq!(&entries, expected, "list {number}");
        for entry in *expected {
            let (code, meaning) = entry.split_once(' ').unwrap();
            assert_eq!(list.meaning(code), Some(meaning), "list {number}");
        }
        assert_eq!(list.meaning("ZZZ"), None);
    }
    let mut lists: Vec<String> = LISTS.iter().map(|(list, ..)| format!("{list:?}")).collect();
    lists.sort_unstable();
    lists.dedup();
    assert_eq!(lists.len(), 18, "all of them");
}
