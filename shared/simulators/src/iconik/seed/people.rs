//! Users, applications, tokens.

use crate::iconik::state::{Application, ApplicationKind, State, Token, User};

/// Id of the application that integrations use.
pub const APP_ID: &str = "5f0c8f30-7a51-11f0-a001-0242ac120002";
/// Its token, which acts for the service user.
pub const TOKEN: &str = "simulated-service-token";
/// The token of the administrator.
pub const ADMIN_TOKEN: &str = "simulated-administrator-token";
/// The token of the producer.
pub const PRODUCER_TOKEN: &str = "simulated-producer-token";
/// The token of the editor.
pub const EDITOR_TOKEN: &str = "simulated-editor-token";
/// The token of the reviewer.
pub const REVIEWER_TOKEN: &str = "simulated-reviewer-token";
/// Id of the OAuth application, which acts as the service user.
pub const CLIENT_ID: &str = "5f0c8f30-7a51-11f0-a010-0242ac120002";
/// Its secret.
pub const CLIENT_SECRET: &str = "simulated-client-secret";
/// Password of all users that people are.
pub const PASSWORD: &str = "demo-password";
/// Id of the service user.
pub const SERVICE: &str = "5f0c8f30-7a51-11f0-a002-0242ac120002";
/// Id of the administrator.
pub const ADMIN: &str = "5f0c8f30-7a51-11f0-a003-0242ac120002";
/// Id of the producer.
pub const PRODUCER: &str = "5f0c8f30-7a51-11f0-a004-0242ac120002";
/// Id of the editor.
pub const EDITOR: &str = "5f0c8f30-7a51-11f0-a005-0242ac120002";
/// Id of the reviewer.
pub const REVIEWER: &str = "5f0c8f30-7a51-11f0-a006-0242ac120002";

/// What people and integrations may do: everything but an administrator's work.
const ROLES: &[&str] = &[
    "can_create_assets",
    "can_create_collections",
    "can_create_segments",
    "can_delete_approval_request",
    "can_delete_approval_status",
    "can_delete_assets",
    "can_delete_automations",
    "can_delete_collections",
    "can_delete_custom_actions",
    "can_delete_files",
    "can_delete_jobs",
    "can_delete_object_shares",
    "can_delete_saved_searches",
    "can_delete_segments",
    "can_delete_transcriptions",
    "can_delete_versions",
    "can_delete_webhooks",
    "can_purge_assets",
    "can_purge_collections",
    "can_read_approval_request",
    "can_read_apps",
    "can_read_assets",
    "can_read_assets_history",
    "can_read_automations",
    "can_read_collections",
    "can_read_custom_actions",
    "can_read_files",
    "can_read_formats",
    "can_read_jobs",
    "can_read_metadata_fields",
    "can_read_metadata_values",
    "can_read_metadata_views",
    "can_read_proxies",
    "can_read_relation_types",
    "can_read_relations",
    "can_read_segments",
    "can_read_shares",
    "can_read_storages",
    "can_read_transcriptions",
    "can_read_users",
    "can_read_webhooks",
    "can_run_automations",
    "can_search",
    "can_write_approval_request",
    "can_write_approval_status",
    "can_write_approval_status_in_bulk",
    "can_write_assets",
    "can_write_assets_history",
    "can_write_automations",
    "can_write_collections",
    "can_write_custom_actions",
    "can_write_files",
    "can_write_formats",
    "can_write_jobs",
    "can_write_metadata_fields",
    "can_write_metadata_values",
    "can_write_metadata_views",
    "can_write_proxies",
    "can_write_relation_types",
    "can_write_relations",
    "can_write_saved_searches",
    "can_write_segments",
    "can_write_shares",
    "can_write_storages",
    "can_write_transcriptions",
    "can_write_versions",
    "can_write_webhooks",
];

pub(super) fn add(state: &mut State) {
    let people = [
        (SERVICE, "service@example.com", "Service", "Account", TOKEN),
        (ADMIN, "administrator@example.com", "Tenant", "Administrator", ADMIN_TOKEN),
        (PRODUCER, "producer@example.com", "Campaign", "Producer", PRODUCER_TOKEN),
        (EDITOR, "editor@example.com", "Video", "Editor", EDITOR_TOKEN),
        (REVIEWER, "reviewer@example.com", "Brand", "Reviewer", REVIEWER_TOKEN),
    ];
    for (id, email, first, last, token) in people {
        state.users.push(User {
            id: id.to_owned(),
            email: email.to_owned(),
            name: (first.to_owned(), last.to_owned()),
            is_admin: id == ADMIN,
            roles: ROLES.iter().map(|role| (*role).to_owned()).collect(),
            status: "ACTIVE".to_owned(),
            password: (id != SERVICE).then(|| PASSWORD.to_owned()),
        });
        let token = Token {
            id: state.new_id(),
            app_id: APP_ID.to_owned(),
            token: token.to_owned(),
            user: id.to_owned(),
            made: state.now,
            expires: state.settings.credentials.personal_token_seconds.map(|seconds| state.after(seconds)),
            scope: None,
            refresh: None,
        };
        state.tokens.push(token);
    }
    let application = |id: &str, name: &str, kind: ApplicationKind| Application {
        id: id.to_owned(),
        name: name.to_owned(),
        kind,
        secret: CLIENT_SECRET.to_owned(),
        user: SERVICE.to_owned(),
        redirect_uris: vec!["http://127.0.0.1/callback".to_owned()],
        scopes: vec!["read".to_owned(), "write".to_owned()],
    };
    state.applications = vec![
        application(APP_ID, "Integration", ApplicationKind::Personal),
        application(CLIENT_ID, "Integration (OAuth)", ApplicationKind::Oauth),
    ];
}
