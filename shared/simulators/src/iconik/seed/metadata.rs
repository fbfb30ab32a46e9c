//! Fields, views, categories and values of the production.

use serde_json::{Value, json};

use super::EDITOR;
use crate::iconik::state::media::map;
use crate::iconik::state::{Outcome, State};

/// What campaigns describe their assets with.
pub const CAMPAIGN_VIEW: &str = "5f0c8f30-7a51-11f0-c001-0242ac120002";
/// What the newsroom describes its assets with.
pub const NEWS_VIEW: &str = "5f0c8f30-7a51-11f0-c002-0242ac120002";
/// What regulated healthcare content is described with.
pub const HEALTHCARE_VIEW: &str = "5f0c8f30-7a51-11f0-c003-0242ac120002";
/// Who may use an asset where, and until when.
pub const RIGHTS_VIEW: &str = "5f0c8f30-7a51-11f0-c004-0242ac120002";
/// What Content Server says of an asset. Nothing in it is required.
pub const GOVERNANCE_VIEW: &str = "5f0c8f30-7a51-11f0-c005-0242ac120002";

/// Name, label and type of a field, and its options.
type Field = (&'static str, &'static str, &'static str, &'static [&'static str]);

const FIELDS: &[Field] = &[
    ("Project", "Project", "string", &[]),
    ("Campaign", "Campaign", "string", &[]),
    ("Owner", "Owner", "email", &[]),
    ("Region", "Region", "drop_down", &["worldwide", "EMEA", "AMER", "APAC"]),
    ("Language", "Language", "drop_down", &["en", "de", "fr", "nb", "ja"]),
    ("RightsStatus", "Rights status", "drop_down", &["pending", "cleared", "restricted", "expired"]),
    ("ExpiryDate", "Expires on", "date", &[]),
    (
        "ApprovalState",
        "Approval state",
        "drop_down",
        &["draft", "in_review", "approved", "rejected", "withdrawn"],
    ),
    ("LaunchDate", "Launch date", "date", &[]),
    ("Keywords", "Keywords", "tag_cloud", &[]),
    ("Slug", "Slug", "string_exact", &[]),
    ("Desk", "Desk", "drop_down", &["domestic", "foreign", "sports", "culture"]),
    ("Reporter", "Reporter", "email", &[]),
    ("Embargo", "Embargo until", "datetime", &[]),
    ("NewsPriority", "Priority", "integer", &[]),
    ("Synopsis", "Synopsis", "text", &[]),
    ("Product", "Product", "string", &[]),
    ("Audience", "Audience", "drop_down", &["patients", "professionals"]),
    ("MedicalReviewer", "Medical reviewer", "email", &[]),
    ("ReviewDue", "Review due", "date", &[]),
    ("ReferenceNumber", "Reference number", "string_exact", &[]),
    ("SafetyInformation", "Contains safety information", "boolean", &[]),
    ("RightsHolder", "Rights holder", "string", &[]),
    ("RightsStatement", "Rights statement", "text", &[]),
    ("Territories", "Territories", "tag_cloud", &[]),
    ("LicenceNumber", "Licence number", "string_exact", &[]),
    ("ReleaseExpiry", "Release expires on", "date", &[]),
    ("RoyaltyShare", "Royalty share in percent", "float", &[]),
    ("ContentServerNode", "Content Server node", "integer", &[]),
    ("ContentServerLink", "Content Server link", "url", &[]),
    (
        "ContentServerState",
        "Content Server state",
        "drop_down",
        &[
            "not_filed",
            "filed",
            "in_signoff",
            "signed_off",
            "rejected",
            "under_hold",
            "archived",
            "destroyed",
        ],
    ),
    ("SignoffStep", "Sign-off step", "string", &[]),
    ("SignoffDecision", "Sign-off decision", "drop_down", &["approved", "rejected", "withdrawn"]),
    ("SignoffDecidedBy", "Sign-off decided by", "string", &[]),
    ("RetentionUntil", "Retained until", "date", &[]),
    ("LegalHold", "Legal hold", "boolean", &[]),
    ("AssetStatus", "Asset status", "drop_down", &["active", "obsolete", "superseded", "expired"]),
    ("DispositionOutcome", "Disposition outcome", "drop_down", &["retain", "archive", "destroy"]),
    ("UsageBlocked", "Usage blocked", "boolean", &[]),
    ("UsageNotice", "Usage notice", "string", &[]),
    ("IngestedFrom", "Ingested from", "string", &[]),
    ("DocumentState", "State of the document", "string", &[]),
    ("DocumentDecidedBy", "Decided by", "string", &[]),
];

const MULTI: &[&str] = &["Region", "Language", "Keywords", "Territories"];

/// Id, name and fields of a view; a field with a star is required, one with a bang is read only.
const VIEWS: &[(&str, &str, &[&str])] = &[
    (
        CAMPAIGN_VIEW,
        "Campaign",
        &[
            "Project*",
            "Campaign",
            "Owner",
            "Region",
            "Language",
            "__separator__",
            "RightsStatus",
            "ExpiryDate",
            "ApprovalState",
            "LaunchDate",
            "Keywords",
            "IngestedFrom!",
        ],
    ),
    (
        NEWS_VIEW,
        "News",
        &[
            "Slug*",
            "Desk",
            "Reporter",
            "Embargo",
            "NewsPriority",
            "Synopsis",
            "Region",
            "Language",
            "RightsStatus",
            "ExpiryDate",
            "ApprovalState",
        ],
    ),
    (
        HEALTHCARE_VIEW,
        "Regulated healthcare",
        &[
            "Product*",
            "Audience*",
            "Owner",
            "MedicalReviewer",
            "ReviewDue",
            "ReferenceNumber",
            "SafetyInformation",
            "Region",
            "Language",
            "ApprovalState",
            "ExpiryDate",
        ],
    ),
    (
        RIGHTS_VIEW,
        "Rights",
        &[
            "RightsHolder",
            "RightsStatement",
            "RightsStatus",
            "Territories",
            "LicenceNumber",
            "ReleaseExpiry",
            "RoyaltyShare",
            "UsageBlocked",
            "UsageNotice",
        ],
    ),
    (
        GOVERNANCE_VIEW,
        "Content Server",
        &[
            "ContentServerNode",
            "ContentServerLink",
            "ContentServerState",
            "SignoffStep",
            "SignoffDecision",
            "SignoffDecidedBy",
            "RetentionUntil",
            "LegalHold",
            "AssetStatus",
            "DispositionOutcome",
            "DocumentState",
            "DocumentDecidedBy",
        ],
    ),
];

pub(super) fn add(state: &mut State) -> Outcome<()> {
    for (name, label, kind, options) in FIELDS {
        let options: Vec<Value> =
            options.iter().map(|option| json!({"label": option, "value": option})).collect();
        let mut field = map(json!({
            "name": name, "label": label, "field_type": kind, "options": options, "multi": MULTI.contains(name),
            "use_as_facet": !options.is_empty(), "is_block_field": *name == "UsageBlocked",
            "is_warning_field": *name == "UsageNotice",
        }));
        if *name == "NewsPriority" {
            field.extend(map(json!({"min_value": 1, "max_value": 5})));
        }
        if *name == "RoyaltyShare" {
            field.extend(map(json!({"min_value": 0, "max_value": 100})));
        }
        state.create_field(field)?;
    }
    for (id, name, fields) in VIEWS {
        let fields: Vec<Value> = fields
            .iter()
            .map(|field| {
                let name = field.trim_end_matches(['*', '!']);
                json!({"name": name, "label": null, "required": field.ends_with('*'), "read_only": field.ends_with('!')})
            })
            .collect();
        state.create_view(map(json!({"id": id, "name": name, "view_fields": fields})))?;
    }
    for (kind, name, label, view) in [
        ("assets", "campaign", "Campaign", CAMPAIGN_VIEW),
        ("assets", "final", "Final", CAMPAIGN_VIEW),
        ("assets", "news", "News", NEWS_VIEW),
        ("assets", "healthcare", "Healthcare", HEALTHCARE_VIEW),
        ("collections", "campaign", "Campaign", CAMPAIGN_VIEW),
    ] {
        let ids = [view, RIGHTS_VIEW, GOVERNANCE_VIEW];
        state.put_category(kind, map(json!({"name": name, "label": label, "view_ids": ids})), true)?;
    }
    Ok(())
}

/// Writes values as the editor.
fn write(state: &mut State, kind: &str, title: &str, view: &str, values: &Value) -> Outcome<()> {
    let Some(id) = super::media::titled(state, title) else { return Ok(()) };
    let entries = map(values.clone()).into_iter().map(|(name, value)| {
        let list = value.as_array().cloned().unwrap_or_else(|| vec![value]);
        let list: Vec<Value> = list.into_iter().map(|value| json!({"value": value})).collect();
        (name, json!({"field_values": list}))
    });
    state.write_values(EDITOR, (kind, &id), view, &entries.collect(), false).map(drop)
}

/// The values of the seeded assets. Some have none, as it is with new ones.
pub(super) fn describe(state: &mut State) -> Outcome<()> {
    // They are as old as the assets.
    let moves = std::mem::replace(&mut state.settings.metadata_rules.moves_date_modified, false);
    let done = describe_all(state);
    state.settings.metadata_rules.moves_date_modified = moves;
    done
}

fn describe_all(state: &mut State) -> Outcome<()> {
    let campaign = json!({
        "Project": "CMP-2031-014", "Campaign": "Harbour Lights", "Owner": "producer@example.com",
        "Region": ["EMEA", "APAC"], "Language": ["en", "de"], "RightsStatus": "cleared", "ExpiryDate": "2033-06-30",
        "ApprovalState": "approved", "LaunchDate": "2031-06-01", "Keywords": ["harbour", "ferry"],
    });
    write(state, "assets", super::media::MASTER, CAMPAIGN_VIEW, &campaign)?;
    let short = json!({
        "Project": "CMP-2031-014", "Campaign": "Harbour Lights", "Owner": "producer@example.com", "Region": "EMEA",
        "Language": "en", "RightsStatus": "pending", "ApprovalState": "in_review",
    });
    write(state, "assets", super::media::SHORT, CAMPAIGN_VIEW, &short)?;
    let rights = json!({
        "RightsHolder": "Harbour Lights Production", "RightsStatement": "All rights reserved. Music licensed for two years.",
        "RightsStatus": "cleared", "Territories": ["DE", "NO", "JP"], "LicenceNumber": "LIC-0042",
        "ReleaseExpiry": "2033-05-31", "RoyaltyShare": 2.5,
    });
    write(state, "assets", super::media::MASTER, RIGHTS_VIEW, &rights)?;
    let news = json!({
        "Slug": "FERRY-TERMINAL", "Desk": "domestic", "Reporter": "reporter@example.com",
        "Embargo": "2031-05-06T16:00:00+00:00", "NewsPriority": 2, "Synopsis": "The new terminal opens a year late.",
        "Region": "EMEA", "Language": "nb", "RightsStatus": "restricted", "ApprovalState": "draft",
    });
    write(state, "assets", super::media::NEWS, NEWS_VIEW, &news)?;
    let healthcare = json!({
        "Product": "Inhaler", "Audience": "patients", "Owner": "producer@example.com",
        "MedicalReviewer": "reviewer@example.com", "ReviewDue": "2031-11-30", "ReferenceNumber": "HC-204",
        "SafetyInformation": true, "Region": "EMEA", "Language": ["en", "fr"], "ApprovalState": "in_review",
    });
    write(state, "assets", super::media::HEALTHCARE, HEALTHCARE_VIEW, &healthcare)
}
