//! The calls: each file reads the parameters of one family, asks the state, and renders.

mod audit;
mod categories;
mod children;
mod classifications;
pub(super) mod content;
pub(super) mod directory;
mod large_upload;
mod members;
mod misc;
mod nodes;
mod permissions;
mod records;
mod recycle_bin;
mod schedules;
mod search;
pub(super) mod session;
mod tasks;
mod versions;
mod workflows;
mod workspaces;

use http::{HeaderMap, Method};

use super::reply::Reply;
use super::request::Params;
use super::state::{Api, MemberId, Outcome, Refusal, State};

/// One call, with everything it may use.
pub(super) struct Call<'a> {
    pub(super) state: &'a mut State,
    pub(super) params: Params,
    pub(super) method: Method,
    pub(super) api: Api,
    pub(super) actor: MemberId,
    pub(super) path: String,
    pub(super) headers: &'a HeaderMap,
}

/// A family of calls: `None` when the path is not its own.
type Family = fn(&mut Call<'_>, &str, &[&str]) -> Option<Outcome<Reply>>;

/// Finds the call; `None` when there is no such URL or its module is absent.
pub(super) fn route(call: &mut Call<'_>, path: &[&str]) -> Option<Outcome<Reply>> {
    let modules = call.state.settings.modules.clone();
    let families: [(bool, Family); 20] = [
        (true, session::route),
        (true, nodes::route),
        (true, children::route),
        (true, versions::route),
        (true, content::route),
        (true, categories::route),
        (true, permissions::route),
        (true, audit::route),
        (true, classifications::route),
        (true, recycle_bin::route),
        (true, members::route),
        (true, search::route),
        (modules.large_upload, large_upload::route),
        (modules.workspaces, workspaces::route),
        (modules.workflows, workflows::route),
        (modules.workflows, tasks::route),
        (modules.records, records::route),
        (modules.records, schedules::route),
        (modules.web_reports, misc::web_reports),
        (true, misc::route),
    ];
    let method = call.method.clone();
    families
        .into_iter()
        .filter(|(present, _)| *present)
        .find_map(|(_, family)| family(call, method.as_str(), path))
}

/// A number in a path.
fn number(text: &str) -> Outcome<i64> {
    text.parse().map_err(|_| Refusal::BadType("id".to_owned()))
}
