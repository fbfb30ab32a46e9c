//! For whom a link is, and who comes.

use std::{collections::BTreeSet, net::IpAddr};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::Token;
use crate::{
    context::Context,
    error::{Error, Result},
};

/// For whom a link is. Where both are given, both must fit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audience {
    /// Domains of e-mail addresses; empty for everybody. A subdomain is another domain.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    email_domains: BTreeSet<String>,
    /// Networks; empty for everywhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    networks: Vec<IpNet>,
}

impl Audience {
    /// Whoever has the link.
    pub fn everybody() -> Self {
        Self::default()
    }

    /// An audience of e-mail domains (`example.com`) and networks (`203.0.113.0/24`, `2001:db8::/32`, or one address).
    ///
    /// # Errors
    /// `link.domain` or `link.network`, naming what cannot be read.
    pub fn of(email_domains: &[&str], networks: &[&str]) -> Result<Self> {
        let domains = email_domains.iter().map(|text| {
            domain(text).ok_or_else(|| {
                Error::invalid("link.domain", format!("{text:?} is not a domain of e-mail addresses"))
                    .remedy("write it as in example.com, without @")
            })
        });
        let networks = networks.iter().map(|text| {
            let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
            network.map(|network| network.trunc()).map_err(|_| {
                Error::invalid("link.network", format!("{text:?} is neither a network nor an address"))
                    .remedy("write it as in 203.0.113.0/24 or 2001:db8::/32")
            })
        });
        Ok(Self {
            email_domains: domains.collect::<Result<_>>()?,
            networks: networks.collect::<Result<_>>()?,
        })
    }

    /// Whether a visitor belongs to it.
    pub fn admits(&self, visitor: &Visitor) -> bool {
        let from_network = self.networks.is_empty()
            || visitor.address.is_some_and(|address| {
                self.networks.iter().any(|network| network.contains(&address.to_canonical()))
            });
        let by_domain = self.email_domains.is_empty() || self.domain_of(visitor).is_some();
        from_network && by_domain
    }

    /// The domain that lets a visitor in, when the audience asks for one.
    pub(super) fn domain_of(&self, visitor: &Visitor) -> Option<String> {
        let (local, text) = visitor.email.as_deref()?.rsplit_once('@')?;
        let domain = domain(text).filter(|_| !local.is_empty())?;
        self.email_domains.contains(&domain).then_some(domain)
    }
}

/// In the form in which domains are compared: lower case, international names as the DNS has them.
fn domain(text: &str) -> Option<String> {
    match url::Host::parse(text.trim()) {
        Ok(url::Host::Domain(name)) => {
            Some(name.trim_end_matches('.').to_owned()).filter(|name| name.contains('.'))
        }
        _ => None,
    }
}

/// Who comes with a link, as far as somebody trustworthy has said so: the address as the service that took the
/// connection saw it, the e-mail address as an identity provider vouched for it. Nothing a visitor may write himself
/// (headers, query) belongs here.
#[derive(Clone, Default)]
pub struct Visitor {
    /// Where the connection came from.
    pub address: Option<IpAddr>,
    /// The verified e-mail address.
    pub email: Option<String>,
}

impl Visitor {
    /// The address, as precisely as it tells one client from another: a whole IPv4 address, the /64 of an IPv6 one, in
    /// which a machine changes its address by itself.
    pub fn network(&self) -> Option<String> {
        match self.address?.to_canonical() {
            IpAddr::V4(address) => Some(address.to_string()),
            IpAddr::V6(address) => {
                let network = ipnet::Ipv6Net::new(address, 64).ok()?;
                Some(network.trunc().to_string())
            }
        }
    }

    /// The visitor's name in the ledger. Somebody of whom nothing is known is somebody else each time.
    pub(super) fn pseudonym(&self, token: &Token, context: &Context) -> String {
        let email = self.email.as_ref().map(|email| format!("email {}", email.to_lowercase()));
        let client = email.or_else(|| self.network().map(|network| format!("network {network}")));
        token.pseudonym(&client.unwrap_or_else(|| context.new_id()))
    }
}

impl std::fmt::Debug for Visitor {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let known = |known: bool| if known { "known" } else { "unknown" };
        formatter
            .debug_struct("Visitor")
            .field("address", &known(self.address.is_some()))
            .field("email", &known(self.email.is_some()))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(address: &str) -> Visitor {
        Visitor { address: Some(address.parse().unwrap()), email: None }
    }

    fn named(email: &str) -> Visitor {
        Visitor { address: Some("203.0.113.7".parse().unwrap()), email: Some(email.into()) }
    }

    #[test]
    fn everybody_is_everybody() {
        assert!(Audience::everybody().admits(&Visitor::default()));
    }

    #[test]
    fn a_network_admits_its_addresses_however_they_are_written() {
        let office = Audience::of(&[], &["203.0.113.9/24", "2001:db8::/32", "198.51.100.4"]).unwrap();
        for inside in ["203.0.113.0", "203.0.113.255", "::ffff:203.0.113.7", "2001:db8:9::1", "198.51.100.4"]
        {
            assert!(office.admits(&from(inside)), "{inside}");
        }
        for outside in ["203.0.114.0", "198.51.100.5", "2001:db9::1", "::1"] {
            assert!(!office.admits(&from(outside)), "{outside}");
        }
        assert!(!office.admits(&Visitor::default()), "nobody knows where it comes from");
    }

    #[test]
    fn a_domain_admits_its_own_addresses_only() {
        let partner = Audience::of(&["Example.COM", "bücher.example"], &[]).unwrap();
        for inside in ["a@example.com", "A.B+c@EXAMPLE.com", "\"a@b\"@example.com", "x@xn--bcher-kva.example"]
        {
            assert!(partner.admits(&named(inside)), "{inside}");
        }
        for outside in [
            "a@mail.example.com",
            "a@example.com.evil.test",
            "example.com",
            "@example.com",
            "a@example.com@evil.test",
            "a@",
            "",
        ] {
            assert!(!partner.admits(&named(outside)), "{outside}");
        }
        assert!(!partner.admits(&from("203.0.113.7")), "nobody vouches for an address");
    }

    #[test]
    fn both_must_fit_where_both_are_asked_for() {
        let both = Audience::of(&["example.com"], &["203.0.113.0/24"]).unwrap();
        assert!(both.admits(&named("a@example.com")));
        assert!(!both.admits(&from("203.0.113.7")));
        assert!(!both.admits(&Visitor { address: None, ..named("a@example.com") }));
    }

    #[test]
    fn what_cannot_be_read_is_refused_by_name() {
        for text in ["a@example.com", "example", "", "ex ample.com", "203.0.113.7"] {
            assert_eq!(Audience::of(&[text], &[]).unwrap_err().code(), "link.domain", "{text}");
        }
        for text in ["203.0.113.0/33", "office", "", "203.0.113"] {
            assert_eq!(Audience::of(&[], &[text]).unwrap_err().code(), "link.network", "{text}");
        }
    }

    #[test]
    fn a_machine_that_changes_its_address_within_its_network_is_one_client() {
        assert_eq!(from("2001:db8::1").network(), from("2001:db8::ffff:2").network());
        assert_ne!(from("2001:db8::1").network(), from("2001:db8:0:1::1").network());
        assert_ne!(from("203.0.113.7").network(), from("203.0.113.8").network());
        assert_eq!(from("::ffff:203.0.113.7").network(), from("203.0.113.7").network());
    }

    #[test]
    fn nothing_personal_is_shown_for_debugging() {
        let shown = format!("{:?}", named("a@example.com"));
        assert!(!shown.contains("example") && !shown.contains("203"), "{shown}");
    }
}
