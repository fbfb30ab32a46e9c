//! What a function leaves in writing, where no secret may stand.

use std::collections::BTreeSet;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::World;

impl World {
    /// Everything it wrote so far, place by place: its outputs, which hold the log and the figures, the ledger, what was
    /// put aside, and what was given up.
    pub(crate) async fn written(&self) -> Vec<(&'static str, String)> {
        let scan = self.place.dynamodb.scan().table_name(&self.place.table);
        let ledger = scan.send().await.expect("scanned").items.unwrap_or_default();
        let aside = self.objects(&self.place.quarantine).await;
        let aside: Vec<_> = aside.iter().map(|(key, bytes)| (key, String::from_utf8_lossy(bytes))).collect();
        let given_up = self.dead_letters().await;
        vec![
            ("outputs", self.function.log().text()),
            ("ledger", format!("{ledger:?}")),
            ("put aside", format!("{aside:?}")),
            ("dead letters", format!("{given_up:?}")),
        ]
    }

    /// Fails when one of these stands anywhere in writing, as it is or encoded for an address.
    pub(crate) async fn keeps_to_itself(&self, secrets: &BTreeSet<String>) {
        let written = self.written().await;
        assert!(written.iter().all(|(_, text)| !text.is_empty()));
        for secret in secrets {
            assert!(secret.len() >= 12, "too short to be looked for");
            let encoded = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
            for (place, text) in &written {
                let line = text.lines().find(|line| line.contains(secret) || line.contains(&encoded));
                assert!(line.is_none(), "{secret} stands in {place}: {line:?}");
            }
        }
    }
}
