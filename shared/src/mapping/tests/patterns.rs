use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn compile(text: &str, constraints: &[(&str, &str)]) -> Result<KeyPattern, Vec<Diagnostic>> {
    let constraints = constraints
        .iter()
        .map(|(name, text)| ((*name).to_owned(), located(text)))
        .collect::<BTreeMap<_, _>>();
    let mut found = diagnostics();
    KeyPattern::compile(&located(text), &constraints, &mut found).ok_or_else(|| found.list().to_vec())
}

fn pattern(text: &str) -> KeyPattern {
    compile(text, &[]).unwrap()
}

#[test]
fn a_capture_is_one_part_of_the_key_and_a_tail_is_all_that_remains() {
    let claims = pattern("claims/{claim_id}/{name}");
    let captures = claims.matches("claims/AB123456/damage report.pdf").unwrap();
    assert_eq!(captures.get("claim_id"), Some("AB123456"));
    assert_eq!(captures.get("name"), Some("damage report.pdf"));

    let archive = pattern("archive/{box}/{rest...}");
    let captures = archive.matches("archive/7/letters/1911/scan 1.tif").unwrap();
    assert_eq!(captures.get("rest"), Some("letters/1911/scan 1.tif"));

    let folders = pattern("archive/{folders...}/{name}");
    let captures = folders.matches("archive/letters/1911/scan 1.tif").unwrap();
    assert_eq!((captures.get("folders"), captures.get("name")), (Some("letters/1911"), Some("scan 1.tif")));
    assert!(folders.matches("archive/scan.tif").is_err());
    assert!(folders.matches("archive//scan.tif").is_err());

    for key in ["claims/AB123456", "claims/AB123456/", "claims//a.pdf", "claims/a/b/c.pdf", "Claims/a/b", ""]
    {
        assert!(claims.matches(key).is_err(), "{key} must not match");
    }
    for key in ["archive/7", "archive/7/"] {
        assert!(archive.matches(key).is_err(), "{key} must not match");
    }
}

#[test]
fn several_captures_in_one_part_need_something_between_them() {
    let captures = pattern("in/{stem}.{extension}").matches("in/report.final.pdf").unwrap();
    assert_eq!((captures.get("stem"), captures.get("extension")), (Some("report.final"), Some("pdf")));
    let refused = compile("in/{a}{b}", &[]).unwrap_err();
    assert!(refused[0].message.contains("nothing between them"), "{refused:?}");
}

#[test]
fn an_expression_for_a_capture_must_match_the_whole_of_it() {
    let claims = compile("claims/{claim_id}/{name}", &[("claim_id", "[A-Z]{2}[0-9]{6}")]).unwrap();
    assert!(claims.matches("claims/AB123456/a.pdf").is_ok());
    for claim in ["AB1234567", "xAB123456", "ab123456"] {
        let mismatch = claims.matches(&format!("claims/{claim}/a.pdf")).unwrap_err();
        assert_eq!(mismatch.to_string(), "part 2 of the key is not what `{claim_id}` must be");
    }
    let either = compile("{kind}-{name}", &[("kind", "letter|memo")]).unwrap();
    assert!(either.matches("memo-1").is_ok());
    assert!(either.matches("note-1").is_err());
}

#[test]
fn patterns_that_cannot_be_meant_are_refused_with_a_remedy() {
    for (text, remedy) in [
        ("", "such as `inbox/{name}`"),
        ("/inbox/{name}", "remove the leading `/`"),
        ("inbox/*", "`{rest...}` for one part or several"),
        ("inbox/{name", "close it with `}`"),
        ("{a}/{a", "close it with `}`"),
        ("inbox/name}", "write `}}`"),
        ("inbox/{}", "put a name between"),
        ("inbox/{Name}", "use lower-case letters"),
        ("{a}/{a}", "give each capture its own name"),
        ("{a...}/x/{b...}", "keep one"),
        ("a/x-{rest...}", "stand alone"),
    ] {
        let refused = compile(text, &[]).unwrap_err();
        assert_eq!(refused.len(), 1, "{text}: {refused:?}");
        assert!(refused[0].remedy.contains(remedy), "{text}: {refused:?}");
    }
    let refused = compile("{a}", &[("a", "[")]).unwrap_err();
    assert!(refused[0].message.contains("unclosed character class"), "{refused:?}");
    assert!(compile("{a}", &[("a", "x)(y")]).is_err(), "an expression cannot break out of its group");
}

#[test]
fn one_pattern_covers_another_only_when_it_takes_all_its_keys() {
    let covers = |left: &str, right: &str| pattern(left).covers(&pattern(right));
    assert!(covers("{rest...}", "claims/{id}/{name}"));
    assert!(covers("claims/{a}/{b}", "claims/{id}/{name}"));
    assert!(covers("claims/{a}/{b}", "claims/x/{name}"));
    assert!(covers("claims/{rest...}", "claims/{id}/{tail...}"));
    assert!(!covers("claims/{id}/{tail...}", "claims/{rest...}"));
    assert!(!covers("claims/{a}", "claims/{a}/{b}"));
    assert!(!covers("claims/x/{b}", "claims/{a}/{b}"));
    assert!(!covers("a/b/{rest...}", "a/b"));
    assert!(!covers("a/{rest...}", "a/"));
    assert!(covers("a/{rest...}", "a/{folders...}/{name}"));
    assert!(covers("a/{rest...}/{last}", "a/b/c/{name}"));
    assert!(!covers("a/{rest...}/x", "a/{rest...}"));
    let narrow = compile("claims/{id}", &[("id", "[0-9]+")]).unwrap();
    assert!(pattern("claims/{id}").covers(&narrow));
    assert!(!narrow.covers(&pattern("claims/{id}")));
}

/// Patterns and keys that have something to do with each other.
fn parts() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec("[a-c./{} %+é☃-]{0,4}", 1..6)
}

proptest! {
    #[test]
    fn whatever_the_pattern_and_the_key_nothing_panics(pattern in "\\PC{0,40}", key in "\\PC{0,80}") {
        if let Ok(pattern) = compile(&pattern, &[]) {
            let _ = pattern.matches(&key);
        }
    }

    #[test]
    fn captures_give_back_the_key_they_came_from(parts in parts(), captured in proptest::collection::vec(any::<bool>(), 6)) {
        let key = parts.join("/");
        let mut names = 0;
        let pattern_text = parts.iter().zip(captured).map(|(part, captured)| {
            if captured {
                names += 1;
                format!("{{c{names}}}")
            } else {
                part.replace('{', "{{").replace('}', "}}")
            }
        }).collect::<Vec<_>>().join("/");
        if let Ok(pattern) = compile(&pattern_text, &[])
            && let Ok(captures) = pattern.matches(&key)
        {
            prop_assert_eq!(pattern.render(&captures), Some(key.clone()));
            for (name, value) in captures.iter() {
                prop_assert!(!value.is_empty());
                prop_assert!(pattern.is_tail(name) || !value.contains('/'));
            }
        }
    }

    #[test]
    fn a_covered_pattern_never_takes_a_key_the_other_leaves(
        left in "(\\{a\\}|x|y)(/(\\{b\\}|x|y)){0,2}(/\\{t\\.\\.\\.\\}(/x|/\\{d\\})?)?",
        right in "(\\{a\\}|x|y)(/(\\{b\\}|x|y)){0,2}(/\\{t\\.\\.\\.\\}(/x|/\\{d\\})?)?",
        key in "[xyz]?(/[xyz]?){0,4}",
    ) {
        let (Ok(left), Ok(right)) = (compile(&left, &[]), compile(&right, &[])) else { return Ok(()) };
        if left.covers(&right) && right.matches(&key).is_ok() {
            prop_assert!(left.matches(&key).is_ok());
        }
    }
}
