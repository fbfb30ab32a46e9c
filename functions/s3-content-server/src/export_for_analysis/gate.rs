//! Whether a document may be exported, by what Content Server says of it now. Nothing is remembered here, and what
//! cannot be read is a no.

use std::collections::BTreeSet;

use shared::{
    content_server::{
        Grant, Holder, MODULE_MISSING, MemberKind, NOT_ACCESSIBLE, NOT_FOUND, Node, NodeId, Right, kind,
    },
    error::{Error, FailureClass, Result, System},
};

use super::ExportForAnalysis;
use crate::{
    export_rules::{DataSet, ForbiddenValue},
    version_copy::{CategoryDescription, categories},
};

/// Why a document is not exported.
pub(super) mod why {
    pub(crate) const GONE: &str = "excluded.gone";
    pub(crate) const NO_DOCUMENT: &str = "excluded.no-document";
    pub(crate) const ELSEWHERE: &str = "excluded.elsewhere";
    pub(crate) const MEDIA_TYPE: &str = "excluded.media-type";
    pub(crate) const SIZE: &str = "excluded.size";
    pub(crate) const RIGHTS: &str = "excluded.rights";
    pub(crate) const CLASSIFICATION: &str = "excluded.classification";
    pub(crate) const RECORD_CLASS: &str = "excluded.record-class";
    pub(crate) const OFFICIAL_RECORD: &str = "excluded.official-record";
    pub(crate) const HELD: &str = "excluded.held";
    pub(crate) const VALUE: &str = "excluded.value";
    pub(crate) const UNREADABLE: &str = "excluded.unreadable";
    pub(crate) const METADATA: &str = "excluded.metadata";
    pub(crate) const FAILED: &str = "excluded.failed";
    pub(crate) const NOT_SELECTED: &str = "excluded.not-selected";
}

/// What the rules of a data set name, by number. What is named and not there stops the run: a rule that forbids cannot
/// be left out.
pub(super) struct Bounds {
    pub(super) within: NodeId,
    groups: Vec<i64>,
    classifications: Vec<NodeId>,
    record_classes: Vec<NodeId>,
    values: Vec<(NodeId, ForbiddenValue)>,
}

/// What a look at a document gives.
pub(super) enum Look {
    /// It may be exported.
    In(Box<Seen>),
    /// It may not, for this reason.
    Out(&'static str),
}

/// A document as it is now.
pub(super) struct Seen {
    pub(super) node: Node,
    /// The names of the containers it is in, from the volume down.
    pub(super) path: Vec<String>,
    pub(super) categories: Vec<CategoryDescription>,
}

impl ExportForAnalysis {
    /// Looks up what the rules name.
    pub(super) async fn bounds(&self, data_set: &DataSet) -> Result<Bounds> {
        let server = &self.content_server;
        let mut bounds = Bounds {
            within: self.places.id(server, &data_set.within).await?,
            groups: Vec::new(),
            classifications: Vec::new(),
            record_classes: Vec::new(),
            values: Vec::new(),
        };
        for group in &data_set.audience.groups {
            bounds.groups.push(server.resolve_member(MemberKind::Group, group).await?.id);
        }
        for path in &data_set.forbid.classifications {
            bounds.classifications.push(self.places.id(server, path).await?);
        }
        for path in &data_set.forbid.record_classes {
            bounds.record_classes.push(self.places.id(server, path).await?);
        }
        for value in &data_set.forbid.values {
            bounds.values.push((self.places.id(server, &value.category).await?, value.clone()));
        }
        Ok(bounds)
    }

    /// Whether a document may be exported now. That it cannot be read is believed the second time.
    pub(super) async fn look(&self, data_set: &DataSet, bounds: &Bounds, node: NodeId) -> Result<Look> {
        match self.look_once(data_set, bounds, node).await? {
            Look::Out(why::UNREADABLE) => self.look_once(data_set, bounds, node).await,
            look => Ok(look),
        }
    }

    async fn look_once(&self, data_set: &DataSet, bounds: &Bounds, node: NodeId) -> Result<Look> {
        let looked = match self.content_server.get_node(node).await {
            Ok(node) => self.judge(data_set, bounds, node).await,
            Err(error) if matches!(error.code(), NOT_ACCESSIBLE | NOT_FOUND) => {
                return Ok(Look::Out(why::GONE));
            }
            Err(error) => Err(error),
        };
        match looked {
            // Where a module is not there, nobody can say for any document whether it may be exported.
            Err(error) if error.code() == MODULE_MISSING => Err(error
                .with_code("export.module-missing")
                .remedy("install the module, or remove what needs it from `forbid`")),
            Err(error) if is_no(&error) => Ok(Look::Out(why::UNREADABLE)),
            looked => looked,
        }
    }

    async fn judge(&self, data_set: &DataSet, bounds: &Bounds, node: Node) -> Result<Look> {
        let server = &self.content_server;
        if node.kind != kind::DOCUMENT {
            return Ok(Look::Out(why::NO_DOCUMENT));
        }
        let mut way = server.list_ancestors(node.id).await?;
        if !way.iter().any(|step| step.id == bounds.within) {
            return Ok(Look::Out(why::ELSEWHERE));
        }
        way.retain(|step| step.id != node.id);
        if !data_set.audience.service_user {
            let grants = server.list_permissions(node.id).await?;
            if !grants.iter().any(|grant| opens(grant, &bounds.groups)) {
                return Ok(Look::Out(why::RIGHTS));
            }
        }
        if let Some(why) = self.forbidden(data_set, bounds, node.id).await? {
            return Ok(Look::Out(why));
        }
        // Only what somebody asks for is read.
        let categories = if bounds.values.is_empty() && data_set.fields.paths().is_empty() {
            Vec::new()
        } else {
            categories(server, node.id).await?
        };
        if bounds.values.iter().any(|(category, value)| forbids(*category, value, &categories)) {
            return Ok(Look::Out(why::VALUE));
        }
        let path = way.into_iter().map(|step| step.name).collect();
        Ok(Look::In(Box::new(Seen { node, path, categories })))
    }

    /// What classifications, records and holds say.
    async fn forbidden(
        &self,
        data_set: &DataSet,
        bounds: &Bounds,
        node: NodeId,
    ) -> Result<Option<&'static str>> {
        let server = &self.content_server;
        if !bounds.classifications.is_empty() {
            let classes = server.list_classifications(node).await?;
            if classes.iter().any(|class| bounds.classifications.contains(class)) {
                return Ok(Some(why::CLASSIFICATION));
            }
        }
        if data_set.forbid.official_records || !bounds.record_classes.is_empty() {
            let record = server.get_record(node).await?;
            let classes: BTreeSet<i64> = record.classifications().iter().map(|class| class.id).collect();
            if bounds.record_classes.iter().any(|class| classes.contains(&class.0)) {
                return Ok(Some(why::RECORD_CLASS));
            }
            if data_set.forbid.official_records && record.is_official() {
                return Ok(Some(why::OFFICIAL_RECORD));
            }
        }
        if data_set.forbid.held && server.list_node_holds(node).await?.iter().any(|hold| hold.active) {
            return Ok(Some(why::HELD));
        }
        Ok(None)
    }
}

/// Whether a failure is Content Server's refusal, which counts as a no.
pub(super) fn is_no(error: &Error) -> bool {
    error.system() == System::ContentServer
        && matches!(error.class(), FailureClass::Forbidden | FailureClass::Gone | FailureClass::Invalid)
}

/// Whether a grant lets one of these groups read the content. What everybody may read, each of them may.
fn opens(grant: &Grant, groups: &[i64]) -> bool {
    let whom = match grant.holder {
        Holder::Public => true,
        Holder::Member(member) => groups.contains(&member),
        // Whose group that is, the server does not say.
        Holder::Owner | Holder::Group => false,
    };
    whom && grant.rights.contains(&Right::SeeContents)
}

fn forbids(category: NodeId, value: &ForbiddenValue, categories: &[CategoryDescription]) -> bool {
    let there = categories.iter().find(|there| there.id == category.0);
    let mut found = there
        .iter()
        .flat_map(|there| &there.values)
        .filter(|attribute| attribute.name == value.attribute)
        .flat_map(|attribute| texts(&attribute.value))
        .peekable();
    if found.peek().is_none() {
        return value.or_missing;
    }
    found.any(|text| value.one_of.contains(&text.trim().to_lowercase()))
}

fn texts(value: &serde_json::Value) -> Vec<String> {
    match value {
        serde_json::Value::Null => Vec::new(),
        serde_json::Value::String(text) if text.is_empty() => Vec::new(),
        serde_json::Value::String(text) => vec![text.clone()],
        serde_json::Value::Array(values) => values.iter().flat_map(texts).collect(),
        value => vec![value.to_string()],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use shared::content_server::NodePath;

    use super::*;
    use crate::version_copy::AttributeDescription;

    #[test]
    fn only_who_may_read_the_content_opens_a_document() {
        let grant = |holder, rights: &[Right]| Grant { holder, rights: rights.iter().copied().collect() };
        let read = [Right::See, Right::SeeContents];
        assert!(opens(&grant(Holder::Public, &read), &[]));
        assert!(opens(&grant(Holder::Member(7), &read), &[7]));
        assert!(!opens(&grant(Holder::Member(8), &read), &[7]));
        assert!(
            !opens(&grant(Holder::Public, &[Right::See]), &[7]),
            "seeing that it is there is not reading it"
        );
        assert!(!opens(&grant(Holder::Owner, &read), &[7]));
        assert!(!opens(&grant(Holder::Group, &read), &[7]));
    }

    #[test]
    fn a_value_forbids_in_whatever_case_and_wherever_it_stands_in_a_list() {
        let path: NodePath = "Categories:Business/Marking".parse().unwrap();
        let value = |one_of: &[&str], or_missing| ForbiddenValue {
            category: path.clone(),
            attribute: "Marking".to_owned(),
            one_of: one_of.iter().map(|&text| text.to_owned()).collect(),
            or_missing,
        };
        let with = |found: serde_json::Value| {
            let values = vec![AttributeDescription { name: "Marking".to_owned(), row: None, value: found }];
            vec![CategoryDescription { id: 7, name: "Marking".to_owned(), values }]
        };
        let secret = value(&["secret"], false);
        assert!(forbids(NodeId(7), &secret, &with(json!("Secret "))));
        assert!(forbids(NodeId(7), &secret, &with(json!(["open", "SECRET"]))));
        assert!(!forbids(NodeId(7), &secret, &with(json!("open"))));
        assert!(!forbids(NodeId(8), &secret, &with(json!("secret"))));
        assert!(forbids(NodeId(7), &value(&["true"], false), &with(json!(true))));
        assert!(!forbids(NodeId(7), &secret, &[]));
        for missing in [vec![], with(json!("")), with(json!(null))] {
            assert!(forbids(NodeId(7), &value(&[], true), &missing), "{missing:?}");
        }
    }
}
