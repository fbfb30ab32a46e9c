//! Legal holds.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Kind, Outcome, Refusal, State};

/// A legal hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Its reference.
    pub reference: String,
    /// Name.
    pub name: String,
    /// Description.
    pub description: String,
    /// Who made it.
    pub user: String,
    /// When.
    pub created: Timestamp,
}

/// A hold on an asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldAssignment {
    /// The hold.
    pub hold: String,
    /// Since when.
    pub since: Timestamp,
}

impl State {
    /// Makes a hold.
    pub fn make_hold(&mut self, user: &str, name: &str, description: &str) -> Outcome<Hold> {
        if name.is_empty() {
            return Err(Refusal::Invalid("A legal hold needs a name".to_owned()));
        }
        let hold = Hold {
            reference: self.new_reference(),
            name: name.to_owned(),
            description: description.to_owned(),
            user: user.to_owned(),
            created: self.now,
        };
        self.holds.insert(hold.reference.clone(), hold.clone());
        Ok(hold)
    }

    /// Puts an asset under a hold. A second time changes nothing.
    pub fn hold(&mut self, asset: &str, hold: &str) -> Outcome<HoldAssignment> {
        if !self.holds.contains_key(hold) {
            return Err(Refusal::NotFound(format!("There is no legal hold {hold}")));
        }
        let made = HoldAssignment { hold: hold.to_owned(), since: self.now };
        let entity = self.living_mut(Kind::InformationObject, asset)?;
        if let Some(known) = entity.holds.iter().find(|known| known.hold == hold) {
            return Ok(known.clone());
        }
        entity.holds.push(made.clone());
        self.touch(asset);
        Ok(made)
    }

    /// Takes an asset out of a hold.
    pub fn release(&mut self, asset: &str, hold: &str) -> Outcome<()> {
        let entity = self.living_mut(Kind::InformationObject, asset)?;
        let before = entity.holds.len();
        entity.holds.retain(|known| known.hold != hold);
        if entity.holds.len() == before {
            return Err(Refusal::NotFound(format!("The asset is not under the legal hold {hold}")));
        }
        self.touch(asset);
        Ok(())
    }
}
