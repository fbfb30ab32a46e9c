//! One page of a search, so that no page can be missed or come twice.
//!
//! Numbered pages shift under a reader: an item that is edited meanwhile moves to another page, and servers were seen to
//! repeat pages. So each page is asked for as the first one behind the last number seen, which is a node's own and never
//! changes. Whether a server honours the order by number is not documented: when it does not, all pages of the search
//! are read and sorted here.

use jiff::{Timestamp, tz::TimeZone};
use shared::{
    content_server::{NodeId, Search},
    error::Result,
};

use super::WatchContentServer;
use crate::feeds::{Feed, Scope};

const BY_NUMBER: &str = "asc_OTDataID";
const BY_NUMBER_FROM_THE_END: &str = "desc_OTDataID";

/// What a search found, and the date the index has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) node: i64,
    pub(super) modified: Option<Timestamp>,
}

impl WatchContentServer {
    /// What a feed's search finds behind a node's number, in order; empty at the end.
    pub(super) async fn page(
        &self,
        feed: &Feed,
        since: Option<Timestamp>,
        after: i64,
        unordered: bool,
    ) -> Result<Vec<Hit>> {
        let mut found = self.content_server.search(self.search(feed, since, after, BY_NUMBER));
        let mut hits = Vec::new();
        while let Some(page) = found.next_page().await? {
            hits.extend(page.iter().map(|node| Hit { node: node.id.0, modified: node.modified }));
            if !unordered && hits.is_sorted_by_key(|hit| hit.node) {
                break;
            }
        }
        hits.retain(|hit| hit.node > after);
        hits.sort_unstable_by_key(|hit| hit.node);
        hits.dedup_by_key(|hit| hit.node);
        Ok(hits)
    }

    /// Whether the server pays no heed to the order asked for: then the first page says nothing about the others.
    pub(super) async fn is_unordered(&self, feed: &Feed) -> Result<bool> {
        let mut ends = Vec::new();
        for order in [BY_NUMBER, BY_NUMBER_FROM_THE_END] {
            let page = self.content_server.search(self.search(feed, None, 0, order)).next_page().await?;
            ends.push(page.unwrap_or_default().into_iter().map(|node| node.id.0).collect::<Vec<_>>());
        }
        let [up, down] = ends.as_slice() else { return Ok(true) };
        let falls = down.is_sorted_by(|one, next| one >= next);
        Ok(!(up.is_sorted() && falls && up.first() <= down.first()) || (up.len() > 1 && up == down))
    }

    fn search(&self, feed: &Feed, since: Option<Timestamp>, after: i64, sort: &str) -> Search {
        let (below, query) = match &feed.scope {
            Scope::Search { below, query } => (*below, query.as_deref()),
            Scope::Workspaces { .. } => (None, None),
        };
        let mut parts: Vec<String> = query.map(|query| format!("({query})")).into_iter().collect();
        if let Some(since) = since {
            let zone = TimeZone::get(&self.content_server.settings().time_zone).unwrap_or(TimeZone::UTC);
            parts.push(changed_since(since, zone));
        }
        parts.push(format!("[QLREGION \"OTDataID\"] > \"{after}\""));
        Search {
            query: parts.join(" AND "),
            location: below.map(NodeId),
            sort: Some(sort.to_owned()),
            saved: None,
        }
    }
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
    use super::*;

    #[test]
    fn the_window_is_asked_for_in_the_servers_zone() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let query = changed_since("2031-05-06T23:08:09Z".parse().unwrap(), zone);
        assert_eq!(
            query,
            "([QLREGION \"OTModifyDate\"] > \"20310507\" OR ([QLREGION \"OTModifyDate\"] = \"20310507\" AND \
             [QLREGION \"OTModifyTime\"] >= \"010809\"))"
        );
    }
}
