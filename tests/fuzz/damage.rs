//! Damage to an input, the same for the same seed.

use rand::{RngExt, SeedableRng, rngs::StdRng};

/// What tends to hurt: ends of ranges, half escapes, other scripts, invisible signs, deep nesting, long runs.
const SHARDS: [&str; 40] = [
    "\"",
    "'",
    "\\",
    "\\u",
    "\\ud800",
    "{",
    "}",
    "[",
    "]",
    "[[",
    "]]",
    "\n",
    "\r\n",
    "\0",
    "#",
    "=",
    ":",
    ",",
    "%",
    "%2",
    "%25",
    "%FF%FE",
    "+",
    "..",
    "/",
    "//",
    "-1",
    "0",
    "1e999",
    "18446744073709551616",
    "null",
    "true",
    "{}",
    "\u{feff}",
    "\u{202e}",
    "ÿ",
    "日",
    "😀",
    "e\u{301}",
    "9999-99-99",
];

/// A source of damage.
pub struct Damage(StdRng);

impl Damage {
    /// The damage of a seed.
    pub fn new(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    /// One of the inputs, damaged between no and eight times.
    pub fn some(&mut self, inputs: &[&str]) -> String {
        let mut characters: Vec<char> = inputs[self.0.random_range(0..inputs.len())].chars().collect();
        for _ in 0..self.0.random_range(0..=8) {
            self.once(&mut characters);
        }
        characters.into_iter().collect()
    }

    fn once(&mut self, characters: &mut Vec<char>) {
        let place = self.0.random_range(0..=characters.len());
        let end = (place + self.0.random_range(0..=24)).min(characters.len());
        match self.0.random_range(0..8) {
            0 => drop(characters.drain(place..end)),
            1 => characters.truncate(place),
            2 => {
                let repeated: Vec<char> = characters[place..end].to_vec();
                let times = self.0.random_range(1..=60);
                let run = repeated.iter().copied().cycle().take(repeated.len() * times);
                characters.splice(place..place, run.collect::<Vec<_>>());
            }
            3 => {
                let moved: Vec<char> = characters.drain(place..end).collect();
                let other = self.0.random_range(0..=characters.len());
                characters.splice(other..other, moved);
            }
            4 if place < characters.len() => {
                characters[place] = char::from_u32(self.0.random_range(0..0x11_0000)).unwrap_or('\u{fffd}');
            }
            5 => {
                let shard = SHARDS[self.0.random_range(0..SHARDS.len())];
                let times = self.0.random_range(1..=200);
                characters.splice(place..place, shard.repeat(times).chars().collect::<Vec<_>>());
            }
            _ => {
                let shard = SHARDS[self.0.random_range(0..SHARDS.len())];
                characters.splice(place..end, shard.chars().collect::<Vec<_>>());
            }
        }
    }
}
