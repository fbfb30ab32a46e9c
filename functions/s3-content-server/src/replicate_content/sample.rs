//! A random sample of a replica, of things listed page by page, in bounded memory: each has the same chance.

use serde::{Deserialize, Serialize};
use shared::{context::Context, error::Result, flow::Run};

use super::replica::Replica;

/// Where the sampling is kept between invocations.
const SAMPLING: &str = "sampling";

/// A sample that grows while a list is read.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Sampling {
    /// The last thing that was read.
    after: Option<i64>,
    /// How many were.
    seen: u64,
    kept: Vec<i64>,
    done: bool,
}

impl Sampling {
    /// Reads one more (Vitter's algorithm R).
    fn take(&mut self, node: i64, most: usize, context: &Context) {
        self.seen += 1;
        self.after = Some(node);
        if self.kept.len() < most {
            self.kept.push(node);
        } else if let Ok(at) = usize::try_from(below(self.seen, context))
            && let Some(place) = self.kept.get_mut(at)
        {
            *place = node;
        }
    }

    /// In random order, for whoever takes the first few.
    fn shuffle(&mut self, context: &Context) {
        for at in (1..self.kept.len()).rev() {
            let other = usize::try_from(below(at as u64 + 1, context)).unwrap_or(at);
            self.kept.swap(at, other);
        }
    }
}

/// A random number below another.
fn below(ceiling: u64, context: &Context) -> u64 {
    let mut bytes = [0; 8];
    context.fill(&mut bytes);
    u64::from_be_bytes(bytes) % ceiling.max(1)
}

/// At most so many things of a replica, drawn once per item; nothing while the drawing has to go on in the next
/// invocation.
pub(super) async fn sample(replica: &Replica, most: usize, run: &Run) -> Result<Option<Vec<i64>>> {
    let mut sampling: Sampling = run.recorded(SAMPLING).unwrap_or_default();
    while !sampling.done {
        if run.must_stop() {
            run.checkpoint(SAMPLING, &sampling).await?;
            return Ok(None);
        }
        let nodes = replica.nodes_after(sampling.after).await?;
        sampling.done = nodes.is_empty();
        for node in nodes {
            sampling.take(node, most, run.context());
        }
        if sampling.done {
            sampling.shuffle(run.context());
            run.checkpoint(SAMPLING, &sampling).await?;
        }
    }
    Ok(Some(sampling.kept))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn each_thing_has_the_same_chance_and_comes_once() {
        let mut drawn: BTreeMap<i64, u32> = BTreeMap::new();
        for seed in 0..2_000 {
            let context = Context::simulated("2031-05-06T07:08:09Z".parse().unwrap(), seed);
            let mut sampling = Sampling::default();
            for node in 0..20 {
                sampling.take(node, 5, &context);
            }
            sampling.shuffle(&context);
            let once: std::collections::BTreeSet<i64> = sampling.kept.iter().copied().collect();
            assert_eq!(once.len(), 5);
            *drawn.entry(sampling.kept[0]).or_default() += 1;
        }
        // 100 each on average; a fair draw is this far off less than once in a million.
        assert!((0..20).all(|node| (50..150).contains(&drawn.get(&node).copied().unwrap_or(0))), "{drawn:?}");
    }

    #[test]
    fn a_small_replica_is_drawn_whole() {
        let context = Context::system();
        let mut sampling = Sampling::default();
        for node in [3, 1, 2] {
            sampling.take(node, 5, &context);
        }
        sampling.shuffle(&context);
        sampling.kept.sort_unstable();
        assert_eq!(sampling.kept, [1, 2, 3]);
    }
}
