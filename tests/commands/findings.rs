//! What the preflight finds, thing by thing, over a simulator in this process.

use s3_content_server::{
    intake_rules::{IntakeRules, SAMPLE},
    preflight::{self, Preflight, Status},
};
use shared::{
    content_server::{Client, Credential, Settings},
    context::Context,
    http::Pace,
};
use simulators::{
    Clock,
    content_server::{
        Settings as ServerSettings, Simulator, State, seed,
        settings::{LargeUpload, Modules},
    },
};
use tests::in_process;

const BEGINNING: &str = "2031-05-06T07:08:09Z";

async fn looked(server: &Simulator, rules: &str) -> Preflight {
    let settings =
        Settings { base_url: "http://content-server.test/cs/cs".to_owned(), ..Settings::default() };
    let (username, password) = (seed::SERVICE_USER.to_owned(), seed::PASSWORD.to_owned());
    let client = Client::new(
        settings,
        Credential::Password { username, password, domain: None },
        in_process::transport(server.router()),
        Context::simulated(BEGINNING.parse().unwrap(), 7),
        Pace::per_second(10_000.0),
    );
    let rules = IntakeRules::parse(rules, "rules.toml").unwrap_or_else(|found| panic!("{found}"));
    preflight::check(&client, &rules).await.unwrap()
}

fn server(settings: ServerSettings) -> Simulator {
    Simulator::new(settings, Clock::fixed(BEGINNING.parse().unwrap()))
}

/// A rule with a target, and more lines.
fn rule(target: &str, more: &str) -> String {
    let limits = if more.contains("limits") { "" } else { "limits.max_size = '1 GiB'" };
    format!(
        "[[rule]]\nname = 'one'\nkey = 'in/{{id}}/{{name}}'\nsidecar = 'optional'\n{limits}\n{more}\n\
         [rule.target]\n{target}\n"
    )
}

const INCOMING: &str = "folder = 'Enterprise:Claims/Incoming'";

/// A rule with a category of one field beside those it needs.
fn category(field: &str) -> String {
    let needed = "{ to = 'Claim Number', from = 'capture.id', max_length = 32, required = true }";
    rule(
        INCOMING,
        &format!("category = [{{ path = 'Business/Claim Evidence', fields = [{needed}, {field}] }}]"),
    )
}

fn holds(report: &Preflight, status: Status, about: &str, message: &str) {
    let findings = report.server.iter().chain(report.rules.iter().flat_map(|rule| &rule.findings));
    let found = findings.clone().any(|finding| {
        finding.status == status
            && finding.about.contains(about)
            && finding.message.contains(message)
            && (status != Status::Missing || finding.remedy.is_some())
    });
    assert!(found, "no {status:?} about {about:?} that says {message:?}:\n{report}");
    let missing = findings.filter(|finding| finding.status == Status::Missing).count();
    assert_eq!(report.missing, missing);
    assert_eq!(report.ready, missing == 0, "{report}");
}

/// One thing is wrong with a rule, and it alone is told.
async fn alone(rules: &str, status: Status, about: &str, message: &str) {
    let report = looked(&server(ServerSettings::default()), rules).await;
    holds(&report, status, about, message);
    let of_this_kind = match status {
        Status::Missing => report.missing,
        Status::Warning => report.warnings,
        _ => 1,
    };
    assert_eq!(of_this_kind, 1, "{report}");
    assert_eq!(report.missing, usize::from(status == Status::Missing), "{report}");
}

#[tokio::test(start_paused = true)]
async fn the_sample_rules_have_everything_they_need() {
    let report = looked(&server(ServerSettings::default()), SAMPLE).await;
    assert!(report.ready, "{report}");
    assert_eq!(report.rules.len(), 5);
    for (about, message) in [
        ("sign-in", "as waybill"),
        ("target", "the workspace type \"Claim\" is there"),
        ("target", "stand for LFA1 of SAP"),
        ("rights", "waybill may add documents to \"Evidence\""),
        ("rights", "waybill may add folders to \"Digitised Archive\""),
        ("category Business/Claim Evidence: Parties:Role", "takes text"),
        ("category Business/Digitised Item: Subjects", "text, several"),
        ("permissions suppliers", "group Supplier Management"),
        ("classification", "File Plan/CLM-FILES is there"),
        ("classification", "records management answers"),
        ("review", "Document Review is offered for"),
    ] {
        holds(&report, Status::Ok, about, message);
    }
    // What would take an effect to know is said to be unknown.
    for (about, message) in [
        ("target", "whether the account may make workspaces"),
        ("rights", "versions may be added to documents that are there"),
        ("classification", "whether the account may give it"),
        ("review", "Reason, Priority"),
    ] {
        holds(&report, Status::NotChecked, about, message);
    }
}

#[tokio::test(start_paused = true)]
async fn folders() {
    alone(&rule(INCOMING, ""), Status::Ok, "target", "Enterprise:Claims/Incoming is there").await;
    let missing = "folder = 'Enterprise:Claims/Nowhere/Deep'";
    alone(&rule(missing, ""), Status::Missing, "target", "there is no \"Nowhere\" in \"Claims\"").await;
    let made = format!("{missing}\ncreate = true");
    alone(&rule(&made, ""), Status::Ok, "rights", "may add folders to \"Claims\"").await;
    let hidden = "folder = 'Enterprise:Board Minutes'";
    alone(&rule(hidden, ""), Status::Missing, "target", "\"Board Minutes\"").await;
    let document = "folder = 'Enterprise:Claims/Guidelines/Loss adjusters.csv'";
    alone(&rule(document, ""), Status::Missing, "target", "is no folder").await;
    let named = "folder = 'Enterprise:Claims/{capture.id}'";
    alone(&rule(named, ""), Status::NotChecked, "target", "the rule makes none").await;
    let by_id = "folder = '3999:In'";
    alone(&rule(by_id, ""), Status::Missing, "target", "").await;
}

#[tokio::test(start_paused = true)]
async fn rights_where_documents_go() {
    let server = server(ServerSettings::default());
    let incoming = server.with_state(|state| state.at("Claims/Incoming").unwrap().id);
    server.with_state(|state| revoke(state, incoming));
    let report = looked(&server, &rule(INCOMING, "")).await;
    holds(&report, Status::Missing, "rights", "waybill may not add documents to \"Incoming\"");

    // New documents take the list of the folder: whose owner may not change rights, neither may theirs.
    server.with_state(|state| {
        let node = state.nodes.get_mut(&incoming).unwrap();
        let filer = node.permissions.custom.get(&seed::CLAIMS).cloned();
        assert!(filer.is_none());
        node.permissions.owner.as_mut().unwrap().rights.clear();
    });
    let permissions = "permissions = 'claims'\n";
    let rules = format!("{}{TEMPLATES}", rule(INCOMING, permissions));
    let report = looked(&server, &rules).await;
    holds(&report, Status::Warning, "rights", "set their permissions");
}

const TEMPLATES: &str =
    "[permission_templates.claims]\nassigned = [{ group = 'Claims', rights = ['see'] }]\n";

/// Leaves the service user nothing but to see and read.
fn revoke(state: &mut State, node: i64) {
    use simulators::content_server::state::Permission;
    let node = state.nodes.get_mut(&node).unwrap();
    let reads = [Permission::See, Permission::SeeContents].into_iter().collect();
    node.permissions.custom.insert(seed::INTEGRATIONS, reads);
}

#[tokio::test(start_paused = true)]
async fn workspaces() {
    let workspace = |lines: &str| rule(&format!("workspace = {{ {lines} }}"), "");
    let object = "business_object = { system = 'CLAIMS', type = 'CLAIM', id = '{capture.id}' }";
    let there = format!("type = 'Claim', {object}, folder = 'Evidence'");
    alone(&workspace(&there), Status::NotChecked, "target", "the workspace of each object").await;
    let folder = there.replace("Evidence", "Photographs");
    alone(&workspace(&folder), Status::Ok, "target", "has no folder \"Photographs\": it is made").await;
    let unknown = there.replace("type = 'Claim'", "type = 'Case'");
    alone(&workspace(&unknown), Status::Missing, "target", "no workspace type \"Case\"").await;
    let system = there.replace("'CLAIMS'", "'SAP'");
    alone(&workspace(&system), Status::Missing, "target", "do not stand for CLAIM of SAP").await;
    let create = format!("{there}, create = true, name = 'x'");
    let template = format!("{create}, template = 'Large Claim'");
    alone(&workspace(&template), Status::Missing, "target", "has no such template").await;
    let location = format!("{create}, location = 'Enterprise:Nowhere'");
    alone(&workspace(&location), Status::Missing, "target location", "\"Nowhere\"").await;
    let reports = format!("{create}, location = 'Enterprise:Reports'");
    alone(&workspace(&reports), Status::Missing, "target location", "may not add workspaces").await;

    let bare = server(ServerSettings::default());
    bare.with_state(|state| {
        let workspaces: Vec<i64> = state.workspaces().map(|(node, _)| node.id).collect();
        state.nodes.retain(|id, _| !workspaces.contains(id));
    });
    let report = looked(&bare, &workspace(&there)).await;
    holds(&report, Status::Missing, "target", "sees no workspace of the type \"Claim\"");
    let report = looked(&bare, &workspace(&create)).await;
    holds(&report, Status::NotChecked, "target", "rights inside workspaces");

    let without = ServerSettings {
        modules: Modules { workspaces: false, ..Modules::default() },
        ..ServerSettings::default()
    };
    let report = looked(&server(without), &workspace(&there)).await;
    holds(&report, Status::Missing, "target", "module-missing");
}

#[tokio::test(start_paused = true)]
async fn categories_and_their_attributes() {
    for (field, status, about, message) in [
        ("{ to = 'Loss Day', from = 'tag.x' }", Status::Missing, "Loss Day", "no such attribute"),
        (
            "{ to = 'Loss Date', from = 'tag.x', as = 'boolean' }",
            Status::Missing,
            "Loss Date",
            "does not fit",
        ),
        ("{ to = 'Loss Date', from = 'tag.x' }", Status::Warning, "Loss Date", "takes a day"),
        ("{ to = 'Loss Date', from = 'tag.x', as = 'date' }", Status::Ok, "Loss Date", "takes a day"),
        ("{ to = 'Loss Date', value = 'soon' }", Status::Missing, "Loss Date", "\"soon\""),
        (
            "{ to = 'Evidence Type', value = 'Photograph' }",
            Status::Missing,
            "Evidence Type",
            "not in its list",
        ),
        (
            "{ to = 'Evidence Type', from = 'tag.x', one_of = ['Photo', 'Film'] }",
            Status::Missing,
            "Evidence Type",
            "\"Film\"",
        ),
        (
            "{ to = 'Evidence Type', from = 'tag.x' }",
            Status::Warning,
            "Evidence Type",
            "takes only Photo, Video",
        ),
        ("{ to = 'Keywords', value = 'flood', max_length = 64 }", Status::Ok, "Keywords", "text, several"),
        (
            "{ to = 'Remarks', from = 'sidecar.x', multi = true }",
            Status::Missing,
            "Remarks",
            "holds one value",
        ),
        ("{ to = 'Keywords', from = 'tag.x' }", Status::Warning, "Keywords", "takes 64 characters"),
        ("{ to = 'Handler', from = 'tag.x', as = 'user' }", Status::Ok, "Handler", "takes a user"),
        (
            "{ to = 'Handler', value = 'nobody', as = 'user' }",
            Status::Missing,
            "Handler",
            "no user \"nobody\"",
        ),
        ("{ to = 'Remarks', from = 'tag.x', as = 'user' }", Status::Warning, "Remarks", "number of a user"),
    ] {
        println!("{field}");
        alone(&category(field), status, about, message).await;
    }
    let of = |lines: &str| {
        rule(INCOMING, &format!("category = [{{ path = 'Business/Claim Evidence', {lines} }}]"))
    };
    let unfilled = "fields = [{ to = 'Remarks', value = 'x' }]";
    alone(&of(unfilled), Status::Missing, "Claim Number", "must have a value, and the rule gives it none")
        .await;
    let seldom = "fields = [{ to = 'Claim Number', from = 'tag.x', max_length = 32 }]";
    alone(&of(seldom), Status::Warning, "Claim Number", "the field may give none").await;
    let long = format!("fields = [{{ to = 'Claim Number', value = '{}' }}]", "1".repeat(33));
    alone(&of(&long), Status::Missing, "Claim Number", "32 characters").await;
    let sets = |set: &str, attribute: &str| {
        let number =
            "fields = [{ to = 'Claim Number', from = 'capture.id', max_length = 32, required = true }]";
        of(&format!(
            "{number}, rows = [{{ to = '{set}', from = 'sidecar.p', fields = [{{ to = '{attribute}', from = 'row.x', max_length = 9 }}] }}]"
        ))
    };
    alone(&sets("Parties", "Name"), Status::Ok, "Parties:Name", "takes text").await;
    alone(&sets("Parties", "Age"), Status::Missing, "Parties:Age", "no such attribute").await;
    alone(&sets("People", "Name"), Status::Missing, "category", "has no set \"People\"").await;
    let none = category("{ to = 'Remarks', value = 'x' }").replace("Claim Evidence", "Claims Evidence");
    alone(&none, Status::Missing, "category Business/Claims Evidence", "Claims Evidence").await;
    let folder = rule(INCOMING, "category = [{ id = 4001 }]");
    alone(&folder, Status::Missing, "category node 4001", "is no category").await;
}

#[tokio::test(start_paused = true)]
async fn members_classes_and_reviews() {
    let with = |more: &str| rule(INCOMING, more);
    let groups = format!("{}{}", with("permissions = 'claims'"), TEMPLATES);
    alone(&groups, Status::Ok, "permissions claims", "group Claims is there").await;
    let gone = groups.replace("group = 'Claims'", "group = 'Claimants'");
    alone(&gone, Status::Missing, "permissions claims", "no group \"Claimants\"").await;
    let user = groups.replace("group = 'Claims'", "user = 'claims'");
    alone(&user, Status::Missing, "permissions claims", "no user \"claims\"").await;

    let class = |class: &str| with(&format!("classification = '{class}'"));
    alone(&class("File Plan/CLM-FILE"), Status::Missing, "classification", "CLM-FILE").await;
    alone(&class("File Plan/{capture.id}"), Status::NotChecked, "classification", "File Plan/{capture.id}")
        .await;
    let without = ServerSettings {
        modules: Modules { records: false, ..Modules::default() },
        ..ServerSettings::default()
    };
    let report = looked(&server(without), &class("File Plan/CLM-FILES")).await;
    holds(&report, Status::Missing, "classification", "no records management on this server");

    let review = |folder: &str, workflow: &str| {
        rule(
            &format!("folder = 'Enterprise:Claims/{folder}'"),
            &format!("review = {{ workflow = {workflow} }}"),
        )
    };
    alone(&review("Guidelines", "'Document Review'"), Status::Ok, "review", "is offered for").await;
    alone(&review("Guidelines", "6001"), Status::Ok, "review", "is offered for").await;
    alone(&review("Guidelines", "'Big Review'"), Status::Missing, "review", "is not offered for").await;
    alone(&review("Guidelines", "3001"), Status::Missing, "review", "is no workflow map").await;
    let empty = review("Incoming", "'Document Review'");
    alone(&empty, Status::NotChecked, "review", "none was found at the target").await;
}

#[tokio::test(start_paused = true)]
async fn sizes_that_the_server_takes() {
    let limited = |size: &str| rule(INCOMING, &format!("limits = {{ max_size = '{size}' }}"));
    alone(&limited("2 GiB"), Status::Ok, "limits", "up to 2 GiB can go up in parts").await;
    alone(&limited("20 GiB"), Status::Warning, "limits", "has to go up within one invocation").await;
    let large_upload = LargeUpload { enabled: false, ..LargeUpload::default() };
    let off = server(ServerSettings { large_upload, ..ServerSettings::default() });
    let report = looked(&off, &limited("2 GiB")).await;
    holds(&report, Status::Warning, "limits", "what is larger than 100 MiB");
    holds(&report, Status::Ok, "Large File Upload", "off");
    let report = looked(&off, &limited("50 MiB")).await;
    assert_eq!(report.warnings, 0, "{report}");
}
