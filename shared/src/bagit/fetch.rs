//! `fetch.txt`: payload files that a holey bag names and does not hold.

use super::{
    declaration::Version,
    encoding::lines,
    path::{decoded, inside},
    problem::Problem,
};

/// A file that lies elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch {
    /// Where.
    pub url: String,
    /// Its length, when it is known.
    pub length: Option<u64>,
    /// Its path in the bag.
    pub path: String,
}

pub(super) fn parse(text: &str, version: Version) -> (Vec<Fetch>, Vec<Problem>) {
    let mut list = Vec::new();
    let mut problems = Vec::new();
    for line in lines(text).filter(|line| !line.trim().is_empty()) {
        let wrong = |message: &str| Problem::new("bag.fetch", "fetch.txt", message);
        let mut fields = line.splitn(2, [' ', '\t']);
        let url = fields.next().unwrap_or_default();
        let rest = fields.next().unwrap_or_default().trim_start();
        let (length, path) = rest.split_once([' ', '\t']).unwrap_or((rest, ""));
        let length = match length {
            "-" => None,
            digits => match digits.parse() {
                Ok(length) => Some(length),
                Err(_) => {
                    problems.push(wrong("expected an address, a length or `-`, and a path on each line"));
                    continue;
                }
            },
        };
        let path = decoded(path.trim_start(), version);
        match inside(&path).filter(|path| path.starts_with("data/")) {
            Some(path) => list.push(Fetch { url: url.to_owned(), length, path: path.to_owned() }),
            None => problems.push(Problem::new("bag.path", "fetch.txt", "a path leads out of the payload")),
        }
    }
    (list, problems)
}
