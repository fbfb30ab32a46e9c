//! What an asset is made of, before it is laid out.

use super::Content;

/// What a representation is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// To be preserved.
    Preservation,
    /// To be given out.
    Access,
}

impl Purpose {
    /// Its name in archives.
    pub fn name(self) -> &'static str {
        match self {
            Self::Preservation => "Preservation",
            Self::Access => "Access",
        }
    }

    /// The purpose of a name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Preservation, Self::Access].into_iter().find(|purpose| purpose.name() == name)
    }
}

/// One way in which an asset is there.
#[derive(Debug, Clone)]
pub struct Representation {
    /// What for.
    pub purpose: Purpose,
    /// Its name, in archives that keep one.
    pub name: String,
    /// Its parts in their order.
    pub parts: Vec<Part>,
}

/// One part of a representation: a content object.
#[derive(Debug, Clone)]
pub struct Part {
    /// Its reference, which the producer chooses; a UUID.
    pub reference: String,
    /// Its title.
    pub title: String,
    /// Each state of it, the oldest first: the first is the original one, the last is in use.
    pub generations: Vec<Vec<PartFile>>,
}

impl Part {
    /// A part of one file.
    pub fn new(reference: impl Into<String>, name: impl Into<String>, content: Content) -> Self {
        let name = name.into();
        let file = PartFile { name: name.clone(), content };
        Self { reference: reference.into(), title: name, generations: vec![vec![file]] }
    }
}

/// A file by its true name.
#[derive(Debug, Clone)]
pub struct PartFile {
    /// Its name.
    pub name: String,
    /// Its content.
    pub content: Content,
}

/// Which of its purpose each representation is, counted from one, and how many there are of it.
pub(super) fn numbered(representations: &[Representation]) -> Vec<(usize, usize)> {
    let of = |purpose: Purpose| representations.iter().filter(move |one| one.purpose == purpose).count();
    let mut numbers = [0; 2];
    let mut count = |purpose: Purpose| {
        let place = usize::from(purpose == Purpose::Access);
        numbers.get_mut(place).map_or(0, |number| {
            *number += 1;
            *number
        })
    };
    representations.iter().map(|one| (count(one.purpose), of(one.purpose))).collect()
}
