use proptest::prelude::*;
use serde_json::json;

use super::*;

#[test]
fn the_first_rule_that_takes_an_object_wins() {
    let rules = rules(
        "[[rule]]\nname = 'finals'\nbucket = '*-uploads'\nkey = 'in/{name}'\nwhen = [{ field = 'tag.status', is = 'final' }]\ntarget.folder = 'Enterprise:Final'\n\
         [[rule]]\nname = 'drafts'\nkey = 'in/{name}'\ntarget.folder = 'Enterprise:Draft'\n",
    );
    let chosen = |record: &Record| rules.choose(record).map(|(rule, _)| rule.name().to_owned());
    assert_eq!(chosen(&with_tags("in/a.pdf", &[("status", "final")])).as_deref(), Some("finals"));
    assert_eq!(chosen(&with_tags("in/a.pdf", &[("status", "draft")])).as_deref(), Some("drafts"));
    assert_eq!(chosen(&upload("out/a.pdf").record()), None);
    let elsewhere = Upload { bucket: "acme-exports".to_owned(), ..upload("in/a.pdf") };
    assert_eq!(chosen(&elsewhere.record()).as_deref(), Some("drafts"));
}

#[test]
fn only_what_some_rule_reads_is_asked_for() {
    let rules = rules(
        "[[rule]]\nname = 'a'\nkey = 'a/{name}'\nwhen = [{ field = 'tag.x', exists = true }]\ntarget.folder = 'Enterprise:A'\n\
         [[rule]]\nname = 'b'\nkey = 'b/{name}'\nsidecar = 'optional'\ntarget.folder = 'Enterprise:B'\n\
         [[rule]]\nname = 'c'\nkey = 'c/{name}'\ntarget.folder = 'Enterprise:C'\n",
    );
    let needs = |key: &str| rules.needs("bucket", key);
    assert_eq!(needs("a/1"), Needs { any: true, tags: true, sidecar: Sidecar::Ignored });
    assert_eq!(needs("b/1"), Needs { any: true, tags: false, sidecar: Sidecar::Optional });
    assert_eq!(needs("c/1"), Needs { any: true, tags: false, sidecar: Sidecar::Ignored });
    assert_eq!(needs("d/1"), Needs { any: false, tags: false, sidecar: Sidecar::Ignored });
    // An upload that is itself a sidecar is not a document; where no rule reads sidecars it is one like any other.
    assert_eq!(rules.sidecar_of("bucket", "b/1.pdf.metadata.json"), Some("b/1.pdf"));
    assert_eq!(rules.sidecar_of("bucket", "c/1.pdf.metadata.json"), None);
    assert_eq!(rules.sidecar_of("bucket", "b/1.pdf"), None);
}

#[test]
fn sizes_and_sidecars_are_checked_before_anything_is_read() {
    let plain = rule("");
    assert_eq!(codes(&plain, &upload("in/1/a").record()), Vec::<&str>::new());
    assert_eq!(codes(&plain, &Upload { size: 0, ..upload("in/1/a") }.record()), ["empty-object"]);
    let of = |size: u64| Upload { size, ..upload("in/1/a") }.record();
    assert_eq!(codes(&plain, &of(50 << 30)), Vec::<&str>::new(), "50 GiB is the most");
    assert_eq!(codes(&plain, &of((50 << 30) + 1)), ["object-too-large"]);
    let other = rule("limits = { allow_empty = true, max_size = '999 B' }");
    assert_eq!(codes(&other, &Upload { size: 0, ..upload("in/1/a") }.record()), Vec::<&str>::new());
    assert_eq!(codes(&other, &upload("in/1/a").record()), ["object-too-large"]);
    let required = rule("sidecar = 'required'");
    assert_eq!(codes(&required, &upload("in/1/a").record()), ["missing-sidecar"]);
    assert_eq!(codes(&required, &with_sidecar("in/1/a", json!({}))), Vec::<&str>::new());
}

#[test]
fn everything_wrong_with_an_object_is_told_at_once() {
    let rules = rule(
        "sidecar = 'optional'\ndocument = { name = '{sidecar.title}' }\ntarget.create = true\n\
         [[rule.category]]\npath = 'Paper'\nfields = [{ to = 'Year', from = 'tag.year', as = 'integer' }, { to = 'Kind', from = 'tag.kind', required = true }]\n",
    );
    let record = Upload { size: 0, ..upload("in/1/a") };
    let mut record = record;
    record.tags.insert("year".to_owned(), "MCM".to_owned());
    assert_eq!(
        codes(&rules, &record.record()),
        ["empty-object", "missing-value", "not-an-integer", "missing-value"]
    );
}

#[test]
fn an_object_cannot_choose_a_folder_outside_its_target() {
    let rules =
        rules("[[rule]]\nname = 'one'\nkey = 'in/{id}/{name}'\ntarget.folder = 'Enterprise:In/{capture.id}'");
    assert_eq!(codes(&rules, &upload("in/../a").record()), ["unsafe-path"]);
    assert_eq!(codes(&rules, &upload("in/ /a").record()), ["missing-value"]);
    assert_eq!(codes(&rules, &upload("in/x/a").record()), Vec::<&str>::new());
}

#[test]
fn a_plan_is_made_only_for_an_object_the_rule_takes() {
    let rules = rule("");
    let refused = rules.rules()[0].plan(&upload("elsewhere/a").record()).unwrap_err();
    assert_eq!(refused.iter().next().map(|violation| violation.code), Some("not-for-this-rule"));
}

#[test]
fn a_review_starts_only_when_its_conditions_hold() {
    let rules = rule("review = { workflow = 'Check', when = [{ field = 'object.extension', is = 'pdf' }] }");
    let review = |key: &str| rules.rules()[0].plan(&upload(key).record()).unwrap().review;
    assert_eq!(review("in/1/a.PDF").map(|review| review.title), Some("a.PDF".to_owned()));
    assert_eq!(review("in/1/a.txt"), None);
}

#[test]
fn the_page_about_rules_shows_a_rule_that_works() {
    let page = include_str!("../../../RULES.md");
    let example = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let rules = rules(example);
    let tags = [("status", "final"), ("loss-date", "03.05.2026")];
    let record = with_tags("claims/100117/front door.jpg", &tags);
    let told = explain(&rules, &record, &NameRules::default()).to_string();
    for promised in
        ["CLAIMS CLAIM 100117, folder Evidence", "100117", "Photo", "2026-05-03", "nothing is wrong"]
    {
        assert!(told.contains(promised), "{promised}:\n{told}");
    }
    assert!(rules.choose(&with_tags("claims/17/x.jpg", &tags)).is_none());
}

#[test]
fn names_of_objects_are_taken_apart_as_people_expect() {
    let part = |key: &str, path: &str| upload(key).record().get(path).cloned();
    assert_eq!(part("a/b/Report.Final.PDF", "object.stem"), Some(json!("Report.Final")));
    assert_eq!(part("a/b/Report.Final.PDF", "object.extension"), Some(json!("pdf")));
    assert_eq!(part(".profile", "object.extension"), None);
    assert_eq!(part(".profile", "object.stem"), Some(json!(".profile")));
    assert_eq!(part("plain", "object.name"), Some(json!("plain")));
}

proptest! {
    #[test]
    fn no_key_makes_the_sample_rules_panic_or_leave_their_target(
        key in "(claims|suppliers|onboarding|archive)/(\\PC{0,12}|[./]{0,3}|[0-9]{6}|[0-9]{10})(/\\PC{0,8}|/\\.\\.|/contract-x){0,3}",
    ) {
        static SAMPLE_RULES: std::sync::LazyLock<IntakeRules> = std::sync::LazyLock::new(|| rules(SAMPLE));
        let rules = &*SAMPLE_RULES;
        let mut upload = upload(&key);
        upload.sidecar = Some(json!({ "signature": "A 1", "title": "T", "document_type": "offer" }));
        let record = upload.record();
        let _ = explain(rules, &record, &NameRules::default()).to_string();
        let Some((rule, _)) = rules.choose(&record) else { return Ok(()) };
        if let Ok(plan) = rule.plan(&record)
            && let Target::Folder { path, .. } = plan.target
        {
            prop_assert_eq!(path.names.first().map(String::as_str), Some("Digitised Archive"));
            for name in &path.names {
                prop_assert!(!name.contains('/') && name.trim() != ".." && !name.trim().is_empty());
            }
        }
    }

    #[test]
    fn whatever_the_rule_file_it_is_read_or_refused_with_places(text in "\\PC{0,200}") {
        if let Err(found) = IntakeRules::parse(&text, "rules.toml") {
            prop_assert!(!found.is_empty());
            for diagnostic in found.list() {
                prop_assert!(diagnostic.line >= 1 && !diagnostic.remedy.is_empty());
            }
        }
    }
}

/// S3 sends what is not ASCII as encoded words.
#[test]
fn metadata_in_encoded_words_is_read_as_it_was_meant() {
    for (sent, meant) in [
        ("=?UTF-8?Q?Z=C3=BCrich_West?=", "Zürich West"),
        ("=?UTF-8?B?5p2x5Lqs?=", "東京"),
        ("=?utf-8?q?Stra=C3=9Fe?= 7", "Straße 7"),
        ("=?UTF-8?B?5p2x?= =?UTF-8?B?5Lqs?=", "東京"),
        ("plain = text?", "plain = text?"),
        ("what =? is this ?=", "what =? is this ?="),
        ("=?UTF-8?X?nonsense?=", "=?UTF-8?X?nonsense?="),
    ] {
        let user = [("Place".to_owned(), sent.to_owned())].into();
        let record = Upload { user, ..upload("in/1/a") }.record();
        assert_eq!(record.get("user.place").and_then(|value| value.as_str()), Some(meant), "{sent}");
    }
}
