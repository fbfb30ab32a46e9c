//! A request, read: query, body, caller, and the names that its answer is written in.

use bytes::Bytes;
use http::{HeaderMap, Method};

use super::reply::{Outcome, Refusal};
use super::state::State;
use super::xml::Element;
use crate::content::Blob;

/// The namespaces of a version.
#[derive(Clone, Debug)]
pub(super) struct Names {
    pub(super) entity: String,
    pub(super) xip: String,
    pub(super) security: String,
}

/// The namespace of retention, which stayed the same in all later versions.
pub(super) const RETENTION: &str = "http://preservica.com/RetentionManagement/v6.2";
/// The namespace of workflows.
pub(super) const WORKFLOW: &str = "http://workflow.preservica.com";
/// The namespace of progress.
pub(super) const STATUS: &str = "http://status.preservica.com";

impl Names {
    /// Of a version such as `9.1.0`. 6.1 has the namespaces of 6.0.
    pub(super) fn of(version: &str) -> Self {
        let mut parts = version.split('.');
        let (major, minor) = (parts.next().unwrap_or("0"), parts.next().unwrap_or("0"));
        let version =
            if (major, minor) == ("6", "1") { "6.0".to_owned() } else { format!("{major}.{minor}") };
        Self {
            entity: format!("http://preservica.com/EntityAPI/v{version}"),
            xip: format!("http://preservica.com/XIP/v{version}"),
            security: format!("http://preservica.com/SecurityAPI/v{version}"),
        }
    }
}

/// A large body, received.
pub(super) struct Received {
    pub(super) content: Blob,
    pub(super) md5: String,
}

/// One call, with everything it may use.
pub(super) struct Call<'a> {
    pub(super) state: &'a mut State,
    pub(super) method: Method,
    /// The path as called.
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    /// The body; empty for a large one.
    pub(super) bytes: Bytes,
    /// A large body.
    pub(super) received: Option<Received>,
    pub(super) headers: &'a HeaderMap,
    /// The caller; empty for calls without a token.
    pub(super) user: String,
    pub(super) names: Names,
    /// Scheme, host and port that the call came to.
    pub(super) base: String,
}

impl Call<'_> {
    /// A parameter of the query that is not empty. The last one counts: a client appends what it sent before.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().rfind(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// A number of the query.
    pub(super) fn number(&self, name: &str) -> Outcome<Option<usize>> {
        let parse = |text: &str| text.parse().map_err(|_| Refusal::Invalid(format!("{name} is no number")));
        self.text(name).map(parse).transpose()
    }

    /// A parameter that has to be there.
    pub(super) fn required(&self, name: &str) -> Outcome<String> {
        let found = self.text(name).map(str::to_owned);
        found.ok_or_else(|| Refusal::Invalid(format!("The parameter {name} is missing")))
    }

    /// A header.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The fields of a body that is a form.
    pub(super) fn form(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(&self.bytes).into_owned().collect()
    }

    /// The body as XML, with this element as its root.
    pub(super) fn xml(&self, root: &str) -> Outcome<Element> {
        let element = Element::parse(&self.bytes).map_err(|error| Refusal::Invalid(error.to_string()))?;
        match element.name == root {
            true => Ok(element),
            false => Err(Refusal::Invalid(format!("A {root} is expected, {} came", element.name))),
        }
    }

    /// The body as one word.
    pub(super) fn word(&self) -> String {
        String::from_utf8_lossy(&self.bytes).trim().to_owned()
    }

    /// An empty element of the entity interface.
    pub(super) fn entity_element(&self, name: &str) -> Element {
        Element::new(&self.names.entity, name)
    }

    /// An empty element of XIP.
    pub(super) fn xip_element(&self, name: &str) -> Element {
        Element::new(&self.names.xip, name)
    }

    /// An address below `/api/entity/`.
    pub(super) fn address(&self, path: &str) -> String {
        format!("{}/api/entity/{path}", self.base)
    }

    /// Which entries a page has: the first, and how many at most.
    pub(super) fn window(&self) -> Outcome<(usize, usize)> {
        let paging = &self.state.settings.paging;
        let most = self.number("max")?.unwrap_or(paging.usual).min(paging.most).max(1);
        Ok((self.number("start")?.unwrap_or(0), most))
    }

    /// The address of the page that begins with an entry.
    pub(super) fn page_address(&self, start: usize, most: usize) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in self.query.iter().filter(|(name, _)| name != "start" && name != "max") {
            query.append_pair(name, value);
        }
        query.append_pair("start", &start.to_string()).append_pair("max", &most.to_string());
        format!("{}{}?{}", self.base, self.path, query.finish())
    }

    /// The entries of the page that is asked for, and what is said of the others.
    pub(super) fn page<T>(&self, all: Vec<T>) -> Outcome<(Vec<T>, Element)> {
        let (start, most) = self.window()?;
        let total = all.len();
        let mut paging = self.entity_element("Paging");
        if start > 0 {
            paging = paging.with("Previous", self.page_address(start.saturating_sub(most), most));
        }
        if start.saturating_add(most) < total {
            paging = paging.with("Next", self.page_address(start + most, most));
        }
        let entries = all.into_iter().skip(start).take(most).collect();
        Ok((entries, paging.with("TotalResults", total.to_string())))
    }
}
