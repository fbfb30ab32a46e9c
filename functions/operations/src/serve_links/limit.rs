//! How many tokens without a link one network may present.

use std::{collections::HashMap, sync::Mutex};

/// So many networks are remembered; when more come at once, all are forgotten. Memory stays bounded, and the limit in
/// front of the function holds.
const MOST_NETWORKS: usize = 10_000;

/// A bucket per network, kept by this instance of the function only: with 128 bits in a token this keeps the noise
/// down, it is not what keeps a link secret.
#[derive(Debug)]
pub(super) struct MissLimit {
    /// Milliseconds until a miss is forgotten.
    interval: i64,
    /// How many misses fit into a bucket, in milliseconds.
    full: i64,
    /// When each bucket will be empty.
    empty_at: Mutex<HashMap<String, i64>>,
}

impl MissLimit {
    /// So many misses at once, and as many in each minute after.
    pub(super) fn per_minute(misses: u32) -> Self {
        let misses = i64::from(misses.max(1));
        let interval = 60_000 / misses;
        Self { interval, full: interval * misses, empty_at: Mutex::default() }
    }

    /// Seconds until this network is answered again; nothing when it is answered now.
    pub(super) fn wait(&self, network: &str, now: i64) -> Option<u32> {
        let filled = self.buckets().get(network)? - now;
        let over = filled - (self.full - self.interval);
        (over > 0).then(|| u32::try_from((over + 999) / 1000).unwrap_or(u32::MAX))
    }

    /// Notes a miss.
    pub(super) fn missed(&self, network: &str, now: i64) {
        let mut buckets = self.buckets();
        if buckets.len() >= MOST_NETWORKS && !buckets.contains_key(network) {
            buckets.retain(|_, empty_at| *empty_at > now);
            if buckets.len() >= MOST_NETWORKS {
                buckets.clear();
            }
        }
        let empty_at = buckets.entry(network.to_owned()).or_insert(now);
        *empty_at = (*empty_at).max(now) + self.interval;
    }

    fn buckets(&self) -> std::sync::MutexGuard<'_, HashMap<String, i64>> {
        self.empty_at.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_may_miss_so_often_and_then_waits_for_each_further_try() {
        let limit = MissLimit::per_minute(10);
        for miss in 0..10 {
            assert_eq!(limit.wait("a", 1000), None, "miss {miss}");
            limit.missed("a", 1000);
        }
        assert_eq!(limit.wait("a", 1000), Some(6));
        assert_eq!(limit.wait("a", 6999), Some(1));
        assert_eq!(limit.wait("a", 7000), None);
        limit.missed("a", 7000);
        assert_eq!(limit.wait("a", 7000), Some(6));
        assert_eq!(limit.wait("b", 7000), None, "others are not concerned");
        assert_eq!(limit.wait("a", 600_000), None, "and it is forgotten");
    }

    #[test]
    fn memory_is_bounded_however_many_networks_come() {
        let limit = MissLimit::per_minute(10);
        for network in 0..3 * MOST_NETWORKS {
            limit.missed(&network.to_string(), 0);
        }
        assert!(limit.buckets().len() <= MOST_NETWORKS);
    }

    #[test]
    fn a_limit_of_nothing_is_the_smallest_there_is() {
        let limit = MissLimit::per_minute(0);
        assert_eq!(limit.wait("a", 0), None);
        limit.missed("a", 0);
        assert_eq!(limit.wait("a", 0), Some(60));
    }
}
