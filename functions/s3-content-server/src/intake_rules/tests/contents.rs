use super::{content::*, *};

const PDF: &[u8] = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
const PROGRAM: &[u8] = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
const ZIP: &[u8] = b"PK\x03\x04\x14\0\0\0\x08\0";

fn contradicted(name: &str, head: &[u8]) -> bool {
    detect(name, head).contradiction.is_some()
}

#[test]
fn a_file_that_is_what_its_name_says_passes() {
    for (name, head) in [
        ("a.pdf", PDF),
        ("a.PDF", PDF),
        ("mail attachment.pdf", b"\r\n\r\n%PDF-1.4".as_slice()),
        ("a.png", PNG),
        ("a.docx", ZIP),
        ("a.zip", ZIP),
        ("scan.tif", b"II\x2a\0\x08\0\0\0".as_slice()),
        ("large scan.tif", b"II\x2b\0\x08\0\0\0".as_slice()),
        ("a.txt", "Grüße\n".as_bytes()),
        ("a.txt", b"\xff\xfea\0b\0".as_slice()),
        ("a.csv", b"a;b\n1;2\n".as_slice()),
        ("a.json", b"{}".as_slice()),
        ("a.unknown", b"\0\x01\x02".as_slice()),
        ("no extension", PDF),
    ] {
        assert_eq!(detect(name, head).contradiction, None, "{name}");
    }
}

#[test]
fn a_file_that_is_something_else_is_refused() {
    for (name, head) in [
        ("invoice.pdf", PROGRAM),
        ("invoice.pdf", PNG),
        ("invoice.pdf", b"just text".as_slice()),
        ("photo.jpg", PDF),
        ("letter.txt", PDF),
        ("letter.txt", b"a\0b\0\0".as_slice()),
        ("table.csv", ZIP),
        ("holiday", PROGRAM),
        ("page.html", PROGRAM),
    ] {
        assert!(contradicted(name, head), "{name}");
    }
}

#[test]
fn a_rule_says_which_media_types_it_accepts() {
    let rules = rule("limits = { content_types = ['application/pdf', 'image/*'] }");
    let limits = rules.rules()[0].limits();
    let codes = |name: &str, head: &[u8]| -> Vec<&str> {
        check(limits, name, None, head).iter().map(|violation| violation.code).collect()
    };
    assert_eq!(codes("a.pdf", PDF), Vec::<&str>::new());
    assert_eq!(codes("a.png", PNG), Vec::<&str>::new());
    assert_eq!(codes("a.zip", ZIP), ["blocked-content"]);
    assert_eq!(codes("a.pdf", ZIP), ["mislabelled-content", "blocked-content"]);
    assert_eq!(codes("a.txt", b"text"), ["blocked-content"]);
    // What nobody can tell is taken by what it was uploaded as.
    assert!(check(limits, "x", Some("image/x-scan; q=1"), b"\0\x01").is_empty());
    assert!(!check(limits, "x", None, b"\0\x01").is_empty());

    let trusting = rule("limits = { check_content = false }");
    assert!(check(trusting.rules()[0].limits(), "a.pdf", None, PNG).is_empty());
}
