//! What is never shown. Where it cannot be told, nothing is shown either: a failure here is one of the item.

use shared::{
    content_server::{Ancestor, NodeId},
    error::Result,
};

use super::{LinkReferences, standing::Withheld};

impl LinkReferences {
    /// Why a document may not be shown; nothing when it may. `inside` is the way from the workspace to it, both included:
    /// what is confidential makes so all that is in it.
    pub(super) async fn confidential(&self, node: NodeId, inside: &[Ancestor]) -> Result<Option<Withheld>> {
        let mut classes = Vec::new();
        for place in &self.rules.confidential.classifications {
            classes.push((self.places.id(&self.content_server, place).await?, place));
        }
        if !classes.is_empty() {
            for step in inside.iter().rev() {
                let has = self.content_server.list_classifications(step.id).await?;
                if let Some((_, place)) = classes.iter().find(|(class, _)| has.contains(class)) {
                    let what = if step.id == node { "it".to_owned() } else { format!("node {}", step.id) };
                    let message = format!("{what} is classified as {place}");
                    return Ok(Some(Withheld::new("link.confidential", message)));
                }
            }
        }
        let workspace = inside.first().map(|step| step.id);
        for values in &self.rules.confidential.attributes {
            for of in [Some(node), workspace].into_iter().flatten() {
                if self.has_value(of, values).await? {
                    let message = format!("node {of} is so by {} of {}", values.attribute, values.category);
                    return Ok(Some(Withheld::new("link.confidential", message)));
                }
            }
        }
        Ok(None)
    }
}
