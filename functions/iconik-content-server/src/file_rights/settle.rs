//! An asset's rights brought into line with what iconik says: what is filed, who may use the final, who has a task.

use serde_json::{Map, Value, json};
use shared::{
    content_server::{NodeId, ProcessId},
    error::{Error, FailureClass, Result},
    filing::{parts, plan::CategoryPlan},
    flow::{Delivery, Outcome, Reason, Run},
    iconik::{AssetId, Related},
    iconik_change::IconikChange,
    ledger::Key,
    mapping::Record,
};

use super::{
    DUE, FileRights, RELEASED,
    case::{Case, Kept, Untold},
    look::today,
    releases::FiledRelease,
    rights::{self, Lapse, Rights},
    skipped,
};
use crate::{
    approval::{self, Approved, Standing},
    filing::refused,
    rights_rules::RightsRule,
};

/// The checkpoint of what this item has done.
const DONE: &str = "done";

/// What an item has done, and with which end.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
struct Done {
    revision: u64,
    lapsed: Vec<String>,
    delivery: Delivery,
}

/// What is said of an asset, and by which item.
struct Said<'a> {
    asset: AssetId,
    item: Key,
    change: &'a IconikChange,
}

impl FileRights {
    /// Brings the rights of an asset into line, alone for it. What iconik does not let be told of earlier ones keeps nothing
    /// from being done, and the item from ending as if all were told.
    pub(super) async fn settle(&self, change: &IconikChange, run: &Run) -> Result<Outcome> {
        let said = Said { asset: AssetId::new(&change.object_id), item: change.key(), change };
        let mut kept = self.case(&said.asset, run.ledger()).await?;
        let told = if run.is_dry() { Ok(()) } else { self.tell_rest(&said.asset, &mut kept, run).await };
        let untold = match told {
            Err(error) if super::is_final(&error) => Some(error),
            told => told.map(|()| None)?,
        };
        match (Box::pin(self.settle_now(&said, &mut kept, run)).await?, untold) {
            (Outcome::Delivered(_) | Outcome::Skipped(_), Some(untold)) => Err(untold),
            (outcome, _) => Ok(outcome),
        }
    }

    async fn settle_now(&self, said: &Said<'_>, kept: &mut Kept, run: &Run) -> Result<Outcome> {
        if let (Some(done), Some(case)) = (run.recorded::<Done>(DONE), &kept.case)
            && (done.revision, &done.lapsed) == (case.revision, &case.lapsed)
        {
            return Ok(Outcome::Delivered(done.delivery));
        }
        let related = self.related(&said.asset).await?;
        let told = self.spread(said, &related, run).await?;
        let approved = match self
            .standing(&said.asset, said.change.version_id.as_deref(), kept.case.as_ref())
            .await?
        {
            Standing::Approved(approved) => approved,
            Standing::Not(_) if kept.case.is_none() && told > 0 => {
                return skipped("rights.told", "the assets that refer to it are looked at, each as an item");
            }
            Standing::Not(reason) => return self.without_asset(said, kept, reason, run).await,
        };
        run.note("version", approved.version.id.as_str());
        if kept.case.as_ref().is_some_and(|case| case.number > approved.number()) {
            return skipped("version.superseded", "the rights of a later version are filed already");
        }
        let moment = self.filer().moment();
        match Box::pin(self.bring(said, kept, &approved, &related, run)).await {
            Err(pause) if pause.code() == parts::PAUSED => Ok(Outcome::Continue),
            Err(stop) if stop.code() == approval::WITHDRAWN => Ok(Outcome::Skipped(Reason::from(&stop))),
            Err(refusal) => Err(self.filer().look_anew(refusal, moment, run).await),
            outcome => outcome,
        }
    }

    /// A hint about a release is one about every asset that refers to it. Says how many there are.
    async fn spread(&self, said: &Said<'_>, related: &[Related], run: &Run) -> Result<usize> {
        let request = said.change.request.as_deref();
        if run.is_dry() || matches!(request, Some(DUE | RELEASED)) {
            return Ok(0);
        }
        let refers = related.iter().filter(|other| {
            let mut relations = other.relations.iter();
            relations.any(|relation| relation.related_to_asset_id.as_ref() == Some(&said.asset))
        });
        let mut told = 0;
        for other in refers {
            let occasion = format!("{} {}", said.asset, said.item.short());
            self.tell(other.asset.id.as_str(), RELEASED, occasion, run).await?;
            told += 1;
        }
        Ok(told)
    }

    /// What iconik says of the version that is meant. While a later version is in work, the one whose rights are filed counts.
    pub(super) async fn standing(
        &self,
        asset: &AssetId,
        version: Option<&str>,
        case: Option<&Case>,
    ) -> Result<Standing> {
        let standing = approval::standing(&self.iconik, asset, version).await?;
        match (&standing, case) {
            (Standing::Not(reason), Some(case)) if reason.code.starts_with("approval.") => {
                approval::standing(&self.iconik, asset, Some(&case.version)).await
            }
            _ => Ok(standing),
        }
    }

    /// The asset cannot be asked any more, or is not approved: what is known of its last days holds all the same.
    async fn without_asset(
        &self,
        said: &Said<'_>,
        kept: &mut Kept,
        reason: Reason,
        run: &Run,
    ) -> Result<Outcome> {
        let Some(case) = kept.case.clone() else { return Ok(Outcome::Skipped(reason)) };
        let Some(rule) = self.rules.rule(&case.rule) else { return Ok(Outcome::Skipped(reason)) };
        let lapses = rights::lapsed(&case.expiries, today(run));
        self.lapse(said, kept, (rule, case), (lapses, reason), run).await
    }

    /// Narrows what was filed before by a rule, when something has lapsed of which nobody knows yet; nothing else of it changes.
    async fn lapse(
        &self,
        said: &Said<'_>,
        kept: &mut Kept,
        (rule, case): (&RightsRule, Case),
        (lapses, otherwise): (Vec<Lapse>, Reason),
        run: &Run,
    ) -> Result<Outcome> {
        let fresh = fresh(&lapses, Some(&case));
        if fresh.is_empty() {
            return Ok(Outcome::Skipped(otherwise));
        }
        if run.is_dry() {
            return skipped("dry-run", "rights have lapsed; access would be narrowed");
        }
        let record = record_of(&case.record);
        let documents: Vec<NodeId> = case.nodes.iter().chain(&case.statement).copied().collect();
        let process = self.narrowed(said, rule, &record, (&fresh, &case.nodes, &documents), run).await?;
        self.say(&case.nodes, (rule, &record), &lapses, run).await?;
        match self.show(&said.asset, None, &lapses).await {
            // The asset is gone: what was done stands all the same.
            Err(error) if error.class() == FailureClass::Gone => {
                tracing::warn!(error = ?error, "iconik does not show what has lapsed");
            }
            outcome => outcome?,
        }
        let lapsed = lapses.iter().map(|lapse| lapse.key.clone()).collect();
        let mut next = Case { lapsed, ..case };
        next.untold.push(Untold { text: narrowing(next.number, &fresh), begun: false });
        let delivery = delivery(&next, "lapsed", process, None);
        self.conclude(said, kept, next, delivery, run).await
    }

    /// First of all nobody may use the final any more; then somebody gets a task.
    async fn narrowed(
        &self,
        said: &Said<'_>,
        rule: &RightsRule,
        record: &Record,
        (fresh, nodes, documents): (&[Lapse], &[NodeId], &[NodeId]),
        run: &Run,
    ) -> Result<Option<ProcessId>> {
        self.narrow(nodes, &rule.narrowed, run).await?;
        let Some(task) = rule.task.as_ref().filter(|_| !fresh.is_empty()) else { return Ok(None) };
        let about = (fresh, documents);
        self.give_task((&said.asset, &said.item), task, record, about, run).await.map(Some)
    }

    async fn bring(
        &self,
        said: &Said<'_>,
        kept: &mut Kept,
        approved: &Approved,
        related: &[Related],
        run: &Run,
    ) -> Result<Outcome> {
        let record = self.record(approved).await?;
        let Some(rule) = self.rules.choose(&record) else {
            return self.without_rule(said, kept, run).await;
        };
        run.note("rule", &rule.name);
        let releases = self.releases(approved, rule, related).await?;
        let before = kept.case.clone();
        let rights = Rights::of(approved, rule, record, releases, before.is_some())?;
        let nodes = self.final_documents(approved, &rights, run).await?;
        if run.is_dry() {
            let message =
                format!("rule {} files a statement and {} releases", rule.name, rights.releases.len());
            return skipped("dry-run", &message);
        }
        let revision = self.revision(&said.asset, &rights.digest, run).await?;
        let lapses = rights.lapses(today(run));
        let fresh = fresh(&lapses, before.as_ref());
        let keys: Vec<String> = lapses.iter().map(|lapse| lapse.key.clone()).collect();
        let is_filed = before.as_ref().is_some_and(|case| {
            (case.revision, case.version.as_str()) == (revision, approved.version.id.as_str())
                && case.nodes == nodes
                && case.lapsed == keys
        });
        if is_filed {
            return skipped(
                "rights.already-filed",
                "these rights were filed before, and nothing has lapsed since",
            );
        }
        let mut process = None;
        if !lapses.is_empty() {
            let statement = before.as_ref().and_then(|case| case.statement);
            let documents: Vec<NodeId> = nodes.iter().copied().chain(statement).collect();
            let what = (fresh.as_slice(), nodes.as_slice(), documents.as_slice());
            process = self.narrowed(said, rule, &rights.record, what, run).await?;
        }
        let (filed, case) =
            self.file(approved, &rights, (revision, &lapses, &nodes, before.as_ref()), run).await?;
        let told = untold(before.as_ref(), &case, &fresh, filed.releases.len());
        let case = Case { untold: told, ..case };
        self.show(&said.asset, case.statement.map(|node| node.0), &lapses).await?;
        let what = if lapses.is_empty() { "filed" } else { "lapsed" };
        let delivery = delivery(&case, what, process, Some(&filed));
        self.conclude(said, kept, case, delivery, run).await
    }

    /// Keeps what was done, and tells it. An attempt after this one finds it done, and ends as this one would have.
    async fn conclude(
        &self,
        said: &Said<'_>,
        kept: &mut Kept,
        case: Case,
        delivery: Delivery,
        run: &Run,
    ) -> Result<Outcome> {
        let done = Done { revision: case.revision, lapsed: case.lapsed.clone(), delivery };
        run.checkpoint(DONE, &done).await?;
        self.keep(&said.asset, kept, case, run).await?;
        if let Err(error) = self.tell_rest(&said.asset, kept, run).await {
            // However the item ends, its audit says what was done.
            for (name, fact) in &done.delivery.detail {
                run.note(name, fact.as_str());
            }
            return Err(error);
        }
        Ok(Outcome::Delivered(done.delivery))
    }

    /// Says on the final what was filed, and whether it lasts.
    async fn say(
        &self,
        nodes: &[NodeId],
        (rule, record): (&RightsRule, &Record),
        lapses: &[Lapse],
        run: &Run,
    ) -> Result<()> {
        self.say_on(nodes, &said_on_final(rule, record, lapses)?, run).await
    }

    /// No rule takes the asset. Where one did, its rights have lapsed.
    async fn without_rule(&self, said: &Said<'_>, kept: &mut Kept, run: &Run) -> Result<Outcome> {
        let reason = Reason::new("rule.none", "no rule takes the asset");
        let Some(case) = kept.case.clone() else { return Ok(Outcome::Skipped(reason)) };
        let Some(rule) = self.rules.rule(&case.rule) else { return Ok(Outcome::Skipped(reason)) };
        let mut lapses = rights::lapsed(&case.expiries, today(run));
        lapses.push(without_a_rule(&case));
        self.lapse(said, kept, (rule, case), (lapses, reason), run).await
    }

    /// What rules read of an approved version.
    pub(super) async fn record(&self, approved: &Approved) -> Result<Record> {
        let mut record = approved.record();
        for (name, id) in &self.rules.views {
            let fields = self.rules.fields_of_assets(name);
            if !fields.is_empty() {
                approval::check_view(&self.iconik, id, &fields).await?;
                record = record.with(name, approved.values(&self.iconik, id).await?);
            }
        }
        Ok(record)
    }

    /// Files releases and statement, says so on the final, and lets people use it when nothing has lapsed.
    async fn file(
        &self,
        approved: &Approved,
        rights: &Rights<'_>,
        (revision, lapses, nodes, before): (u64, &[Lapse], &[NodeId], Option<&Case>),
        run: &Run,
    ) -> Result<(Filed, Case)> {
        let (rule, place) = (rights.rule, self.place(nodes, rights).await?);
        let releases = Box::pin(self.file_releases(approved, rights, &place, run)).await?;
        // The statement of a revision is made once: it does not say whether the rights last.
        let is_made =
            |case: &&Case| (case.revision, case.version.as_str()) == (revision, approved.version.id.as_str());
        let (statement, digests) = match before.filter(is_made).and_then(|case| case.statement) {
            Some(statement) => (statement, None),
            None => {
                let what = (revision, releases.as_slice());
                let (node, digests) =
                    Box::pin(self.file_statement(approved, rights, what, &place, run)).await?;
                (node, Some(digests))
            }
        };
        let numbers: Vec<String> = releases.iter().map(|filed| filed.node.to_string()).collect();
        let filed = json!({
            "statement": statement, "releases": numbers, "revision": revision,
            "expires": rights.until().map(|day| day.to_string()),
        });
        let record = rights.record.clone().with("filed", filed);
        self.say(nodes, (rule, &record), lapses, run).await?;
        if let Some(access) = rule.access.as_ref().filter(|_| lapses.is_empty()) {
            approved.check(&self.iconik).await?;
            self.widen(nodes, access, run).await?;
        }
        let case = Case {
            version: approved.version.id.to_string(),
            number: approved.number(),
            revision,
            rule: rule.name.clone(),
            nodes: nodes.to_vec(),
            statement: Some(statement),
            expiries: rights.expiries.clone(),
            lapsed: lapses.iter().map(|lapse| lapse.key.clone()).collect(),
            record: serde_json::to_value(&record)
                .map_err(|error| Error::bug("keep rights", "a record is not JSON").source(error))?,
            untold: Vec::new(),
        };
        let of_statement = digests.as_ref().map_or(0, |digests| digests.bytes);
        let bytes = of_statement + releases.iter().map(|filed| filed.bytes).sum::<u64>();
        Ok((Filed { releases, sha256: digests.map(|digests| digests.sha256), bytes }, case))
    }
}

/// What a final says of what was filed, and whether it lasts.
pub(super) fn said_on_final(
    rule: &RightsRule,
    record: &Record,
    lapses: &[Lapse],
) -> Result<Vec<CategoryPlan>> {
    let mut filed = record.get("filed").and_then(Value::as_object).cloned().unwrap_or_default();
    let state = if lapses.is_empty() { "current" } else { "lapsed" };
    filed.insert("state".to_owned(), state.into());
    filed.insert("lapsed".to_owned(), (!lapses.is_empty()).then(|| rights::sentence(lapses)).into());
    let record = record.clone().with("filed", filed);
    rule.categories(&record).map_err(|violations| refused(&violations))
}

/// What lapses when no rule takes an asset any more whose rights were filed.
pub(super) fn without_a_rule(case: &Case) -> Lapse {
    Lapse {
        key: format!("no rule {}", case.revision),
        text: "the metadata of the asset do not meet any rule any more".to_owned(),
        date: None,
    }
}

/// What was filed.
struct Filed {
    releases: Vec<FiledRelease>,
    /// Of the statement, when it was made.
    sha256: Option<String>,
    bytes: u64,
}

/// What has lapsed of which nobody knows yet.
fn fresh(lapses: &[Lapse], before: Option<&Case>) -> Vec<Lapse> {
    let is_known = |lapse: &&Lapse| before.is_some_and(|case| case.lapsed.contains(&lapse.key));
    lapses.iter().filter(|lapse| !is_known(lapse)).cloned().collect()
}

/// What the history is to be told of a case.
fn untold(before: Option<&Case>, case: &Case, fresh: &[Lapse], releases: usize) -> Vec<Untold> {
    let mut told: Vec<Untold> = before.map(|case| case.untold.clone()).unwrap_or_default();
    let was = before.map(|case| (case.revision, case.version.as_str()));
    let mut tell = |text: String| told.push(Untold { text, begun: false });
    let (revision, number) = (case.revision, case.number);
    if was != Some((revision, case.version.as_str())) {
        let documents = if releases == 1 { "document" } else { "documents" };
        tell(format!(
            "Rights of version {number}: revision {revision} is filed in Content Server beside the final, with {releases} release {documents}"
        ));
    }
    if !fresh.is_empty() {
        tell(narrowing(number, fresh));
    }
    if case.lapsed.is_empty() && before.is_some_and(|case| !case.lapsed.is_empty()) {
        tell(format!(
            "Rights of version {number}: they last again with revision {revision}; access in Content Server is given back"
        ));
    }
    told
}

fn narrowing(number: i64, fresh: &[Lapse]) -> String {
    format!(
        "Rights of version {number} have lapsed: {}; access in Content Server is narrowed",
        rights::sentence(fresh)
    )
}

fn delivery(case: &Case, what: &str, process: Option<ProcessId>, filed: Option<&Filed>) -> Delivery {
    let nodes: Vec<String> = case.nodes.iter().map(ToString::to_string).collect();
    let releases: Vec<Value> = filed
        .iter()
        .flat_map(|filed| &filed.releases)
        .map(|one| json!({"release": one.release, "node": one.node, "sha256": one.sha256}))
        .collect();
    let mut detail: std::collections::BTreeMap<String, String> = [
        ("rights", what.to_owned()),
        ("revision", case.revision.to_string()),
        ("rule", case.rule.clone()),
        ("nodes", nodes.join(" ")),
    ]
    .map(|(name, fact)| (name.to_owned(), fact))
    .into();
    detail.extend(case.statement.map(|node| ("statement".to_owned(), node.to_string())));
    detail.extend(process.map(|process| ("task".to_owned(), process.0.to_string())));
    Delivery {
        result: json!({
            "statement": case.statement, "revision": case.revision, "releases": releases, "task": process,
        }),
        digest: filed.and_then(|filed| filed.sha256.clone()),
        bytes: filed.map_or(0, |filed| filed.bytes),
        detail,
    }
}

/// A record as it was kept.
pub(super) fn record_of(kept: &Value) -> Record {
    let namespaces: Map<String, Value> = kept.as_object().cloned().unwrap_or_default();
    namespaces.into_iter().fold(Record::new(), |record, (name, values)| record.with(&name, values))
}
