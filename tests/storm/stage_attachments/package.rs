//! What a package of approved documents must hold to.

use serde_json::Value;
use tests::storm::Broken;

use super::sha256;

/// The marker vouches for the manifest, the manifest for every document.
pub(super) fn is_whole(folder: &str, output: &[&simulators::aws::s3::Stored]) -> Result<(), Broken> {
    let find = |key: &str| {
        let found = output.iter().find(|object| object.key == key);
        found.ok_or_else(|| Broken(format!("an approved output has no {key}")))
    };
    let read = |key: &str| {
        let object = find(key)?;
        serde_json::from_slice::<Value>(&object.data).map_err(|error| Broken(format!("{key}: {error}")))
    };
    let marker = read(&format!("{folder}_COMPLETE"))?;
    let manifest_key = marker["manifest"].as_str().unwrap_or_default();
    let manifest = read(manifest_key)?;
    if marker["sha256"].as_str() != Some(sha256(&find(manifest_key)?.data).as_str()) {
        return Err(Broken("the marker vouches for another manifest".to_owned()));
    }
    let documents = manifest["documents"].as_array().cloned().unwrap_or_default();
    if documents.is_empty() || documents.len() + 2 != output.len() {
        return Err(Broken(format!(
            "{} objects, and a manifest of {} documents",
            output.len(),
            documents.len()
        )));
    }
    for document in &documents {
        let key = document["key"].as_str().unwrap_or_default();
        if document["sha256"].as_str() != Some(sha256(&find(key)?.data).as_str()) {
            return Err(Broken(format!("the manifest vouches for other bytes than {key}")));
        }
    }
    Ok(())
}
