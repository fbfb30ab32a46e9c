use super::{
    super::{
        facts::{
            AssetFacts, AssetState, CommentFacts, FileFacts, FormatFacts, Place, ReviewFacts, SetFacts,
            ShownFacts, Tree, VerdictFacts, VersionFacts,
        },
        filed::Filed,
        select::select,
    },
    Building, Closing, Document, Package, Summary, SummaryCollection, page,
};
use crate::production_rules::{ProductionRule, ProductionRules};

const RULES: &str = "[[rule]]\nname = \"campaigns\"\n[rule.closed]\nview = \"5f0c8f30-7a51-11f0-c006-0242ac120002\"\n\
    field = \"ProductionStatus\"\nvalues = [\"closed\"]\n[rule.target]\nfolder = \"Enterprise:P/{collection.id}\"\n\
    [[rule.part]]\nfolder = \"Masters\"\ntitle = \"Final masters\"\ncategories = [\"final\"]\nmissing = \"list\"\n";

/// A title that tries everything.
const EVIL: &str = "Harbour <script>alert(1)</script> \u{202e}gpj.exe\" onload='x'";

fn rule() -> ProductionRule {
    ProductionRules::parse(RULES, "rules.toml").unwrap().rules.remove(0)
}

fn comment(id: &str, text: &str, version: &str) -> CommentFacts {
    CommentFacts {
        id: id.to_owned(),
        version: Some(version.to_owned()),
        text: text.to_owned(),
        author: "Reviewer".to_owned(),
        at: Some("2031-05-01T09:30:00Z".parse().unwrap()),
        ..CommentFacts::default()
    }
}

fn file(id: &str, name: &str, status: &str) -> FileFacts {
    FileFacts {
        id: id.to_owned(),
        name: name.to_owned(),
        kind: "FILE".to_owned(),
        status: status.to_owned(),
        usable: status == "CLOSED",
        method: "S3".to_owned(),
        size: Some(90_000),
        ..FileFacts::default()
    }
}

fn master() -> AssetFacts {
    let verdict = |reviewer: &str| VerdictFacts {
        reviewer: reviewer.to_owned(),
        status: "APPROVED".to_owned(),
        ..VerdictFacts::default()
    };
    let review = ReviewFacts {
        status: "APPROVED".to_owned(),
        needed: Some(2),
        verdicts: vec![verdict("Producer"), verdict("Reviewer")],
        ..ReviewFacts::default()
    };
    let version = |id: &str, number, review| VersionFacts {
        id: id.to_owned(),
        number: Some(number),
        review,
        ..VersionFacts::default()
    };
    let answer = CommentFacts {
        answers: Some("c1".to_owned()),
        author: "Editor".to_owned(),
        ..comment("c2", "Wie groß soll es sein?", "v1")
    };
    AssetFacts {
        id: "a1".to_owned(),
        title: EVIL.to_owned(),
        kind: "ASSET".to_owned(),
        category: Some("final".to_owned()),
        places: vec![0, 1],
        versions: vec![version("v2", 2, Some(review)), version("v1", 1, None)],
        formats: vec![FormatFacts {
            id: "o".to_owned(),
            name: "ORIGINAL".to_owned(),
            version: "v2".to_owned(),
            archived: false,
            sets: vec![SetFacts {
                id: "s".to_owned(),
                files: vec![file("f1", "HL_60.mov", "CLOSED"), file("f2", "sound.wav", "GROWING")],
                ..SetFacts::default()
            }],
        }],
        comments: vec![
            CommentFacts {
                starts: Some(27_000),
                resolved: true,
                ..comment("c1", "Das Logo ist <b>zu klein</b>.", "v1")
            },
            answer,
            comment("c3", "\u{645}\u{646} \u{202e}\u{641}\u{636}\u{644}\u{643}", "v2"),
            comment("c4", "on a version that is not there", "v0"),
        ],
        shown: vec![ShownFacts {
            title: "Campaign".to_owned(),
            view: "5f0c8f30-7a51-11f0-c001-0242ac120002".to_owned(),
            fields: vec![("Region".to_owned(), vec!["EMEA".to_owned(), "APAC".to_owned()])],
        }],
        ..AssetFacts::default()
    }
}

fn summary() -> Summary {
    let link = AssetFacts {
        id: "a2".to_owned(),
        title: "Creative brief".to_owned(),
        kind: "LINK".to_owned(),
        link: Some("javascript:alert(1)".to_owned()),
        places: vec![0],
        ..AssetFacts::default()
    };
    let recycled = AssetFacts {
        id: "a3".to_owned(),
        title: "Old cut".to_owned(),
        kind: "ASSET".to_owned(),
        state: AssetState::Recycled,
        places: vec![1],
        ..AssetFacts::default()
    };
    let assets = [master(), link, recycled];
    let place = |id: &str, path: &[&str]| Place {
        id: id.to_owned(),
        path: path.iter().map(ToString::to_string).collect(),
    };
    let tree = Tree {
        collections: vec![place("p", &["Harbour Lights"]), place("q", &["Harbour Lights", "Finals"])],
        ..Tree::default()
    };
    let rule = rule();
    let selection = select(&rule, &assets);
    let filed =
        [Filed { file: "f1".to_owned(), node: 9001, version: 1, size: 90_000, sha256: "ab".repeat(32) }];
    let at = "2031-05-06T07:08:09Z".parse().unwrap();
    let building = Building {
        rule: &rule,
        collection: SummaryCollection {
            id: "p".to_owned(),
            title: "Harbour Lights".to_owned(),
            category: Some("campaign".to_owned()),
            external_id: Some("CMP-2031-014".to_owned()),
            created: None,
        },
        closing: Closing {
            number: 1,
            field: "ProductionStatus".to_owned(),
            value: "closed".to_owned(),
            revision: Some("2031-05-06".to_owned()),
            noticed: at,
            packaged: at,
        },
        package: Package { node: 8001, name: "Harbour Lights (CMP-2031-014)".to_owned() },
        shown: &[],
        tree: &tree,
        assets: &assets,
        selection: &selection,
        filed: &filed,
    };
    let record = Document {
        path: "Records/Approvals.json".to_owned(),
        node: 9002,
        node_version: 1,
        size: 10,
        sha256: "cd".repeat(32),
    };
    building.summary(&[record])
}

#[test]
fn the_summary_counts_what_is_there_and_names_what_is_not() {
    let summary = summary();
    let totals = summary.totals;
    assert_eq!((totals.files, totals.bytes, totals.packaged_assets, totals.assets), (1, 90_000, 1, 3));
    assert_eq!((totals.comments, totals.verdicts, totals.collections), (4, 2, 2));
    assert_eq!(totals.left_out, 1);
    assert_eq!(summary.left_out[0].file.as_deref(), Some("sound.wav"));
    let master = &summary.assets[0];
    assert_eq!(master.places, [vec!["Harbour Lights"], vec!["Harbour Lights", "Finals"]]);
    assert_eq!((master.versions[0].packaged, master.versions[1].packaged), (true, false));
    let hashes: Vec<&str> = summary.documents.iter().map(|document| document.sha256.as_str()).collect();
    assert_eq!(hashes, ["ab".repeat(32), "cd".repeat(32)]);
    assert_eq!(summary.approvals().approvals.len(), 1);
    assert_eq!(summary.comments().assets[0].comments.len(), 4);
}

#[test]
fn a_machine_reads_back_exactly_what_was_written() {
    let summary = summary();
    let text = serde_json::to_string(&summary).unwrap();
    assert_eq!(serde_json::from_str::<Summary>(&text).unwrap(), summary);
    // As people wrote it, to the last mark.
    assert_eq!(summary.assets[0].title, EVIL);
    let members = serde_json::to_value(&summary).unwrap();
    let schema: serde_json::Value = serde_json::from_str(&super::schema()).unwrap();
    let known = schema["properties"].as_object().unwrap();
    assert!(members.as_object().unwrap().keys().all(|member| known.contains_key(member)));
}

#[test]
fn nothing_on_the_page_is_markup_from_outside_or_turns_it_round() {
    let page = page(&summary());
    assert!(!page.contains("<script") && !page.contains("<b>zu klein"), "{page}");
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(
        !page.contains("href=\"javascript"),
        "a link that is none of the web's is shown without a way there"
    );
    assert!(
        !page.chars().any(|character| matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
    );
    assert!(page.contains("U+202E"), "what was taken out is said");
    assert!(!page.contains(" onload='x'"));
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn an_address_cannot_break_out_of_its_link() {
    let mut summary = summary();
    summary.assets[1].link = Some("https://ecm.example.com/\u{202e}a\" onmouseover=\"x".to_owned());
    let page = page(&summary);
    assert!(page.contains("href=\"https://ecm.example.com/a&quot; onmouseover=&quot;x\">"), "{page}");
}

#[test]
fn every_link_within_the_page_leads_somewhere() {
    let mut quiet = summary();
    quiet.totals.comments = 0;
    quiet.assets.iter_mut().for_each(|asset| asset.comments.clear());
    for page in [page(&summary()), page(&quiet)] {
        for link in page.split("href=\"#").skip(1) {
            let place = link.split('"').next().unwrap();
            assert!(page.contains(&format!("id=\"{place}\"")), "there is no {place}:\n{page}");
        }
    }
}

#[test]
fn a_person_finds_files_hashes_verdicts_threads_and_what_is_missing() {
    let page = page(&summary());
    for wanted in [
        "HL_60.mov",
        "90.0 KB",
        &"ab".repeat(32),
        "Producer",
        "2 approvals needed",
        "00:00:27.000",
        "dealt with",
        "Wie groß soll es sein?",
        "On v1",
        "On other versions",
        "sound.wav",
        "is still being written",
        "in the recycle bin",
        "Harbour Lights</bdi> / <bdi>Finals",
        "number 1, noticed 2031-05-06 07:08 UTC",
        "One thing was left out",
        "Records/Approvals.json",
    ] {
        assert!(page.contains(wanted), "{wanted} is not on the page:\n{page}");
    }
    let (question, answer) = (page.find("zu klein").unwrap(), page.find("Wie groß").unwrap());
    assert!(question < answer && page[question..answer].contains("class=\"comment answer\""));
}

#[test]
fn every_element_that_is_opened_is_closed() {
    let page = page(&summary());
    for element in [
        "section", "article", "table", "tbody", "tr", "td", "div", "p", "ul", "li", "dl", "bdi", "header",
        "nav",
    ] {
        let opened =
            page.matches(&format!("<{element}>")).count() + page.matches(&format!("<{element} ")).count();
        assert_eq!(opened, page.matches(&format!("</{element}>")).count(), "{element}");
    }
}
