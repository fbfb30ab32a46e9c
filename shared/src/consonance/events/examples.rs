use serde_json::{Value, json};

use super::Kind;

/// An event of each type, for whoever writes a sender.
pub fn examples() -> Vec<Value> {
    let example = |kind: &Kind| {
        json!({
            "type": kind.name(), "timestamp": "2031-05-06T07:08:09Z", "schema_version": 1, "account": "harbour",
            "data": data(*kind),
        })
    };
    Kind::ALL.iter().map(example).collect()
}

/// The data of an event of each type, as a sender would write it.
pub(super) fn data(kind: Kind) -> Value {
    let file = json!({
        "url": "https://files.example.com/1.pdf?sig=hush", "filename": "1.pdf", "media_type": "application/pdf",
        "size": 12, "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    });
    let mut data = match kind {
        Kind::ManuscriptSubmitted | Kind::ManuscriptRevised => {
            json!({"files": [file], "submitted_by": "desk"})
        }
        Kind::ContractCreated | Kind::ContractUpdated | Kind::ContractSigned | Kind::ContractTerminated => {
            json!({
                "contract_id": 31, "contract_name": "Volume rights", "signed_date": "2029-01-31",
                "terminated_date": null, "files": [file],
            })
        }
        Kind::RightsUpdated => json!({"rights": [{
            "right_type": "Translation", "sales_rights_type": "01", "countries": ["DE"], "starts": "2031-01-01",
            "expires": null, "language": "ger",
        }]}),
        Kind::ReviewPackageReady => {
            json!({"package_id": "p", "stage": "second", "decision": null, "files": [file]})
        }
        Kind::ProductionFileApproved => {
            json!({"production_file_id": 701, "variant": "TEXT_PDF", "files": [file]})
        }
        Kind::TitleCreated | Kind::TitleUpdated | Kind::TitleDeleted => json!({"product": {"id": 2001}}),
        Kind::RoyaltyStatementIssued | Kind::PaymentScheduled => json!({
            "payee": "p-7", "period_start": "2030-01-01", "period_end": "2030-12-31", "currency": "GBP",
            "amount": "1234.50", "files": [file],
        }),
        Kind::MilestoneReached => json!({"milestone": "editorial_signoff", "reached_on": "2031-05-06"}),
        Kind::DocumentLinkRequested => json!({"document_kind": "contract", "reason": "audit"}),
    };
    if let Some(members) = data.as_object_mut() {
        members.insert("work_id".to_owned(), json!(1001));
        members.insert("revision".to_owned(), json!("3"));
    }
    data
}
