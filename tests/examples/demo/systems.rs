//! The systems everything runs in: the stand-in for AWS, the deployed stack, and clients to look into them.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Stdio,
};

use shared::{aws, context::Context, http::Transport};
use simulators::content_server::seed;
use tokio::process::Command;

use super::Result;

/// The account the stand-in takes callers for whose access key says nothing else.
const ACCOUNT: &str = "000000000000";
/// What people type; the stand-in wants some credentials, whatever they are.
pub(crate) const CREDENTIALS: &str = "AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=us-east-1";
/// Seconds of one invocation: long enough for the video on a slow machine.
pub(crate) const FUNCTION_TIMEOUT: u64 = 30;

/// The checkout.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(PathBuf::new, Path::to_path_buf)
}

/// Where the demo keeps what it must find again: `.waybill` of the checkout, or where `WAYBILL_STATE` says.
pub(crate) fn state(name: &str) -> PathBuf {
    std::env::var_os("WAYBILL_STATE").map_or_else(|| root().join(".waybill"), PathBuf::from).join(name)
}

/// The folder with the artefacts, which `infra/package local` fills.
pub(crate) fn artefacts() -> Result<PathBuf> {
    let folder = std::env::var_os("WAYBILL_ARTEFACTS")
        .map_or_else(|| root().join("target/lambda-local"), PathBuf::from);
    if folder.join("ingest-uploads/bootstrap").is_file() {
        return Ok(folder);
    }
    Err(format!(
        "There are no artefacts in {}: `make demo` and `make up` build them first.",
        folder.display()
    ))
}

/// The stand-in for AWS, a process of its own.
pub(crate) struct StandIn {
    pub(crate) url: String,
    pub(crate) pid: i32,
    state: PathBuf,
    /// Whether it ends with this value.
    pub(crate) ends_with_us: bool,
}

impl StandIn {
    pub(crate) async fn start(state: PathBuf, port: u16) -> Result<Self> {
        let mut command = Self::command(&state);
        command.args(["start", "--port", &port.to_string()]);
        let url = run(command, "The stand-in for AWS did not start.").await?.trim().to_owned();
        let mut stand_in = Self { url, pid: 0, state, ends_with_us: true };
        let record = std::fs::read(stand_in.state.join("running.json")).map_err(|error| error.to_string())?;
        let record: serde_json::Value = serde_json::from_slice(&record).map_err(|error| error.to_string())?;
        stand_in.pid = record["pid"].as_i64().and_then(|pid| i32::try_from(pid).ok()).unwrap_or(0);
        Ok(stand_in)
    }

    fn command(state: &Path) -> Command {
        let mut command = Command::new(root().join("tests/aws/stand-in"));
        command.env("WAYBILL_STAND_IN_STATE", state);
        command
    }

    /// Stops the stand-in that keeps its state there. Says whether there was one.
    pub(crate) fn stop(state: &Path) -> Result<bool> {
        let mut command = std::process::Command::new(root().join("tests/aws/stand-in"));
        let output = command.env("WAYBILL_STAND_IN_STATE", state).arg("stop").stdin(Stdio::null()).output();
        let output = output.map_err(|error| format!("tests/aws/stand-in: {error}"))?;
        Ok(String::from_utf8_lossy(&output.stdout).trim() == "stopped")
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        if self.ends_with_us {
            let _ = Self::stop(&self.state);
        }
    }
}

/// The deployed stack, with clients to look into it.
pub(crate) struct Stack {
    /// Address of AWS.
    address: String,
    pub(crate) outputs: BTreeMap<String, String>,
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) sqs: aws_sdk_sqs::Client,
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    pub(crate) secrets: aws_sdk_secretsmanager::Client,
    pub(crate) context: Context,
}

impl Stack {
    /// The account at this address, before anything is deployed.
    pub(crate) fn at(stand_in: &str) -> Result<Self> {
        let transport = Transport::network().map_err(|error| error.to_string())?;
        let context = Context::system();
        let sdk = aws::connect_to(&transport, &context, stand_in, ACCOUNT);
        Ok(Self {
            address: stand_in.to_owned(),
            outputs: BTreeMap::new(),
            s3: aws::s3(&sdk),
            sqs: aws_sdk_sqs::Client::new(&sdk),
            dynamodb: aws_sdk_dynamodb::Client::new(&sdk),
            secrets: aws_sdk_secretsmanager::Client::new(&sdk),
            context,
        })
    }

    /// Deploys the template and the stacks of these flows with the artefacts, and puts the service user's password into
    /// the secret.
    pub(crate) async fn deploy(
        &mut self,
        content_server: &str,
        flows: &[&str],
        parameters: &[String],
    ) -> Result<()> {
        let artefacts = artefacts()?;
        let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
        let mut command = Command::new(root().join(".venv/stack/bin/python"));
        command.arg(root().join("tests/aws/deploy.py"));
        command
            .args(["--url", &self.address, "--stack", "waybill-demo", "--account", ACCOUNT, "--artefacts"])
            .arg(artefacts);
        command.arg("--flows").args(flows);
        command.arg("--parameters").args([
            "EnvironmentName=demo".to_owned(),
            format!("Architecture={architecture}"),
            format!("ContentServerUrl={content_server}/otcs/cs.exe"),
            format!("FunctionTimeout={FUNCTION_TIMEOUT}"),
            "LeaseMarginSeconds=1".to_owned(),
            // The simulator is in no need of mercy.
            "TargetRate=200".to_owned(),
        ]);
        command.args(parameters);
        let outputs = run(command, "The template was not deployed.").await?;
        self.outputs =
            serde_json::from_str(&outputs).map_err(|error| format!("the stack's outputs: {error}"))?;
        let secret = serde_json::json!({
            "mode": "password", "username": seed::SERVICE_USER, "password": seed::PASSWORD,
        });
        self.secrets
            .put_secret_value()
            .secret_id(self.output("ContentServerSecretArn")?)
            .secret_string(secret.to_string())
            .send()
            .await
            .map_err(|error| format!("the secret could not be filled: {error:?}"))?;
        Ok(())
    }

    pub(crate) fn output(&self, name: &str) -> Result<&str> {
        self.outputs.get(name).map(String::as_str).ok_or_else(|| format!("the stack has no output {name}"))
    }

    pub(crate) fn intake(&self) -> Result<&str> {
        self.output("IntakeBucketName")
    }
}

/// Runs a command to its end and gives its output.
async fn run(mut command: Command, what: &str) -> Result<String> {
    let program = command.as_std().get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await;
    let output = output.map_err(|error| format!("{what} {program}: {error}. `make setup` puts it there."))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!("{what}\n{}", String::from_utf8_lossy(&output.stderr).trim()))
}
