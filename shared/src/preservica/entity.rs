//! Folders, assets and content objects.

use super::{
    Client,
    call::Call,
    error::{Effect, unexpected},
    ids::Reference,
    lists::Entries,
    progress::ProgressToken,
    send::absent_as_none,
    xml::{ENTITY, Element, XIP},
};
use crate::error::Result;

/// What an entity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum EntityKind {
    /// A folder (structural object).
    #[serde(rename = "SO")]
    Folder,
    /// An asset (information object).
    #[serde(rename = "IO")]
    Asset,
    /// A part of an asset (content object).
    #[serde(rename = "CO")]
    ContentObject,
}

impl EntityKind {
    /// The abbreviation that lists and pushes use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Folder => "SO",
            Self::Asset => "IO",
            Self::ContentObject => "CO",
        }
    }

    /// The kind with this abbreviation.
    pub fn named(text: &str) -> Option<Self> {
        [Self::Folder, Self::Asset, Self::ContentObject].into_iter().find(|kind| kind.as_str() == text)
    }

    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Folder => "structural-objects",
            Self::Asset => "information-objects",
            Self::ContentObject => "content-objects",
        }
    }

    fn element(self) -> &'static str {
        match self {
            Self::Folder => "StructuralObject",
            Self::Asset => "InformationObject",
            Self::ContentObject => "ContentObject",
        }
    }
}

/// A folder, an asset or a content object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    /// What it is.
    pub kind: EntityKind,
    /// Its reference.
    pub reference: Reference,
    /// Title.
    pub title: String,
    /// Description.
    pub description: Option<String>,
    /// Security tag.
    pub security_tag: String,
    /// The tenant's own word for what it is.
    pub custom_type: Option<String>,
    /// What it is in; nothing for a folder at the root.
    pub parent: Option<Reference>,
    /// It was deleted, and is still shown.
    pub is_deleted: bool,
    /// Its pieces of descriptive metadata: schema and address of each.
    pub(super) fragments: Vec<(String, String)>,
}

/// What is in a list: enough to ask for the whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its reference.
    pub reference: Reference,
    /// What it is. Not said of what was deleted.
    pub kind: Option<EntityKind>,
    /// Title. Not said of what was deleted.
    pub title: Option<String>,
    /// It was deleted.
    pub is_deleted: bool,
}

/// A folder to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFolder<'a> {
    /// The reference it is to have. Choose and keep it before, so that it can be found when the answer is lost.
    pub reference: &'a Reference,
    /// Title.
    pub title: &'a str,
    /// Description.
    pub description: Option<&'a str>,
    /// Security tag.
    pub security_tag: &'a str,
    /// The folder it is in; none for the root.
    pub parent: Option<&'a Reference>,
}

impl Client {
    /// An entity. One that is not there, or not to be seen, is none.
    ///
    /// # Errors
    /// As any call.
    pub async fn find_entity(&self, kind: EntityKind, reference: &Reference) -> Result<Option<Entity>> {
        absent_as_none(self.get_entity(kind, reference).await)
    }

    /// An entity.
    ///
    /// # Errors
    /// `Gone`, [`super::NOT_FOUND`], when it is not there or not to be seen.
    pub async fn get_entity(&self, kind: EntityKind, reference: &Reference) -> Result<Entity> {
        let call = Call::get("get entity", &[kind.path(), reference.as_str()]);
        let entity = self.entity_of(&call, kind).await?;
        match &entity.reference == reference {
            true => Ok(entity),
            false => Err(unexpected(call.operation(), Effect::Read, "it is another entity")),
        }
    }

    /// Makes a folder. When the answer is lost, look for its reference before trying again.
    ///
    /// # Errors
    /// As any call; `UnknownOutcome` when the answer was lost.
    pub async fn create_folder(&self, new: &NewFolder<'_>) -> Result<Entity> {
        let namespace = self.xip_namespace().await?;
        let body = Element::new(&namespace, "StructuralObject")
            .with("Ref", new.reference.as_str())
            .with("Title", new.title)
            .with("Description", new.description.unwrap_or_default())
            .with("SecurityTag", new.security_tag)
            .with_some("Parent", new.parent.map(Reference::as_str));
        let call = Call::post("create folder", &["structural-objects"]).xml(&body);
        self.entity_of(&call, EntityKind::Folder).await
    }

    /// Makes a folder unless it is there: nothing is made twice, whatever answers are lost.
    ///
    /// # Errors
    /// As any call.
    pub async fn ensure_folder(&self, new: &NewFolder<'_>) -> Result<Entity> {
        if let Some(found) = self.find_entity(EntityKind::Folder, new.reference).await? {
            return Ok(found);
        }
        match self.create_folder(new).await {
            Ok(made) => Ok(made),
            // Its answer was lost, or somebody else was faster.
            Err(error) => match self.find_entity(EntityKind::Folder, new.reference).await {
                Ok(Some(found)) => Ok(found),
                _ => Err(error),
            },
        }
    }

    /// Writes title, description and custom type of an entity, as they are in it.
    ///
    /// # Errors
    /// As any call.
    pub async fn save_entity(&self, entity: &Entity) -> Result<Entity> {
        let namespace = self.xip_namespace().await?;
        let body = Element::new(&namespace, entity.kind.element())
            .with("Ref", entity.reference.as_str())
            .with("Title", &entity.title)
            .with("Description", entity.description.as_deref().unwrap_or_default())
            .with("SecurityTag", &entity.security_tag)
            .with_some("CustomType", entity.custom_type.as_deref())
            .with_some("Parent", entity.parent.as_ref().map(Reference::as_str));
        let call = Call::put("save entity", &[entity.kind.path(), entity.reference.as_str()]).xml(&body);
        self.entity_of(&call, entity.kind).await
    }

    /// Gives an entity another security tag, and what is in it too when asked.
    ///
    /// # Errors
    /// As any call.
    pub async fn change_security_tag(
        &self,
        (kind, reference): (EntityKind, &Reference),
        tag: &str,
        with_descendants: bool,
    ) -> Result<ProgressToken> {
        let path = [kind.path(), reference.as_str(), "security-descriptor"];
        let call = Call::put("change security tag", &path).query("includeDescendants", with_descendants);
        self.begin(&call.word(tag)).await
    }

    /// Moves a folder or an asset into a folder; a folder without one goes to the root.
    ///
    /// # Errors
    /// As any call.
    pub async fn move_entity(
        &self,
        (kind, reference): (EntityKind, &Reference),
        to: Option<&Reference>,
    ) -> Result<ProgressToken> {
        let call = Call::put("move entity", &[kind.path(), reference.as_str(), "parent-ref"]);
        self.begin(&call.word(to.map_or("@root@", Reference::as_str))).await
    }

    /// What is in a folder, or at the root.
    pub fn children(&self, folder: Option<&Reference>) -> Entries<'_, Listed> {
        let call = match folder {
            Some(folder) => Call::get("list children", &["structural-objects", folder.as_str(), "children"]),
            None => Call::get("list children", &["root", "children"]),
        };
        Entries::new(self, call, |root| root.all(ENTITY, "Child").into_iter().map(listed).collect())
    }

    async fn entity_of(&self, call: &Call, kind: EntityKind) -> Result<Entity> {
        let root = self.ask_xml(call).await?;
        let lacks = |what: &str| unexpected(call.operation(), call.effect(), format_args!("no {what} in it"));
        let itself = root.search(XIP, kind.element()).ok_or_else(|| lacks(kind.element()))?;
        let fragments = root.all(ENTITY, "Fragment").into_iter();
        Ok(Entity {
            kind,
            reference: Reference::new(itself.text_of("Ref").ok_or_else(|| lacks("Ref"))?),
            title: itself.text_of("Title").unwrap_or_default(),
            description: itself.text_of("Description"),
            security_tag: itself.text_of("SecurityTag").unwrap_or_default(),
            custom_type: itself.text_of("CustomType"),
            parent: itself.text_of("Parent").map(Reference::new),
            is_deleted: itself.find(XIP, "Deleted").is_some(),
            fragments: fragments
                .map(|fragment| (fragment.value("schema").unwrap_or_default().to_owned(), fragment.content()))
                .collect(),
        })
    }
}

/// An entry of a list; none without a reference.
pub(super) fn listed(entry: &Element) -> Option<Listed> {
    Some(Listed {
        reference: Reference::new(entry.value("ref").filter(|text| !text.is_empty())?),
        kind: entry.value("type").and_then(EntityKind::named),
        title: entry.value("title").map(str::to_owned),
        is_deleted: entry.value("deleted").is_some_and(|text| text.eq_ignore_ascii_case("true")),
    })
}
