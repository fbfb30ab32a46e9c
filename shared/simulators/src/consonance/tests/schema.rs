use serde_json::json;

use super::super::Settings;
use super::super::settings::{PayloadErrors, ProductionFiles};
use super::{ask, simulator};

async fn fields(settings: Settings, of: &str) -> Vec<(String, String)> {
    let text = "query($of: String!) { __type(name: $of) { fields { name type { kind name ofType { kind name } } } \
                inputFields { name type { kind name } } } }";
    let answer = ask(&simulator(settings), text, json!({"of": of})).await;
    let shown = &answer["data"]["__type"];
    let list = shown["fields"].as_array().or_else(|| shown["inputFields"].as_array()).unwrap();
    let kind = |of: &serde_json::Value| of["kind"].as_str().unwrap_or_default().to_owned();
    list.iter().map(|field| (field["name"].as_str().unwrap().to_owned(), kind(&field["type"]))).collect()
}

async fn has(settings: Settings, of: &str, name: &str) -> bool {
    fields(settings, of).await.iter().any(|(field, _)| field == name)
}

#[tokio::test]
async fn the_schema_tells_of_itself() {
    let text = "{ __schema { queryType { name } mutationType { name } types { name kind possibleTypes { name } } } }";
    let answer = ask(&simulator(Settings::default()), text, json!({})).await;
    let schema = &answer["data"]["__schema"];
    assert_eq!(
        (&schema["queryType"]["name"], &schema["mutationType"]["name"]),
        (&json!("Query"), &json!("Mutation"))
    );
    let types = schema["types"].as_array().unwrap();
    let product = types.iter().find(|of| of["name"] == "Product").unwrap();
    assert_eq!(
        (product["kind"].as_str(), product["possibleTypes"].as_array().map(Vec::len)),
        (Some("INTERFACE"), Some(7))
    );
}

#[tokio::test]
async fn what_is_not_known_of_the_schema_is_there_or_not_as_switched() {
    let with = |change: fn(&mut Settings)| {
        let mut settings = Settings::default();
        change(&mut settings);
        settings
    };
    assert!(!has(Settings::default(), "Query", "contracts").await);
    assert!(has(with(|settings| settings.contracts_list = true), "Query", "contracts").await);
    assert!(has(Settings::default(), "Work", "productionFiles").await);
    let at_product = || with(|settings| settings.production_files = ProductionFiles::Product);
    assert!(
        !has(at_product(), "Work", "productionFiles").await
            && has(at_product(), "Product", "productionFiles").await
    );
    assert!(!has(Settings::default(), "ProductionFile", "downloadUrl").await);
    assert!(
        has(with(|settings| settings.production_file_downloads = true), "ProductionFile", "downloadUrl")
            .await
    );
    assert!(has(Settings::default(), "CreateWebLinkInput", "includeInOnix").await);
    assert!(
        !has(with(|settings| settings.web_link_onix_switch = false), "CreateWebLinkInput", "includeInOnix")
            .await
    );
    assert!(has(Settings::default(), "CreateSupportingResourcePayload", "presignedUrl").await);
    let renamed = with(|settings| settings.upload_url_field = "uploadUrl".to_owned());
    assert!(has(renamed, "CreateSupportingResourcePayload", "uploadUrl").await);
    assert!(has(with(|settings| settings.upload_needs_follow_up = true), "Mutation", "finishUpload").await);
    let top = with(|settings| settings.payload_errors = PayloadErrors::Top);
    assert!(!has(top, "CreateWebLinkPayload", "errors").await);
    let kinds = async |settings| {
        let fields = fields(settings, "Product").await;
        fields.into_iter().find(|(name, _)| name == "onixPublishingStatusCode").unwrap().1
    };
    assert_eq!(kinds(Settings::default()).await, "ENUM");
    assert_eq!(kinds(with(|settings| settings.codes_are_enumerations = false)).await, "SCALAR");
}

#[tokio::test]
async fn a_switch_that_is_turned_while_it_runs_changes_the_schema() {
    let simulator = simulator(Settings::default());
    let text = "{ contracts { id } }";
    assert!(ask(&simulator, text, json!({})).await.get("data").is_none());
    simulator.with_state(|state| state.settings.contracts_list = true);
    assert_eq!(super::ids(&ask(&simulator, text, json!({})).await["data"]["contracts"]), [31, 32, 33]);
}
