//! What leads from one entity to another.

use serde::{Deserialize, Serialize};

use super::{Entity, Kind, Outcome, Refusal, State};

/// A link. Several of one type between the same two are not kept apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Id of the entry.
    pub api_id: String,
    /// Its type, a word of whoever made it.
    pub kind: String,
    /// Reference of the entity that it leads from.
    pub from: String,
    /// Reference of the entity that it leads to.
    pub to: String,
}

impl State {
    /// Leads from one entity to another from now on.
    pub(in crate::preservica) fn link(
        &mut self,
        user: &str,
        kind: &str,
        (from, to): (&str, &str),
    ) -> Outcome<Link> {
        for end in [from, to] {
            let found = self.entities.get(end).filter(|entity| !entity.deleted);
            let found =
                found.ok_or_else(|| Refusal::NotFound(format!("There is no entity with reference {end}")))?;
            if found.kind == Kind::ContentObject {
                return Err(Refusal::Refused(422, "Content objects are not linked".to_owned()));
            }
        }
        let link = Link {
            api_id: self.new_api_id(),
            kind: kind.to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
        };
        self.links.push(link.clone());
        self.happened("Modified", user, "AddLink", &[from.to_owned()]);
        Ok(link)
    }

    /// The links of an entity, each with its direction as seen from there and the entity at its other end.
    pub(in crate::preservica) fn links_of(&self, entity: &str) -> Vec<(&Link, &'static str, &Entity)> {
        let ends = |link: &Link| -> Option<(&'static str, String)> {
            match (link.from == entity, link.to == entity) {
                (true, _) => Some(("From", link.to.clone())),
                (false, true) => Some(("To", link.from.clone())),
                (false, false) => None,
            }
        };
        let found = self.links.iter().filter_map(|link| {
            let (direction, other) = ends(link)?;
            let other = self.entities.get(&other).filter(|other| !other.deleted)?;
            Some((link, direction, other))
        });
        found.collect()
    }

    /// Takes a link away.
    pub(in crate::preservica) fn unlink(&mut self, user: &str, entity: &str, api_id: &str) -> Outcome<()> {
        let from_either = self.settings.links_removed_from_both_ends;
        let is_meant = |link: &Link| {
            link.api_id == api_id && (link.from == entity || (from_either && link.to == entity))
        };
        let at = self.links.iter().position(is_meant);
        let at = at.ok_or_else(|| Refusal::NotFound(format!("There is no link {api_id}")))?;
        let link = self.links.remove(at);
        self.happened("Modified", user, "DeleteLink", &[link.from]);
        Ok(())
    }
}
