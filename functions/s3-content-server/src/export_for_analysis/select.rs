//! Which documents a run looks at: their numbers, in order, kept in a list in S3.
//!
//! A search is read page by page, each asked for as the first behind the last number seen: numbered pages shift under a
//! reader. A server that pays no heed to the order asked for is searched whole until a search brings nothing new. The
//! watermark is a date of Content Server's own and never passes what was to be seen when the search began.

use std::collections::BTreeSet;

use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};
use shared::{
    content_server::{ChildFilter, NOT_ACCESSIBLE, NOT_FOUND, Node, NodeId, Search, kind},
    error::{Error, FailureClass, Result},
    flow::Run,
};

use super::{
    ExportForAnalysis, Mode, Saved,
    gate::Bounds,
    plan::{CLOCKS_DIFFER, Plan, WorkObject, read_back},
};
use crate::export_rules::{DataSet, Find};

/// Documents one run takes; their numbers are held in memory.
const MOST_DOCUMENTS: usize = 1_000_000;
/// How often an unordered search or a listing of several pages is read until it brings nothing new.
const MOST_READINGS: usize = 8;

const BY_NUMBER: &str = "asc_OTDataID";
const BY_NUMBER_FROM_THE_END: &str = "desc_OTDataID";
const SELECTION: &str = "selection";

/// The list of a run, as far as it has come.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Selection {
    pub(super) list: WorkObject,
    /// How many documents there are in it.
    pub(super) count: usize,
    /// Where the watermark goes when the run ends; nothing while the list is not complete.
    pub(super) watermark: Option<Timestamp>,
    complete: bool,
}

/// What was found so far.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Found {
    nodes: BTreeSet<i64>,
    /// The last number of an ordered search.
    after: i64,
    /// Whether the server pays no heed to the order.
    unordered: Option<bool>,
    /// Containers that are still to be listed; nothing before the first.
    containers: Option<Vec<i64>>,
    /// The newest date on the first page: something that was there when the reading began.
    first_page: Option<Timestamp>,
    newest: Option<Timestamp>,
    started: bool,
}

impl Found {
    fn met(&mut self, page: &[Node], plan: &Plan) -> Result<()> {
        let newest = page.iter().filter_map(|node| node.modified).max();
        if !self.started {
            self.started = true;
            self.first_page = newest;
        }
        self.newest = self.newest.max(newest);
        let documents = page.iter().filter(|node| node.kind == kind::DOCUMENT);
        // A date that nobody gives is no reason to leave a document out.
        let in_window = documents.filter(|node| match (plan.since, node.modified) {
            (Some(since), Some(modified)) => modified >= since || self.containers.is_none(),
            _ => true,
        });
        self.nodes.extend(in_window.map(|node| node.id.0));
        self.bounded()
    }

    fn bounded(&self) -> Result<()> {
        if self.nodes.len() > MOST_DOCUMENTS {
            let message = format!("the data set has more than {MOST_DOCUMENTS} documents");
            return Err(Error::invalid("export.too-many", message)
                .remedy("divide it into several data sets by `within` or `query`"));
        }
        Ok(())
    }

    fn watermark(&self, plan: &Plan) -> Option<Timestamp> {
        let by_clock = plan.begun.checked_sub(CLOCKS_DIFFER).unwrap_or(Timestamp::MIN);
        // Listing a container, nothing is known to have been there when it began but what our clock says.
        let first_page = self.first_page.filter(|_| self.containers.is_none());
        let bound = first_page.map_or(by_clock, |date| date.max(by_clock));
        match (self.newest, plan.since) {
            (Some(newest), _) => Some(newest.min(bound)),
            (None, None) => Some(by_clock),
            (None, Some(_)) => None,
        }
    }
}

impl ExportForAnalysis {
    /// The complete list, or nothing when the invocation ends before it is.
    pub(super) async fn select(
        &self,
        data_set: &DataSet,
        plan: &Plan,
        bounds: &Bounds,
        run: &Run,
    ) -> Result<Option<Selection>> {
        let earlier: Option<Selection> = run.recorded(SELECTION);
        let mut found = match &earlier {
            Some(selection) if selection.complete => return Ok(earlier),
            Some(selection) => {
                let bytes = read_back(&self.s3, self.bucket(), &selection.list).await?;
                serde_json::from_slice(&bytes)
                    .map_err(|error| Error::bug("read list", "a list cannot be read").source(error))?
            }
            None => Found::default(),
        };
        let complete = Box::pin(self.find(data_set, plan, bounds, &mut found, || run.must_stop())).await?;
        let text = if complete {
            found.nodes.iter().map(|node| format!("{node}\n")).collect::<String>().into_bytes()
        } else {
            serde_json::to_vec(&found)
                .map_err(|error| Error::bug("write list", "a list cannot be written").source(error))?
        };
        let name = if complete { "selected" } else { "selecting" };
        let selection = Selection {
            list: self.keep((data_set, plan), name, text).await?,
            count: found.nodes.len(),
            // What a saved query finds is not everything that changed.
            watermark: if complete && plan.mode != Mode::Selected { found.watermark(plan) } else { None },
            complete,
        };
        run.checkpoint(SELECTION, &selection).await?;
        Ok(complete.then_some(selection))
    }

    /// The numbers of a complete list.
    pub(super) async fn selected(&self, selection: &Selection) -> Result<Vec<i64>> {
        let bytes = read_back(&self.s3, self.bucket(), &selection.list).await?;
        let text = String::from_utf8_lossy(&bytes);
        Ok(text.lines().filter_map(|line| line.parse().ok()).collect())
    }

    /// The first documents a run would look at, for a rehearsal.
    pub(super) async fn glance(&self, data_set: &DataSet, plan: &Plan, bounds: &Bounds) -> Result<Vec<i64>> {
        let mut found = Found::default();
        self.find(data_set, plan, bounds, &mut found, || true).await?;
        Ok(found.nodes.into_iter().collect())
    }

    /// All documents a run would look at.
    pub(super) async fn find_all(
        &self,
        data_set: &DataSet,
        plan: &Plan,
        bounds: &Bounds,
    ) -> Result<Vec<i64>> {
        let mut found = Found::default();
        self.find(data_set, plan, bounds, &mut found, || false).await?;
        Ok(found.nodes.into_iter().collect())
    }

    /// Goes on finding; says whether everything was found. It stops between two pages.
    async fn find(
        &self,
        data_set: &DataSet,
        plan: &Plan,
        bounds: &Bounds,
        found: &mut Found,
        must_stop: impl Fn() -> bool,
    ) -> Result<bool> {
        match (&plan.saved, data_set.find) {
            (Some(Saved::SavedSearch(node)), _) => {
                // What is saved in the server says which documents of the data set; it adds none.
                if data_set.query.is_some() && !self.search(data_set, plan, bounds, found, must_stop).await? {
                    return Ok(false);
                }
                let mut saved = Found::default();
                self.saved_search(NodeId(*node), plan, &mut saved).await?;
                match data_set.query {
                    Some(_) => found.nodes.retain(|node| saved.nodes.contains(node)),
                    None => found.nodes = saved.nodes,
                }
                Ok(true)
            }
            (None, Find::Walk) => self.walk(plan, bounds, found, must_stop).await,
            (Some(Saved::Query(_)), _) | (None, Find::Search) => {
                self.search(data_set, plan, bounds, found, must_stop).await
            }
        }
    }

    /// What a search query that is saved in Content Server finds, or a `WebReport` names.
    async fn saved_search(&self, node: NodeId, plan: &Plan, found: &mut Found) -> Result<()> {
        let no_search = |what: &str| {
            Error::invalid("export.no-saved-search", format!("node {node} {what}"))
                .field("saved_search")
                .remedy("name a search query or a WebReport that the service user may open")
        };
        let kind = match self.content_server.get_node(node).await {
            Ok(node) => node.kind,
            Err(error) if matches!(error.code(), NOT_ACCESSIBLE | NOT_FOUND) => {
                return Err(no_search("is not there, or the service user may not see it"));
            }
            Err(error) => return Err(error),
        };
        match kind {
            kind::SEARCH_QUERY => {
                let search = Search { saved: Some(node), ..Search::default() };
                self.search_all(search, plan, found).await
            }
            kind::WEB_REPORT => {
                let report = self.content_server.web_report(node).await?;
                let nodes = numbers(&report).ok_or_else(|| {
                    no_search("answers something else than a list of numbers, or of objects with `id`")
                })?;
                found.nodes.extend(nodes);
                found.bounded()
            }
            _ => Err(no_search("is neither a search query nor a WebReport")),
        }
    }

    async fn search(
        &self,
        data_set: &DataSet,
        plan: &Plan,
        bounds: &Bounds,
        found: &mut Found,
        must_stop: impl Fn() -> bool,
    ) -> Result<bool> {
        let asked = |after: i64, sort: &str| Search {
            query: self.query(data_set, plan, after),
            location: Some(bounds.within),
            sort: Some(sort.to_owned()),
            saved: None,
        };
        if found.unordered.is_none() {
            let up = self.first_page(asked(0, BY_NUMBER)).await?;
            let down = self.first_page(asked(0, BY_NUMBER_FROM_THE_END)).await?;
            found.unordered = Some(!is_ordered(&up, &down));
        }
        if found.unordered == Some(true) {
            return self.search_all(asked(0, BY_NUMBER), plan, found).await.map(|()| true);
        }
        loop {
            let mut pages = self.content_server.search(asked(found.after, BY_NUMBER));
            let mut page = Vec::new();
            // One page, unless it is not in order after all.
            while let Some(next) = pages.next_page().await.map_err(rejected)? {
                page.extend(next);
                if page.is_sorted_by_key(|node: &Node| node.id.0) {
                    break;
                }
            }
            page.retain(|node| node.id.0 > found.after);
            let Some(last) = page.iter().map(|node| node.id.0).max() else { return Ok(true) };
            found.met(&page, plan)?;
            found.after = last;
            if must_stop() {
                return Ok(false);
            }
        }
    }

    async fn first_page(&self, search: Search) -> Result<Vec<i64>> {
        let page = self.content_server.search(search).next_page().await.map_err(rejected)?;
        Ok(page.unwrap_or_default().into_iter().map(|node| node.id.0).collect())
    }

    /// Reads all numbered pages, again and again until nothing new comes: what moved to an earlier page meanwhile is
    /// found the next time.
    async fn search_all(&self, search: Search, plan: &Plan, found: &mut Found) -> Result<()> {
        for reading in 0..MOST_READINGS {
            let before = found.nodes.len();
            let mut pages = self.content_server.search(search.clone());
            while let Some(page) = pages.next_page().await.map_err(rejected)? {
                found.met(&page, plan)?;
            }
            if reading > 0 && found.nodes.len() == before {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn query(&self, data_set: &DataSet, plan: &Plan, after: i64) -> String {
        let mut parts: Vec<String> = data_set.query.iter().map(|query| format!("({query})")).collect();
        if let Some(Saved::Query(name)) = &plan.saved {
            parts.extend(data_set.queries.get(name).map(|query| format!("({query})")));
        }
        parts.push(format!("[QLREGION \"OTSubType\"] = \"{}\"", kind::DOCUMENT));
        if let Some(since) = plan.since {
            let zone = TimeZone::get(&self.content_server.settings().time_zone).unwrap_or(TimeZone::UTC);
            parts.push(changed_since(since, zone));
        }
        parts.push(format!("[QLREGION \"OTDataID\"] > \"{after}\""));
        parts.join(" AND ")
    }

    async fn walk(
        &self,
        plan: &Plan,
        bounds: &Bounds,
        found: &mut Found,
        must_stop: impl Fn() -> bool,
    ) -> Result<bool> {
        let mut containers = found.containers.take().unwrap_or_else(|| vec![bounds.within.0]);
        while let Some(container) = containers.pop() {
            let children = self.children(NodeId(container)).await?;
            containers.extend(children.iter().filter(|child| child.container).map(|child| child.id.0));
            found.containers = Some(Vec::new());
            found.met(&children, plan)?;
            if must_stop() && !containers.is_empty() {
                found.containers = Some(containers);
                return Ok(false);
            }
        }
        found.containers = Some(containers);
        Ok(true)
    }

    /// What is in a container. Pages of a listing shift when something before them goes, so a listing of several pages is
    /// read until it brings nothing new.
    async fn children(&self, container: NodeId) -> Result<Vec<Node>> {
        let mut known = BTreeSet::new();
        let mut children = Vec::new();
        for reading in 0..MOST_READINGS {
            let before = known.len();
            let mut pages = 0;
            let mut listing = self.content_server.list_children(container, ChildFilter::default());
            while let Some(page) = listing.next_page().await? {
                pages += 1;
                children.extend(page.into_iter().filter(|child| known.insert(child.id)));
            }
            if pages <= 1 || reading > 0 && known.len() == before {
                break;
            }
        }
        Ok(children)
    }
}

/// What Content Server says to an expression it cannot read is the rules' fault.
fn rejected(error: Error) -> Error {
    let bad = matches!(error.code(), "content-server.bad-query" | "content-server.bad-request");
    if bad && matches!(error.class(), FailureClass::Forbidden | FailureClass::Invalid) {
        return error
            .with_code("export.query-rejected")
            .field("query")
            .remedy("correct the expression, trying it in Content Server's own search first");
    }
    error
}

/// The numbers of nodes that a report lists, alone or as `id` of objects; its list may be called `data` or `results`.
fn numbers(report: &serde_json::Value) -> Option<Vec<i64>> {
    let list = ["data", "results"].iter().find_map(|name| report.get(name)).unwrap_or(report);
    let number = |entry: &serde_json::Value| match entry.get("id").unwrap_or(entry) {
        serde_json::Value::String(text) => text.trim().parse().ok(),
        value => value.as_i64(),
    };
    list.as_array()?.iter().map(|entry| number(entry).filter(|number| *number > 0)).collect()
}

/// Whether a server heeds the order asked for, by its first pages in both orders.
fn is_ordered(up: &[i64], down: &[i64]) -> bool {
    let falls = down.is_sorted_by(|one, next| one >= next);
    up.is_sorted() && falls && up.first() <= down.first() && !(up.len() > 1 && up == down)
}

/// Day and time are separate regions of the index, in the server's zone as far as anybody knows.
fn changed_since(since: Timestamp, zone: TimeZone) -> String {
    let since = since.to_zoned(zone);
    let (day, time) = (since.strftime("%Y%m%d"), since.strftime("%H%M%S"));
    format!(
        "([QLREGION \"OTModifyDate\"] > \"{day}\" OR \
         ([QLREGION \"OTModifyDate\"] = \"{day}\" AND [QLREGION \"OTModifyTime\"] >= \"{time}\"))"
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_report_lists_numbers_alone_or_in_objects_and_nothing_else() {
        for report in [json!([7, 8]), json!({"data": [{"id": 7}, {"id": "8"}]}), json!({"results": ["7", 8]})]
        {
            assert_eq!(numbers(&report), Some(vec![7, 8]), "{report}");
        }
        for report in [json!({}), json!([7, "x"]), json!([{"node": 7}]), json!([-7]), json!("7")] {
            assert_eq!(numbers(&report), None, "{report}");
        }
        assert_eq!(numbers(&json!([])), Some(Vec::new()));
    }

    #[test]
    fn more_documents_than_a_run_takes_are_told() {
        let most = i64::try_from(MOST_DOCUMENTS).unwrap();
        let mut found = Found { nodes: (1..=most).collect(), ..Found::default() };
        found.bounded().unwrap();
        found.nodes.insert(most + 1);
        let error = found.bounded().unwrap_err();
        assert_eq!((error.code(), error.class()), ("export.too-many", FailureClass::Invalid));
        assert!(error.remedy_text().is_some_and(|remedy| remedy.contains("divide")));
    }
}
