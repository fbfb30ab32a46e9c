//! The stories of the further flows, one file each: `make demo FLOW=<flow>` tells one.
//!
//! A story needs a [`Story`] and its line in [`STORIES`]. What it has at hand is a [`Stage`].

mod archive_closed_files;
mod archive_production;
mod exchange_review_status;
mod export_for_analysis;
mod file_rights;
mod link_references;
mod offload_content;
mod publish_approved;
mod publish_finals;
mod receive_iconik;
mod reconcile;
mod replicate_content;
mod request_disposition;
mod serve_links;
mod stage_attachments;
mod start_signoff;
mod sync_asset_metadata;
mod watch_content_server;
mod watch_iconik;

use futures_util::future::LocalBoxFuture;
use simulators::{
    Clock,
    content_server::{Settings, Simulator},
    iconik, serve,
};
use tests::messages;

use super::{
    Result,
    promises::Promise,
    run::{Options, Told},
    say::Say,
    stage::Stage,
    systems::{CREDENTIALS, Stack, StandIn, root, state},
    table,
};

/// Every story, in the order in which `make demo FLOW=all` tells them.
pub(crate) const STORIES: &[Story] = &[
    offload_content::STORY,
    publish_approved::STORY,
    stage_attachments::STORY,
    watch_content_server::STORY,
    receive_iconik::STORY,
    watch_iconik::STORY,
    serve_links::STORY,
    reconcile::STORY,
    export_for_analysis::STORY,
    archive_closed_files::STORY,
    archive_production::STORY,
    replicate_content::STORY,
    publish_finals::STORY,
    start_signoff::STORY,
    sync_asset_metadata::STORY,
    file_rights::STORY,
    request_disposition::STORY,
    link_references::STORY,
    exchange_review_status::STORY,
];

/// What becomes of it later.
pub(crate) type Doing<'a, T> = LocalBoxFuture<'a, Result<T>>;

/// Where one can look around: a name and an address or command each.
pub(crate) type Places = Vec<(&'static str, String)>;

/// One flow's story.
pub(crate) struct Story {
    /// The flow, as in `FLOW=`.
    pub(crate) flow: &'static str,
    /// What is shown, in half a line.
    pub(crate) about: &'static str,
    /// The stacks that are deployed beside the first, by their flows' names.
    pub(crate) stacks: &'static [&'static str],
    /// The flow's rule file. Empty: the packaged one.
    pub(crate) rules: &'static str,
    /// What is there before the stacks are deployed: documents, secrets. Gives further parameters of the stacks,
    /// `Name=value` or `flow:Name=value`; `{Output}` in a value is an output of a stack before it.
    pub(crate) prepare: for<'a> fn(&'a Stage<'a>) -> Doing<'a, Vec<String>>,
    /// What happens, told line by line, and the promises it is held against.
    pub(crate) play: for<'a> fn(&'a Stage<'a>) -> Doing<'a, Vec<Promise>>,
    /// Where one can look around.
    pub(crate) look: fn(&Stage<'_>) -> Result<Places>,
}

impl Story {
    /// Tells it from beginning to end, on systems of its own.
    pub(crate) async fn tell(&self, options: &Options) -> Result<Told> {
        let say = Say::new(options.json);
        say.line(&format!("\n{} - {}", self.flow, self.about));
        let simulator = Simulator::new(Settings::default(), Clock::machine());
        let (address, server) = serve(simulator.router(), 0).await.map_err(|error| error.to_string())?;
        let content_server = format!("http://{address}");
        say.step(&format!("Content Server simulator   {content_server}/_simulator/"));
        let folder = state(&format!("demo-{}-{}", std::process::id(), self.flow));
        let stand_in = StandIn::start(folder.clone(), 0).await?;
        say.step(&format!("stand-in for AWS           {}", stand_in.url));
        let stack = Stack::at(&stand_in.url)?;
        let url = stand_in.url.clone();
        let mut stage = Stage { stack, simulator, iconik: None, stand_in: url, flow: self.flow, say: &say };
        let mut given = Vec::new();
        if self.needs_iconik()? {
            given = start_iconik(&mut stage).await?;
        }

        let mut parameters = (self.prepare)(&stage).await?;
        parameters.extend(given);
        let rules = format!("{}.toml", self.flow);
        if !self.rules.is_empty() {
            parameters.push(format!("{}:RulesUri=s3://{{ConfigurationBucketName}}/{rules}", self.flow));
        }
        stage.stack.deploy(&content_server, self.stacks, &parameters).await?;
        if !self.rules.is_empty() {
            stage.put_rules(&rules, self.rules).await?;
        }
        let stacks: Vec<String> = self.stacks.iter().map(|flow| format!("infra/flows/{flow}.yaml")).collect();
        say.step(&format!("infra/template.yaml and {} are deployed", stacks.join(", ")));

        let promises = (self.play)(&stage).await?;
        let told =
            Told { flow: self.flow, promises, seconds: say.seconds(), outputs: stage.stack.outputs.clone() };
        table::show_promises(&told.promises, &say);
        self.show_where(&stage, &content_server, options.keep)?;
        if options.keep {
            say.line("Everything is still there. Ctrl-C ends it.");
            std::future::pending::<()>().await;
        }
        server.abort();
        if told.held() {
            drop(stand_in);
            let _ = std::fs::remove_dir_all(&folder);
        } else {
            say.line(&format!("  log of the stand-in      {}", folder.join("log.txt").display()));
        }
        Ok(told)
    }

    /// Whether one of its stacks wants to know where iconik is.
    fn needs_iconik(&self) -> Result<bool> {
        for flow in self.stacks {
            let template = root().join(format!("infra/flows/{flow}.yaml"));
            let text = std::fs::read_to_string(&template);
            let text = text.map_err(|error| format!("{}: {error}", template.display()))?;
            if text.contains("\n  IconikUrl:") {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn show_where(&self, stage: &Stage<'_>, content_server: &str, kept: bool) -> Result<()> {
        let live = if kept { "" } else { "   (while it runs: make demo ARGS=--keep)" };
        let say = stage.say;
        say.line(&format!("\nWhere to look{live}"));
        let usual = [
            ("Content Server", format!("{content_server}/_simulator/")),
            (
                "ledger",
                format!("{} dynamodb scan --table-name {}", stage.aws(), stage.output("LedgerTableName")?),
            ),
        ];
        for (name, place) in usual.into_iter().chain((self.look)(stage)?) {
            say.line(&format!("  {name:<24} {place}"));
        }
        say.line(&format!("  {:<24} export {CREDENTIALS}", "for these"));
        Ok(())
    }
}

/// Starts an iconik and makes the secret with the credential of its service user. Gives the parameters of the stacks.
async fn start_iconik(stage: &mut Stage<'_>) -> Result<Vec<String>> {
    let simulator = iconik::Simulator::new(iconik::Settings::default(), Clock::machine());
    // It ends with the demo.
    let (address, _) = serve(simulator.router(), 0).await.map_err(|error| error.to_string())?;
    stage.say.step(&format!("iconik simulator           http://{address}/_simulator/"));
    let credential = messages::iconik_credential(iconik::seed::TOKEN);
    let made = stage
        .stack
        .secrets
        .create_secret()
        .name("waybill/demo/iconik")
        .secret_string(credential)
        .send()
        .await;
    let made = made.map_err(|error| format!("the secret of iconik: {error:?}"))?;
    stage.iconik = Some(simulator);
    Ok(vec![
        format!("IconikUrl=http://{address}"),
        format!("IconikSecretArn={}", made.arn.unwrap_or_default()),
    ])
}
