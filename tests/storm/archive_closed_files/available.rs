//! What a bag that is available must hold to.

use std::collections::BTreeMap;

use serde_json::Value;
use shared::links::Token;
use tests::storm::{ARCHIVE, Broken, LINK_ADDRESS, Made, World};

use super::{CASE, all_ended_well, the_bag_is_the_case, valid};

/// Besides: what is said to be available is behind its one link, the whole of the bag as one file.
pub(super) fn the_bag_can_be_had(world: &World, made: &Made) -> Result<(), Broken> {
    the_bag_is_the_case(world, made)?;
    let told = |attribute: &str| {
        world.content_server.with_state(|state| {
            let case = state.at(CASE).expect("the case").id;
            let value = state.value_of(case, "Archive", attribute);
            value.and_then(Value::as_str).unwrap_or_default().to_owned()
        })
    };
    let mut open: BTreeMap<String, Value> = BTreeMap::new();
    for record in world.ledger() {
        let text = |name: &str| record.pointer(&format!("/{name}/S")).and_then(Value::as_str);
        let Some(id) = text("pk").and_then(|pk| pk.strip_prefix("link#")) else { continue };
        if text("sk") == Some("record") && record.get("revoked_at").is_none() {
            let link = text("link").unwrap_or_default();
            open.insert(id.to_owned(), serde_json::from_str(link).unwrap_or_default());
        }
    }
    let too_early = world.endings().contains(&"skipped retrieve.not-archived".to_owned());
    if told("State") != "available" {
        return match all_ended_well(world) && !too_early {
            true => Err(Broken(format!("it was asked for, and is {}", told("State")))),
            false => Ok(()),
        };
    }
    let token = told("Link");
    let token = token.strip_prefix(&format!("{LINK_ADDRESS}/")).unwrap_or_default();
    let link = open.get(Token::presented(token).id().text());
    let link = link.ok_or_else(|| Broken("the link that is told leads nowhere".into()))?;
    if all_ended_well(world) && open.len() != 1 {
        return Err(Broken(format!("{} links are open", open.len())));
    }
    let objects = world.aws.s3().versions(ARCHIVE);
    let version = link["target"]["version"].as_str();
    let zip = objects.iter().find(|object| Some(object.version_id.as_str()) == version);
    let zip = zip.ok_or_else(|| Broken("what the link leads to is not there".into()))?;
    let files = tests::archive::read(&zip.data).map_err(Broken)?;
    let files: BTreeMap<&str, &[u8]> =
        files.iter().filter_map(|(name, bytes)| Some((name.split_once('/')?.1, bytes.as_slice()))).collect();
    let location = told("Location");
    let prefix = location.strip_prefix(&format!("s3://{ARCHIVE}/")).unwrap_or_default();
    let bag = valid(&objects, prefix)?;
    let bag: BTreeMap<&str, &[u8]> =
        bag.iter().map(|(path, object)| (path.as_str(), object.data.as_ref())).collect();
    if files != bag {
        return Err(Broken(format!("the file holds {:?} and not the bag", files.keys())));
    }
    Ok(())
}
