//! Whether the documents in the target are where they belong, and say of themselves what they should.

use std::collections::BTreeSet;

use serde_json::Value;
use simulators::content_server::{
    Simulator,
    state::{Node, State},
};

/// What must be true of the documents of some uploads under the packaged rules.
struct Filed {
    /// How the keys of these uploads begin.
    keys: &'static str,
    folder: &'static str,
    /// A value that must stand on them: category, attribute, value.
    value: [&'static str; 3],
    /// Their class in the records management.
    class: Option<&'static str>,
    /// Whether everybody may read them.
    public: bool,
    /// How many reviews of them were started.
    reviews: usize,
}

const fn claim(keys: &'static str, folder: &'static str, number: &'static str) -> Filed {
    let value = ["Claim Evidence", "Claim Number", number];
    Filed { keys, folder, value, class: Some("CLM-FILES"), public: false, reviews: 0 }
}

const fn paper(keys: &'static str, folder: &'static str, number: &'static str) -> Filed {
    let value = ["Onboarding Document", "Candidate Number", number];
    Filed { keys, folder, value, class: Some("HR-FILES"), public: false, reviews: 0 }
}

const fn scan(keys: &'static str, folder: &'static str, signature: &'static str) -> Filed {
    let value = ["Digitised Item", "Signature", signature];
    Filed { keys, folder, value, class: Some("ARC-DIGITISED"), public: true, reviews: 0 }
}

const FILED: &[Filed] = &[
    claim("claims/100117/", "Enterprise/Claims/CLM-100117 Water damage/Evidence", "100117"),
    claim("claims/100118/", "Enterprise/Claims/CLM-100118 Hail damage/Evidence", "100118"),
    claim("claims/100245/", "Enterprise/Claims/CLM-100245 Fire in a warehouse/Evidence", "100245"),
    claim("claims/100301/first notice", "Enterprise/Claims/CLM-100301/Evidence", "100301"),
    Filed { reviews: 1, ..claim("claims/100301/kitchen", "Enterprise/Claims/CLM-100301/Evidence", "100301") },
    // Two versions, each of which was to be approved.
    Filed {
        keys: "suppliers/0000200451/",
        folder: "Enterprise/Suppliers/0000200451 Northern Glazing/Contracts",
        value: ["Supplier Submission", "Supplier Number", "0000200451"],
        class: Some("SUP-CONTRACTS"),
        public: false,
        reviews: 2,
    },
    Filed {
        keys: "suppliers/0000200777/",
        folder: "Enterprise/Suppliers/0000200777 Harbour Drying/Certificates",
        value: ["Supplier Submission", "Supplier Number", "0000200777"],
        class: None,
        public: false,
        reviews: 0,
    },
    paper("onboarding/300881/", "Enterprise/Onboarding/300881/Contract", "300881"),
    paper("onboarding/300882/", "Enterprise/Onboarding/300882/Contract", "300882"),
    paper("onboarding/300990/", "Enterprise/Onboarding/300990/Contract", "300990"),
    scan("archive/Registers/1887/page 001", "Enterprise/Digitised Archive/Registers/1887", "REG 1887/14/1"),
    scan("archive/Registers/1887/page 002", "Enterprise/Digitised Archive/Registers/1887", "REG 1887/14/2"),
    scan("archive/Maps and Plans/", "Enterprise/Digitised Archive/Maps and Plans", "MAP 7"),
    scan("archive/Photographs/1911/", "Enterprise/Digitised Archive/Photographs/1911", "PHO 1911/3"),
];

/// What is wrong with the documents of these uploads, each a key and a node.
pub(crate) fn faults(simulator: &Simulator, delivered: &BTreeSet<(&str, i64)>) -> Vec<String> {
    simulator.with_state(|state| {
        let mut faults = Vec::new();
        for (key, node) in delivered {
            let wanted = FILED.iter().find(|filed| key.starts_with(filed.keys));
            let found = match (wanted, state.nodes.get(node)) {
                (Some(wanted), Some(document)) => differences(state, document, wanted),
                (None, _) => vec!["nobody said where it belongs".to_owned()],
                (_, None) => vec![format!("node {node} is gone")],
            };
            faults.extend(found.into_iter().map(|fault| format!("{key}: {fault}")));
        }
        faults
    })
}

fn differences(state: &State, document: &Node, wanted: &Filed) -> Vec<String> {
    let path = state.path_of(document.id);
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let [category, attribute, value] = wanted.value;
    let said = state.value_of(document.id, category, attribute).and_then(Value::as_str);
    let class = document.record.as_ref().and_then(|record| state.nodes.get(&record.class));
    let class = class.map(|class| class.name.as_str());
    let is_public = document.permissions.public.iter().flatten().next().is_some();
    let reviews = state.processes.values().filter(|review| review.documents.contains(&document.id)).count();
    let mut found = Vec::new();
    if folder != wanted.folder {
        found.push(format!("is in {folder}, not in {}", wanted.folder));
    }
    if said != Some(value) {
        found.push(format!("its {attribute} is {said:?}, not {value}"));
    }
    if class != wanted.class {
        found.push(format!("its class is {class:?}, not {:?}", wanted.class));
    }
    if is_public != wanted.public {
        found.push(if is_public {
            "everybody may read it".into()
        } else {
            "not everybody may read it".into()
        });
    }
    if reviews != wanted.reviews {
        found.push(format!("{reviews} reviews were started, not {}", wanted.reviews));
    }
    found
}

#[cfg(test)]
mod tests {
    use ::tests::repository;
    use simulators::{Clock, content_server::Settings};

    use super::*;

    #[test]
    fn a_document_that_lies_elsewhere_and_says_nothing_is_found_out() {
        let server = Simulator::new(Settings::default(), Clock::machine());
        let node = repository::document(
            &server,
            "Claims/Incoming",
            "first notice.pdf",
            "application/pdf",
            &[vec![1]],
        );
        let found = faults(&server, &[("claims/100301/first notice.pdf", node)].into());
        let wrong = ["is in Enterprise/Claims/Incoming", "its Claim Number is None", "its class is None"];
        for fault in wrong {
            assert!(found.iter().any(|found| found.contains(fault)), "{fault}: {found:?}");
        }
        assert!(!found.iter().any(|found| found.contains("reviews")), "{found:?}");
        let found = faults(&server, &[("claims/100301/kitchen ceiling.jpeg", node)].into());
        assert!(found.iter().any(|found| found.ends_with("0 reviews were started, not 1")), "{found:?}");
        assert_eq!(
            faults(&server, &[("unknown/a.pdf", node), ("claims/100117/a.pdf", 1)].into()),
            ["claims/100117/a.pdf: node 1 is gone", "unknown/a.pdf: nobody said where it belongs"]
        );
    }
}
