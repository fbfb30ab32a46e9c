//! Users and groups.

use serde_json::{Value, json};

use super::children::passes;
use super::{Call, number};
use crate::content_server::render;
use crate::content_server::reply::{Page, Reply, collection, done, results};
use crate::content_server::state::{Member, MemberId, Outcome, Refusal};

pub(super) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Option<Outcome<Reply>> {
    Some(match (method, path) {
        ("GET", ["v2", "members"]) => search(call),
        ("GET", ["v2", "members", "reserved"]) => reserved(call),
        ("GET" | "DELETE", ["v2", "members", "sessions"]) => sessions(call, method == "DELETE"),
        ("GET", ["v2", "members", id]) if id.parse::<i64>().is_ok() => number(id).and_then(|id| {
            let member = call.state.members.get(&id).ok_or(Refusal::NotAccessible)?;
            Ok(results(json!({"data": {"properties": render::member(member)}})))
        }),
        ("GET", ["v2", "members", id, "members"]) => number(id).and_then(|id| {
            let group = call.state.members.get(&id).ok_or(Refusal::NotAccessible)?;
            let members = group.members.iter().filter_map(|id| call.state.members.get(id)).collect();
            list(call, members)
        }),
        ("GET", ["v2", "members", id, "memberof"]) => number(id).and_then(|id| {
            let groups = call.state.members.values().filter(|group| group.members.contains(&id)).collect();
            list(call, groups)
        }),
        ("POST", ["v2", "members", id, "members"]) => number(id).and_then(|id| membership(call, id)),
        _ => return None,
    })
}

fn list(call: &Call<'_>, members: Vec<&Member>) -> Outcome<Reply> {
    let items: Vec<Value> =
        members.into_iter().map(|member| json!({"data": {"properties": render::member(member)}})).collect();
    let (page, cut) = Page::cut(&call.params, &call.state.settings, 25, items)?;
    Ok(Reply::Json(collection(&call.path, page, "asc_name", cut)))
}

fn search(call: &mut Call<'_>) -> Outcome<Reply> {
    let kinds = call.params.numbers("where_type")?;
    let wanted = |name: &str| call.params.filled(name);
    let (name, first, last) = (wanted("where_name"), wanted("where_first_name"), wanted("where_last_name"));
    let (email, query) = (wanted("where_business_email"), wanted("query"));
    if query.is_some() && call.params.all().keys().any(|key| key.starts_with("where_") && key != "where_type")
    {
        return Err(Refusal::said(400, "The parameter 'query' cannot be combined with 'where_' parameters."));
    }
    let settings = &call.state.settings;
    let fits = |text: &str, wanted: &Option<String>| {
        wanted.as_deref().is_none_or(|wanted| passes(settings, settings.member_name_filter, text, wanted))
    };
    let mut found: Vec<&Member> = call
        .state
        .members
        .values()
        .filter(|member| !member.deleted && member.node.is_none())
        .filter(|member| kinds.is_empty() || kinds.contains(&member.kind))
        .filter(|member| fits(&member.name, &name) && fits(&member.first_name, &first))
        .filter(|member| fits(&member.last_name, &last) && fits(&member.email, &email))
        .filter(|member| {
            let text = format!("{} {} {}", member.name, member.first_name, member.last_name).to_lowercase();
            query.as_deref().is_none_or(|query| text.contains(&query.to_lowercase()))
        })
        .collect();
    found.sort_by_cached_key(|member| member.name.to_lowercase());
    list(call, found)
}

fn reserved(call: &mut Call<'_>) -> Outcome<Reply> {
    let mine = |node: &&crate::content_server::state::Node| {
        node.reserved.as_ref().is_some_and(|reservation| reservation.user == call.actor)
    };
    let items: Vec<Value> = call
        .state
        .nodes
        .values()
        .filter(mine)
        .map(|node| json!({"data": {"properties": render::properties(call.state, node)}}))
        .collect();
    let (page, cut) = Page::cut(&call.params, &call.state.settings, 25, items)?;
    Ok(Reply::Json(collection(&call.path, page, "asc_name", cut)))
}

fn sessions(call: &mut Call<'_>, end: bool) -> Outcome<Reply> {
    if !call.state.is_administrator(call.actor) {
        return Err(Refusal::Insufficient);
    }
    if end {
        call.state.end_all_sessions();
    }
    done()
}

fn membership(call: &mut Call<'_>, group: MemberId) -> Outcome<Reply> {
    if !call.state.is_administrator(call.actor) {
        return Err(Refusal::Insufficient);
    }
    let member = call.params.needed_number("member_id")?;
    let group = call.state.members.get_mut(&group).ok_or(Refusal::NotAccessible)?;
    group.members.insert(member);
    done()
}
