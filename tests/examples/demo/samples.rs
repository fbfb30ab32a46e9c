//! What is uploaded, and what must become of it under the packaged rules.

use serde_json::{Value, json};

use super::contents::{jpeg, pdf, png, program, tiff};

/// The key of the file during whose delivery the function is killed.
pub(crate) const VIDEO: &str = "claims/100245/Walk through the warehouse.mp4";
/// Size of the video in bytes.
pub(crate) const VIDEO_SIZE: u64 = 300 << 20;
/// The item whose audit is shown: two uploads, so two versions.
pub(crate) const CONTRACT: &str = "suppliers/0000200451/Frame contract 2027.pdf";

/// One file to upload.
pub(crate) struct Sample {
    pub(crate) key: String,
    pub(crate) content: Content,
    pub(crate) sidecar: Option<String>,
    pub(crate) tags: &'static str,
    pub(crate) expected: Expected,
    /// Second ones go up when the first of their key has ended.
    pub(crate) second: bool,
}

pub(crate) enum Content {
    Bytes(Vec<u8>),
    Video,
}

/// How it must end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    /// Delivered by this rule as this version.
    Delivered(&'static str, i64),
    /// Looked at and left, for this reason.
    Skipped(&'static str),
    /// Put aside, for this reason.
    Quarantined(&'static str),
}

fn file(key: impl Into<String>, content: Vec<u8>, expected: Expected) -> Sample {
    let content = Content::Bytes(content);
    Sample { key: key.into(), content, sidecar: None, tags: "", expected, second: false }
}

impl Sample {
    fn with(self, sidecar: &Value) -> Self {
        self.beside(&serde_json::to_string_pretty(sidecar).unwrap())
    }

    fn beside(mut self, sidecar: &str) -> Self {
        self.sidecar = Some(sidecar.to_owned());
        self
    }

    fn tagged(mut self, tags: &'static str) -> Self {
        self.tags = tags;
        self
    }

    fn again(mut self) -> Self {
        self.second = true;
        self
    }
}

/// All of them, in the order of their upload.
pub(crate) fn all() -> Vec<Sample> {
    let video = Expected::Delivered(CLAIMS, 1);
    let mut all = vec![Sample {
        key: VIDEO.into(),
        content: Content::Video,
        sidecar: None,
        tags: "",
        expected: video,
        second: false,
    }];
    all.extend(claims());
    all.extend(suppliers());
    all.extend(onboarding());
    all.extend(archive());
    all.extend(bad());
    all
}

const CLAIMS: &str = "claims-evidence";
const SUBMISSIONS: &str = "supplier-submissions";
const CONTRACTS: &str = "supplier-contracts";
const ONBOARDING: &str = "onboarding-documents";
const ARCHIVE: &str = "digitised-archive";

fn claims() -> Vec<Sample> {
    let new = Expected::Delivered(CLAIMS, 1);
    let report = pdf(&["Expert report", "Water in the cellar, second report"], 180_000);
    // As long as a key may be; the document's name becomes shorter and stays unique.
    let long = "and the insurer's answer to the expert's answer ".repeat(19);
    vec![
        file("claims/100117/Expert report (final) 2.pdf", report.clone(), new).with(&json!({
            "evidence_type": "Report", "loss_date": "03.05.2026", "estimated_amount": "12.500",
            "third_party": true, "keywords": ["water", "cellar"], "handler": "claims.handler",
            "parties": [
                {"name": "Northern Glazing", "role": "Expert", "statement": "yes"},
                {"name": "Tenant, second floor", "role": "witness"},
            ],
        })),
        file("claims/100117/cellar + stairs, 100% wet.jpg", jpeg(840_000, 1), new)
            .tagged("loss-date=2026-05-03"),
        file("claims/100117/Gutachten Müßig & Söhne.pdf", pdf(&["Gutachten"], 60_000), new),
        file("claims/100118/hail dent 1:20.png", png(640, 480), new),
        file("claims/100118/事故現場の写真 01.jpg", jpeg(512_000, 2), new),
        file(format!("claims/100118/Letter {}.pdf", long.trim()), pdf(&["Letter"], 9_000), new),
        // No workspace yet: it is made.
        file("claims/100301/first notice.pdf", pdf(&["First notice of loss"], 20_000), new)
            .tagged("evidence-type=letter"),
        file("claims/100301/kitchen ceiling.jpeg", jpeg(700_000, 3), new).tagged("review=urgent"),
        // The same bytes under the same key once more.
        file("claims/100117/Expert report (final) 2.pdf", report, Expected::Skipped("document.same")).again(),
    ]
}

fn suppliers() -> Vec<Sample> {
    let contract = json!({
        "document_type": "contract", "valid_until": "2028-12-31", "reference": "FRM-20451", "country": "de",
    });
    let certificate = json!({
        "document_type": "Certificate", "valid_until": "2027-06-30", "reference": "ISO 9001", "country": "DE",
    });
    let first = pdf(&["Frame contract", "Draft for signature"], 240_000);
    let signed = pdf(&["Frame contract", "Signed", "Page added: delivery times"], 255_000);
    vec![
        file(CONTRACT, first, Expected::Delivered(CONTRACTS, 1)).with(&contract),
        file(
            "suppliers/0000200777/ISO 9001.pdf",
            pdf(&["Certificate"], 90_000),
            Expected::Delivered(SUBMISSIONS, 1),
        )
        .with(&certificate),
        file(CONTRACT, signed, Expected::Delivered(CONTRACTS, 2)).with(&contract).again(),
    ]
}

fn onboarding() -> Vec<Sample> {
    let new = Expected::Delivered(ONBOARDING, 1);
    vec![
        file("onboarding/300881/contract-signed.pdf", pdf(&["Contract of employment"], 110_000), new)
            .tagged("start-date=2027-01-01"),
        file("onboarding/300882/identity-passport.png", png(800, 560), new),
        file("onboarding/300990/tax-declaration 2026.pdf", pdf(&["Tax declaration"], 33_000), new),
    ]
}

fn archive() -> Vec<Sample> {
    let new = Expected::Delivered(ARCHIVE, 1);
    let register = |page: u32| {
        json!({
            "signature": format!("REG 1887/14/{page}"), "title": format!("Register of 1887, volume 14, page {page}"),
            "year": 1887, "pages": 212, "resolution": "400", "subjects": "registers; parishes; north district",
            "scanned_at": "17.11.2026 09:42",
        })
    };
    vec![
        file("archive/Registers/1887/page 001.tif", tiff(1240, 1754, 11), new).with(&register(1)),
        file("archive/Registers/1887/page 002.tif", tiff(1240, 1754, 12), new).with(&register(2)),
        file("archive/Maps and Plans/Straße am Fluß – Blatt 7.tif", tiff(2480, 1754, 13), new)
            .with(&json!({"signature": "MAP 7", "title": "Straße am Fluß, Blatt 7", "year": 1904, "resolution": "600"})),
        file("archive/Photographs/1911/harbour.jpg", jpeg(1_900_000, 14), new)
            .with(&json!({"signature": "PHO 1911/3", "title": "The harbour in winter", "year": 1911})),
    ]
}

fn bad() -> Vec<Sample> {
    use Expected::Quarantined;
    let page = || pdf(&["A page"], 4_000);
    vec![
        file("claims/100117/nothing in it.pdf", Vec::new(), Quarantined("empty-object")),
        file("claims/100118/invoice.pdf", program(), Quarantined("mislabelled-content")),
        file("claims/100118/everything.zip", b"PK\x03\x04 and so on".to_vec(), Quarantined("blocked-content")),
        file("scans/2026/no idea where this goes.pdf", page(), Quarantined("rule.none")),
        file("suppliers/0000200777/offer.pdf", page(), Quarantined("missing-value"))
            .with(&json!({"reference": "2026-17", "country": "DE"})),
        file("archive/Registers/1888/page 001.tif", tiff(400, 300, 15), Quarantined("missing-value")).with(&json!({
            "signature": "register", "year": "MDCCCLXXXVIII", "resolution": "72", "scanned_at": "yesterday",
        })),
        file("archive/Registers/1888/page 002.tif", tiff(400, 300, 16), Quarantined("sidecar.unreadable"))
            .beside("{\"signature\": \"REG 1888/2\", "),
    ]
}

/// A key at most this many characters long, its middle left out when it is longer.
pub(crate) fn shortened(key: &str, longest: usize) -> String {
    let characters: Vec<char> = key.chars().collect();
    if characters.len() <= longest {
        return key.to_owned();
    }
    let head = longest * 2 / 3;
    let tail = longest - head - 1;
    let (head, tail): (String, String) =
        (characters[..head].iter().collect(), characters[characters.len() - tail..].iter().collect());
    format!("{head}…{tail}")
}
