//! What rules say of a document's place, ready to be filled from a record.

use super::{
    file::Existing,
    permissions::PermissionPlan,
    plan::{
        BusinessObject, CategoryPlan, DocumentPlan, FilingPlan, NodePath, Reference, Root, Target,
        WorkspaceTarget,
    },
};
use crate::mapping::{Mapping, PathTemplate, Record, Template, View, Violation, Violations};

/// Where documents go.
#[derive(Debug, Clone)]
pub enum TargetTemplate {
    /// Into a folder.
    Folder {
        /// Which one.
        path: RootedTemplate,
        /// Whether missing folders are created.
        create: bool,
    },
    /// Into a business workspace.
    Workspace(Box<WorkspaceTemplate>),
}

/// A path below a volume or a node.
#[derive(Debug, Clone)]
pub struct RootedTemplate {
    /// Where it begins.
    pub root: Root,
    /// The names below; none for the root itself.
    pub names: Option<PathTemplate>,
}

/// A business workspace, and the place inside it.
#[derive(Debug, Clone)]
pub struct WorkspaceTemplate {
    /// The name of the workspace type.
    pub kind: String,
    /// The business object it belongs to: system, type, id.
    pub business_object: Option<(String, String, Template)>,
    /// Its name.
    pub name: Option<Template>,
    /// The template to create it from.
    pub template: Option<Reference>,
    /// Whether it is created when it is missing.
    pub create: bool,
    /// Where it is created.
    pub location: Option<RootedTemplate>,
    /// The folder inside it.
    pub folder: Option<PathTemplate>,
}

/// A node by id, or by its path below the volume it belongs to.
#[derive(Debug, Clone)]
pub enum ReferenceTemplate {
    /// The id.
    Id(u64),
    /// The path.
    Path(PathTemplate),
}

/// What documents of a rule are: where they go, what they are called, what they carry.
#[derive(Debug, Clone)]
pub struct FilingRule {
    pub(super) target: TargetTemplate,
    pub(super) name: Template,
    pub(super) description: Option<Template>,
    pub(super) existing: Existing,
    pub(super) categories: Vec<(Reference, Mapping)>,
    pub(super) permissions: Option<PermissionPlan>,
    pub(super) classification: Option<ReferenceTemplate>,
}

impl FilingRule {
    /// The document that is to be made of the content a record tells about; what is wrong with the record is added to
    /// `violations`.
    pub fn plan(&self, record: &Record, violations: &mut Violations) -> Option<FilingPlan> {
        let before = violations.len();
        let view = View::of(record);
        let name = keep(self.name.render(&view, "document name"), violations);
        let description = match &self.description {
            Some(template) => keep(template.render(&view, "document description"), violations),
            None => None,
        };
        let target = keep(self.target.render(&view), violations);
        let categories = self
            .categories
            .iter()
            .map(|(category, mapping)| CategoryPlan {
                category: category.clone(),
                values: mapping.apply(record, &category.to_string(), violations),
            })
            .collect();
        let classification = self.classification.as_ref().and_then(|class| class.plan(&view, violations));
        if violations.len() > before {
            return None;
        }
        Some(FilingPlan {
            target: target?,
            document: DocumentPlan { name: name?, description },
            existing: self.existing,
            categories,
            permissions: self.permissions.clone(),
            classification,
        })
    }

    /// The same for documents that are called otherwise.
    #[must_use]
    pub fn called(&self, name: Template, description: Option<Template>) -> Self {
        Self { name, description, ..self.clone() }
    }

    /// Every path of the record it reads.
    pub fn paths(&self) -> Vec<&str> {
        let mut paths = self.target.paths();
        paths.extend(self.name.paths());
        paths.extend(self.description.iter().flat_map(Template::paths));
        paths.extend(self.categories.iter().flat_map(|(_, mapping)| mapping.paths()));
        if let Some(ReferenceTemplate::Path(path)) = &self.classification {
            paths.extend(path.paths());
        }
        paths
    }
}

impl ReferenceTemplate {
    /// What it refers to for a record.
    pub fn plan(&self, view: &View<'_>, violations: &mut Violations) -> Option<Reference> {
        match self {
            Self::Id(id) => Some(Reference::Id(*id)),
            Self::Path(path) => keep(path.render(view, "classification"), violations).map(Reference::Path),
        }
    }
}

/// A value, or what is wrong with it among the rest.
fn keep<T>(result: Result<T, Vec<Violation>>, violations: &mut Violations) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(found) => {
            violations.extend(found);
            None
        }
    }
}

impl TargetTemplate {
    /// Every path of the record it reads.
    pub fn paths(&self) -> Vec<&str> {
        match self {
            Self::Folder { path, .. } => path.names.iter().flat_map(PathTemplate::paths).collect(),
            Self::Workspace(workspace) => {
                let mut paths: Vec<&str> = Vec::new();
                paths.extend(workspace.business_object.iter().flat_map(|(_, _, id)| id.paths()));
                paths.extend(workspace.name.iter().flat_map(Template::paths));
                paths.extend(workspace.folder.iter().flat_map(PathTemplate::paths));
                let location = workspace.location.iter().filter_map(|location| location.names.as_ref());
                paths.extend(location.flat_map(PathTemplate::paths));
                paths
            }
        }
    }

    /// The place for a record, or what is wrong with the record.
    ///
    /// # Errors
    /// What is missing or cannot be a name.
    pub fn render(&self, view: &View<'_>) -> Result<Target, Vec<Violation>> {
        match self {
            Self::Folder { path, create } => {
                Ok(Target::Folder { path: path.render(view, "target folder")?, create: *create })
            }
            Self::Workspace(workspace) => {
                let business_object = match &workspace.business_object {
                    Some((system, object_type, id)) => Some(BusinessObject {
                        system: system.clone(),
                        object_type: object_type.clone(),
                        id: id.render(view, "target business object")?,
                    }),
                    None => None,
                };
                let name = match &workspace.name {
                    Some(name) => Some(name.render(view, "target workspace name")?),
                    None => None,
                };
                let location = match &workspace.location {
                    Some(location) => Some(location.render(view, "target workspace location")?),
                    None => None,
                };
                let folder = match &workspace.folder {
                    Some(folder) => folder.render(view, "target workspace folder")?,
                    None => Vec::new(),
                };
                Ok(Target::Workspace(WorkspaceTarget {
                    workspace_type: workspace.kind.clone(),
                    business_object,
                    name,
                    template: workspace.template.clone(),
                    create: workspace.create,
                    location,
                    folder,
                }))
            }
        }
    }
}

impl RootedTemplate {
    fn render(&self, view: &View<'_>, field: &str) -> Result<NodePath, Vec<Violation>> {
        let names = match &self.names {
            Some(names) => names.render(view, field)?,
            None => Vec::new(),
        };
        Ok(NodePath { root: self.root, names })
    }
}
