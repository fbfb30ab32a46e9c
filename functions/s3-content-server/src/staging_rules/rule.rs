//! One rule, and what it makes of an upload.

use shared::{
    content_server::NodePath,
    error::Error,
    mapping::{KeyPattern, PathTemplate, Record, Template, View, Violations},
};

use super::Contents;

/// Longest title of a workflow, in characters; the mark comes behind it.
const TITLE_LENGTH: usize = 200;

/// One rule.
#[derive(Debug, Clone)]
pub struct StagingRule {
    /// Its name.
    pub name: String,
    pub(super) key: KeyPattern,
    /// The largest upload it takes, in bytes.
    pub max_size: u64,
    /// The workflow map.
    pub map: NodePath,
    pub(super) title: Template,
    /// Whether a workflow is started when none is running.
    pub start: bool,
    pub(super) attributes: Vec<(String, Template)>,
    /// How uploads are attached.
    pub attachment: Attachment,
    pub(super) attachment_name: Template,
    /// The step in which it is decided.
    pub decision_step: String,
    /// The dispositions that approve.
    pub approved: Vec<String>,
    /// Where the output goes.
    pub output: OutputRule,
}

/// How uploads are attached.
#[derive(Debug, Clone)]
pub enum Attachment {
    /// The document itself.
    Document,
    /// A shortcut to the document, which is filed in a folder.
    Filed(FolderTemplate),
    /// A shortcut to a document that is there.
    Original(Template),
    /// A small document that says where the object is.
    Reference,
}

/// A folder below a fixed place.
#[derive(Debug, Clone)]
pub struct FolderTemplate {
    pub(super) root: NodePath,
    pub(super) below: Option<PathTemplate>,
}

/// Where the output goes.
#[derive(Debug, Clone)]
pub struct OutputRule {
    /// The bucket; the function's own when there is none.
    pub bucket: Option<String>,
    /// The beginning of every key.
    pub prefix: String,
    pub(super) folder: Option<PathTemplate>,
    /// Which documents.
    pub contents: Contents,
}

/// What a rule makes of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staged {
    /// The title of its workflow.
    pub title: String,
    /// The attributes of a workflow that is started.
    pub attributes: Vec<(String, String)>,
    /// The attachment's name.
    pub name: String,
    /// The folder of the output below the rule's prefix.
    pub folder: Vec<String>,
    /// Where the document is filed: the root and the names below it.
    pub filed: Option<(NodePath, Vec<String>)>,
    /// The document a shortcut points to.
    pub original: Option<i64>,
}

impl StagingRule {
    /// Whether it reads tags.
    pub fn needs_tags(&self) -> bool {
        let filed = match &self.attachment {
            Attachment::Filed(folder) => folder.below.as_ref().map(|below| below.paths().collect()),
            Attachment::Original(original) => Some(original.paths().collect::<Vec<_>>()),
            Attachment::Document | Attachment::Reference => None,
        };
        let attributes = self.attributes.iter().flat_map(|(_, text)| text.paths());
        let folder = self.output.folder.iter().flat_map(PathTemplate::paths);
        let mut all = self.title.paths().chain(self.attachment_name.paths()).chain(attributes).chain(folder);
        all.any(|path| path.starts_with("tag."))
            || filed.into_iter().flatten().any(|path| path.starts_with("tag."))
    }

    /// The labels of the attributes it fills in.
    pub fn attribute_labels(&self) -> impl Iterator<Item = &str> {
        self.attributes.iter().map(|(label, _)| label.as_str())
    }

    /// Whether it may take a key.
    pub fn takes(&self, key: &str) -> bool {
        self.key.matches(key).is_ok()
    }

    /// Resolves everything the rule says about an upload.
    ///
    /// # Errors
    /// Everything that is wrong with the upload, as one refusal.
    pub fn stage(&self, record: &Record) -> Result<Staged, Error> {
        let view = View::of(record);
        let mut violations = Violations::new();
        let mut text = |template: &Template, field: &str| match template.render(&view, field) {
            Ok(text) => text,
            Err(found) => {
                violations.extend(found);
                String::new()
            }
        };
        let title = text(&self.title, "workflow.title");
        let name = text(&self.attachment_name, "attachment.name");
        let attributes: Vec<(String, String)> =
            self.attributes.iter().map(|(label, value)| (label.clone(), text(value, label))).collect();
        let original = match &self.attachment {
            Attachment::Original(original) => Some(text(original, "attachment.original")),
            _ => None,
        };
        let mut names = |path: &PathTemplate, field: &str| match path.render(&view, field) {
            Ok(names) => names,
            Err(found) => {
                violations.extend(found);
                Vec::new()
            }
        };
        let folder = self.output.folder.as_ref().map(|folder| names(folder, "output.folder"));
        let filed = match &self.attachment {
            Attachment::Filed(folder) => {
                let below = folder.below.as_ref().map(|below| names(below, "attachment.folder"));
                Some((folder.root.clone(), below.unwrap_or_default()))
            }
            _ => None,
        };
        refuse(&violations)?;
        if title.chars().count() > TITLE_LENGTH {
            let message = format!("the workflow's title has more than {TITLE_LENGTH} characters");
            return Err(Error::invalid("workflow.title-too-long", message)
                .field("workflow.title")
                .remedy("shorten the title in the rule, or the value it holds"));
        }
        let original = match original {
            Some(text) => Some(number(&text)?),
            None => None,
        };
        let folder = folder.unwrap_or_else(|| vec![title.clone()]);
        Ok(Staged { title, attributes, name, folder, filed, original })
    }
}

fn number(text: &str) -> Result<i64, Error> {
    text.trim().parse().ok().filter(|number| *number > 0).ok_or_else(|| {
        Error::invalid("attachment.original-unreadable", "expected the number of a document")
            .field("attachment.original")
            .remedy("upload the object with the number of its document, such as the tag waybill-node")
    })
}

/// All violations as one reason: the first gives the code and the field, the message tells every one.
fn refuse(violations: &Violations) -> Result<(), Error> {
    let Some(first) = violations.iter().next() else { return Ok(()) };
    let all: Vec<String> = violations.iter().map(ToString::to_string).collect();
    Err(Error::invalid(first.code, all.join("; ")).field(first.field.clone()).remedy(first.remedy.clone()))
}
