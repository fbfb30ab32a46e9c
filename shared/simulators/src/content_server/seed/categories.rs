//! Category definitions.

use super::super::state::{Attribute, AttributeKind, CategoryDefinition, State, kind};
use super::{
    ARCHIVED, CASE_FILE, CATEGORIES, CLAIM_EVIDENCE, DIGITISED_ITEM, DOCUMENT_APPROVAL, EXTERNAL_CONTENT,
    ONBOARDING_DOCUMENT, PUBLICATION, REVIEW, SUPPLIER_SUBMISSION, put,
};

fn text(id: i64, name: &str, max_length: usize) -> Attribute {
    Attribute::new(id, name, AttributeKind::Text { max_length })
}

fn choice(id: i64, name: &str, values: &[&str]) -> Attribute {
    let values = values.iter().map(|value| (*value).to_owned()).collect();
    Attribute::new(id, name, AttributeKind::Choice { values })
}

fn date(id: i64, name: &str) -> Attribute {
    Attribute::new(id, name, AttributeKind::Date { with_time: false })
}

fn moment(id: i64, name: &str) -> Attribute {
    Attribute::new(id, name, AttributeKind::Date { with_time: true })
}

fn of(id: i64, name: &str, kind: AttributeKind) -> Attribute {
    Attribute::new(id, name, kind)
}

pub(super) fn plant(state: &mut State) {
    put(state, 4001, CATEGORIES, "Business", kind::CATEGORY_FOLDER);
    put(state, 4002, CATEGORIES, "Integration", kind::CATEGORY_FOLDER);
    for (id, folder, name, attributes) in [
        (CLAIM_EVIDENCE, 4001, "Claim Evidence", claim_evidence()),
        (SUPPLIER_SUBMISSION, 4001, "Supplier Submission", supplier_submission()),
        (ONBOARDING_DOCUMENT, 4001, "Onboarding Document", onboarding_document()),
        (DIGITISED_ITEM, 4001, "Digitised Item", digitised_item()),
        (EXTERNAL_CONTENT, 4002, "External Content", external_content()),
        (DOCUMENT_APPROVAL, 4001, "Document Approval", document_approval()),
        (PUBLICATION, 4002, "Publication", publication()),
        (REVIEW, 4002, "Review", review()),
        (CASE_FILE, 4001, "Case File", case_file()),
        (ARCHIVED, 4002, "Archive", archived()),
    ] {
        put(state, id, folder, name, kind::CATEGORY);
        state.categories.insert(id, CategoryDefinition { id, name: name.to_owned(), attributes });
    }
}

fn claim_evidence() -> Vec<Attribute> {
    let party = AttributeKind::Set {
        members: vec![
            text(10, "Name", 128),
            choice(11, "Role", &["Claimant", "Witness", "Expert", "Counterparty"]),
            of(12, "Statement Given", AttributeKind::Boolean),
        ],
        max_rows: 20,
    };
    vec![
        text(2, "Claim Number", 32).required(),
        choice(3, "Evidence Type", &["Photo", "Video", "Report", "Invoice", "Correspondence", "Other"]),
        date(4, "Loss Date"),
        moment(5, "Received At"),
        of(6, "Estimated Amount", AttributeKind::Integer),
        of(7, "Third Party Involved", AttributeKind::Boolean),
        text(8, "Keywords", 64).many(),
        of(9, "Parties", party),
        of(13, "Handler", AttributeKind::User),
        of(14, "Remarks", AttributeKind::TextArea),
    ]
}

fn supplier_submission() -> Vec<Attribute> {
    vec![
        text(2, "Supplier Number", 10).required(),
        choice(3, "Document Type", &["Certificate", "Contract", "Offer", "Declaration", "Questionnaire"]),
        date(4, "Valid Until"),
        text(5, "Reference", 64),
        choice(6, "Country", &["AT", "CH", "DE", "FR", "IT", "NL", "PL", "GB"]),
        of(7, "Confidential", AttributeKind::Boolean),
    ]
}

fn onboarding_document() -> Vec<Attribute> {
    vec![
        text(2, "Candidate Number", 16).required(),
        choice(3, "Document Type", &["Contract", "Identity", "Certificate", "Tax", "Other"]),
        date(4, "Start Date"),
        choice(5, "Status", &["Received", "Checked", "Complete"]),
    ]
}

fn digitised_item() -> Vec<Attribute> {
    vec![
        text(2, "Signature", 64),
        text(3, "Title", 254),
        of(4, "Year", AttributeKind::Integer),
        of(5, "Pages", AttributeKind::Integer),
        choice(6, "Resolution", &["300 dpi", "400 dpi", "600 dpi"]),
        text(7, "Subjects", 64).many(),
        moment(8, "Scanned At"),
    ]
}

fn external_content() -> Vec<Attribute> {
    vec![
        text(2, "Source System", 32),
        of(3, "Source Identifier", AttributeKind::TextArea),
        text(4, "Source Version", 254),
        text(5, "SHA-256", 64),
        moment(6, "Source Modified"),
        moment(7, "Filed At"),
        text(8, "Item Key", 128),
        text(9, "Original Name", 254),
        // What was taken out of Content Server and where it is.
        of(10, "Location", AttributeKind::TextArea),
        text(11, "Object Version", 254),
        of(12, "Document Version", AttributeKind::Integer),
        text(13, "Size", 20),
        text(14, "Storage Class", 32),
        moment(15, "Offloaded At"),
        of(16, "Recall", AttributeKind::Boolean),
    ]
}

fn document_approval() -> Vec<Attribute> {
    vec![
        choice(2, "Status", &["Draft", "In Review", "Approved", "Revoked"]),
        of(3, "Approved Version", AttributeKind::Integer),
        date(4, "Valid Until"),
        text(5, "Package", 64),
        of(6, "Approver", AttributeKind::User),
    ]
}

fn publication() -> Vec<Attribute> {
    vec![
        text(2, "State", 32),
        of(3, "Version", AttributeKind::Integer),
        of(4, "Location", AttributeKind::TextArea),
        text(5, "SHA-256", 64),
        moment(6, "Published At"),
        text(7, "Reason", 64),
        of(8, "Partner Link", AttributeKind::TextArea),
        of(9, "Supplier Link", AttributeKind::TextArea),
    ]
}

fn review() -> Vec<Attribute> {
    vec![
        text(2, "Status", 32),
        of(3, "Version", AttributeKind::Integer),
        moment(4, "Changed At"),
        text(5, "Approved By", 254),
        of(6, "Open Comments", AttributeKind::Integer),
    ]
}

fn case_file() -> Vec<Attribute> {
    vec![choice(2, "Status", &["Open", "Closed"]), date(3, "Closed On"), text(4, "Closed By", 64)]
}

fn archived() -> Vec<Attribute> {
    vec![
        of(2, "Location", AttributeKind::TextArea),
        text(3, "Revision", 32),
        choice(4, "State", &["archived", "retrieving", "available", "damaged"]),
        text(5, "Manifest SHA-256", 64),
        date(6, "Retain Until"),
        of(7, "Legal Hold", AttributeKind::Boolean),
        moment(8, "Archived At"),
        of(9, "Link", AttributeKind::TextArea),
        moment(10, "Available Until"),
    ]
}
