//! AWS Secrets Manager: secrets with versions and stages.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value as Json, json};

use super::Now;
use super::failure::Failure;

#[derive(Clone)]
struct Version {
    id: String,
    /// `SecretString` or `SecretBinary`, as it came.
    content: Map<String, Json>,
    created: i64,
    stages: Vec<String>,
}

#[derive(Clone)]
struct Secret {
    name: String,
    arn: String,
    versions: Vec<Version>,
}

#[derive(Default)]
struct State {
    secrets: BTreeMap<String, Secret>,
    count: u64,
    reads: BTreeMap<String, u64>,
}

/// The service, and its state for a test to look into.
#[derive(Clone)]
pub struct Secrets {
    state: Arc<Mutex<State>>,
    now: Now,
}

impl Secrets {
    pub(super) fn new(now: Now) -> Self {
        Self { state: Arc::default(), now }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets a secret's text, creating it when needed.
    pub fn put(&self, name: &str, text: &str) {
        let request: Map<String, Json> =
            [("SecretString".to_owned(), Json::from(text))].into_iter().collect();
        let now = (self.now)();
        let mut state = self.state();
        if find(&state, name).is_err() {
            insert(&mut state, name);
        }
        // The secret exists and the content is there: nothing can be refused.
        let _ = add(&mut state, name, &request, now);
    }

    /// How often a secret was read.
    #[must_use]
    pub fn reads(&self, name: &str) -> u64 {
        self.state().reads.get(name).copied().unwrap_or_default()
    }

    pub(super) fn call(&self, operation: &str, request: &Map<String, Json>) -> Result<Json, Failure> {
        let text = |member: &str| request.get(member).and_then(Json::as_str);
        let now = (self.now)();
        let mut state = self.state();
        match operation {
            "GetSecretValue" => {
                let id = text("SecretId").unwrap_or_default();
                let secret = find(&state, id)?;
                let answer = read(secret, text("VersionId"), text("VersionStage"))?;
                let name = secret.name.clone();
                *state.reads.entry(name).or_default() += 1;
                Ok(answer)
            }
            "CreateSecret" => {
                let name = text("Name").unwrap_or_default();
                if find(&state, name).is_ok() {
                    return Err(Failure::new(
                        "ResourceExistsException",
                        format!("The operation failed because the secret {name} already exists."),
                    ));
                }
                insert(&mut state, name);
                if request.contains_key("SecretString") || request.contains_key("SecretBinary") {
                    return add(&mut state, name, request, now);
                }
                let secret = find(&state, name)?;
                Ok(json!({ "ARN": secret.arn, "Name": secret.name }))
            }
            "PutSecretValue" => add(&mut state, text("SecretId").unwrap_or_default(), request, now),
            _ => Err(Failure::new("UnknownOperationException", format!("{operation} is not simulated"))),
        }
    }
}

fn missing() -> Failure {
    Failure::new("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
}

fn find<'state>(state: &'state State, id: &str) -> Result<&'state Secret, Failure> {
    state.secrets.values().find(|secret| secret.name == id || secret.arn == id).ok_or_else(missing)
}

fn insert(state: &mut State, name: &str) {
    state.count += 1;
    let arn = format!("arn:aws:secretsmanager:us-east-1:000000000000:secret:{name}-{:06}", state.count);
    state.secrets.insert(name.to_owned(), Secret { name: name.to_owned(), arn, versions: Vec::new() });
}

fn read(secret: &Secret, id: Option<&str>, stage: Option<&str>) -> Result<Json, Failure> {
    let stage = stage.or(if id.is_none() { Some("AWSCURRENT") } else { None });
    let found = secret.versions.iter().find(|version| {
        id.is_none_or(|id| version.id == id)
            && stage.is_none_or(|stage| version.stages.iter().any(|own| own == stage))
    });
    let Some(version) = found else {
        let sought = match (id, stage) {
            (Some(id), _) => format!("VersionId: {id}"),
            (None, stage) => format!("staging label: {}", stage.unwrap_or_default()),
        };
        return Err(Failure::new(
            "ResourceNotFoundException",
            format!("Secrets Manager can't find the specified secret value for {sought}"),
        ));
    };
    let mut answer = json!({
        "ARN": secret.arn,
        "Name": secret.name,
        "VersionId": version.id,
        "VersionStages": version.stages,
        "CreatedDate": version.created / 1000,
    });
    if let Some(members) = answer.as_object_mut() {
        members.extend(version.content.clone());
    }
    Ok(answer)
}

/// A new current version; the one before keeps the label `AWSPREVIOUS`.
fn add(state: &mut State, id: &str, request: &Map<String, Json>, now: i64) -> Result<Json, Failure> {
    let content: Map<String, Json> = ["SecretString", "SecretBinary"]
        .into_iter()
        .filter_map(|member| Some((member.to_owned(), request.get(member)?.clone())))
        .collect();
    if content.len() != 1 {
        return Err(Failure::new(
            "InvalidRequestException",
            "You must provide either SecretString or SecretBinary, and not both.",
        ));
    }
    let name = find(state, id)?.name.clone();
    state.count += 1;
    let version = request
        .get("ClientRequestToken")
        .and_then(Json::as_str)
        .map_or_else(|| format!("00000000-0000-4000-8000-{:012}", state.count), str::to_owned);
    let secret = state.secrets.get_mut(&name).ok_or_else(missing)?;
    if let Some(earlier) = secret.versions.iter().find(|earlier| earlier.id == version) {
        if earlier.content != content {
            return Err(Failure::new(
                "ResourceExistsException",
                "You can't modify an existing version, you can only create a new version.",
            ));
        }
    } else {
        for earlier in &mut secret.versions {
            let current = earlier.stages.iter().any(|stage| stage == "AWSCURRENT");
            earlier.stages = if current { vec!["AWSPREVIOUS".to_owned()] } else { Vec::new() };
        }
        let stages = vec!["AWSCURRENT".to_owned()];
        secret.versions.push(Version { id: version.clone(), content, created: now, stages });
    }
    Ok(json!({ "ARN": secret.arn, "Name": name, "VersionId": version, "VersionStages": ["AWSCURRENT"] }))
}
