//! What a person sees who made a mistake. One snapshot per kind of mistake: the line, what is wrong, the remedy.

use super::*;

fn told(text: &str) -> String {
    match IntakeRules::parse(text, "rules.toml") {
        Ok(_) => panic!("the file was accepted:\n{text}"),
        Err(found) => format!("{text}\n--- is told\n{found}\n"),
    }
}

/// A whole file around the lines at fault.
fn told_of_rule(lines: &str) -> String {
    told(&format!(
        "[[rule]]\nname = \"claims\"\nkey = \"claims/{{claim_id}}/{{name}}\"\ntarget.folder = \"Enterprise:Claims\"\n{lines}\n"
    ))
}

#[test]
fn the_file_is_not_toml() {
    insta::assert_snapshot!(told("[[rule]\nname = \"a\"\nkey = inbox\n"));
}

#[test]
fn words_that_do_not_exist() {
    insta::assert_snapshot!(told_of_rule(
        "existing = \"skip\"\n[[rules]]\nname = 1\n[permission_template.x]\n"
    ));
}

#[test]
fn misspelt_keys_in_several_rules_are_all_told() {
    insta::assert_snapshot!(told(
        "[[rule]]\nname = \"a\"\nkey = \"a/{x}\"\ntarget.folder = \"Enterprise:A\"\nsidcar = \"optional\"\n\n\
         [[rule]]\nname = \"b\"\nkey = \"b/{x}\"\ntarget.folder = 7\n\n\
         [[rule]]\nname = \"c\"\nkey = \"c/{x}\"\n"
    ));
}

#[test]
fn patterns_and_captures() {
    insta::assert_snapshot!(told(
        "[[rule]]\nname = \"a\"\nkey = \"a/*\"\ntarget.folder = \"Enterprise:A\"\n\n\
         [[rule]]\nname = \"b\"\nkey = \"b/{claim_id}\"\ncaptures.clam_id = \"[0-9]+\"\ntarget.folder = \"Enterprise:B/{capture.claimid}\"\n\n\
         [[rule]]\nname = \"c\"\nkey = \"c/{n}\"\ncaptures.n = \"[0-9\"\ntarget.folder = \"Enterprise:C\"\n"
    ));
}

#[test]
fn conditions() {
    insta::assert_snapshot!(told_of_rule(
        "when = [\n  { field = \"tags.status\", is = \"final\" },\n  { field = \"tag.status\" },\n  { field = \"tag.status\", is = \"a\", matches = \"b\" },\n  { field = \"tag.status\", matches = \"(\" },\n  { field = \"user.Source\", one_of = [] },\n]"
    ));
}

#[test]
fn fields_that_cannot_be_meant() {
    insta::assert_snapshot!(told_of_rule(
        r#"[[rule.category]]
path = "Claim"
fields = [
  { to = "A" },
  { to = "B", from = "tag.b", value = "b" },
  { to = "C", from = "tag.c", lookup = "langauges" },
  { to = "C", from = "sidecar.c" },
  { to = "D", from = "tag.d", as = "date", format = "day/month" },
  { to = "E", from = "tag.e", max_length = 5, as = "integer", max = "many" },
  { to = "F", from = "tag.f", decimal_mark = "," },
  { to = "G", from = "tag.g", as = "decimal", decimal_mark = ",", group_mark = "," },
  { to = "H", from = "tag.h", as = "date-time", time_zone = "Europe/Londn" },
  { to = "I", from = "object.sise" },
  { to = "J", value = "{tag.j" },
]
[lookups.languages]
en = "English""#
    ));
}

#[test]
fn targets_permissions_and_aftercare() {
    insta::assert_snapshot!(told(
        r#"[[rule]]
name = "a"
key = "a/{x}"
target = { folder = "Claims/{capture.x}" }

[[rule]]
name = "b"
key = "b/{x}"
target = { folder = "Enterprise:B", workspace = { type = "Claim" } }
permissions = "claim"

[[rule]]
name = "c"
key = "c/{x}"
target.workspace = { type = "Claim", location = "Enterprise:C" }

[[rule]]
name = "d"
key = "d/{x}"
target.folder = "Enterprise:D/../E"
after = { move = "done" }

[[rule]]
name = "e"
key = "e/{x}"
target.folder = "Enterprise:E"
after = "delete"
limits = { verify = "size", content_types = ["pdf"] }

[permission_templates.claims]
assigned = [
  { group = "Claims", rights = [] },
  { group = "Claims", user = "anna", rights = ["see"] },
]
[permission_templates.other]
public = ["read"]
"#
    ));
}

#[test]
fn rules_that_stand_in_each_others_way() {
    insta::assert_snapshot!(told(
        r#"[[rule]]
name = "all-claims"
key = "claims/{rest...}"
target.folder = "Enterprise:Claims"

[[rule]]
name = "final-claims"
key = "claims/{claim}/{name}"
when = [{ field = "tag.status", is = "final" }]
target.folder = "Enterprise:Final"

[[rule]]
name = "all-claims"
key = "inbox/{name}"
target.folder = "Enterprise:Inbox"
after = { move = "claims/" }
"#
    ));
}

#[test]
fn a_file_without_rules_and_sizes_without_units() {
    insta::assert_snapshot!(told("[lookups.a]\nb = \"c\"\n"));
    insta::assert_snapshot!(told_of_rule("limits = { max_size = \"50\" }"));
}

#[test]
fn a_broken_file_keeps_the_function_from_starting() {
    let error = shared::error::Error::from(IntakeRules::parse("x = 1", "rules.toml").unwrap_err());
    assert_eq!(error.code(), "broken-rule-file");
    assert!(error.message().starts_with("rules.toml:1:1: unknown key `x`"), "{error}");
}
