//! Random worlds in which differences are planted: a run finds all of them and nothing else, wherever it is interrupted.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use jiff::SignedDuration;
use proptest::prelude::*;
use shared::{
    error::{Error, FailureClass, Result, System},
    ledger::Ending,
    reconcile::{
        Account, Action, Again, Comparison, Eventual, Facts, Kind, Listed, Look, Options, Page, Pair, Seen,
        Side, Sides, Words, fingerprint,
    },
};
use tests::storm::Scenario;
use tokio::sync::Notify;

use crate::{
    ingest_uploads,
    side::{Compared, Said, run},
};

/// What there is of one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Planted {
    Equal,
    Alike,
    /// In the source alone: never begun, delivered and gone, failed, put aside, skipped, or excused.
    Lost,
    Removed,
    Failed,
    PutAside,
    Skipped,
    Excused,
    /// In the source alone, and young; begun lately; begun long ago.
    Young,
    UnderWay,
    Stuck,
    /// In both, not alike.
    OtherSize,
    OtherHash,
    OtherMetadata,
    OtherState,
    /// In both, alike but for a field.
    OtherField,
    /// Alike in what both sides state.
    HalfKnown,
    /// In the target alone.
    Stray,
    YoungStray,
    /// Refused on one side.
    Hidden,
    Refused,
    /// Different at the first look, equal at the second.
    Flickering,
}

impl Planted {
    /// What a run is to say of it, and whether it may repair it by itself.
    fn expected(self) -> Option<(Kind, bool)> {
        match self {
            Self::Lost | Self::Stuck => Some((Kind::Missing, true)),
            Self::Removed | Self::Failed => Some((Kind::Missing, false)),
            Self::OtherSize | Self::OtherHash => Some((Kind::Different, true)),
            Self::OtherMetadata | Self::OtherState => Some((Kind::Different, false)),
            Self::OtherField => Some((Kind::Metadata, false)),
            Self::Stray => Some((Kind::Extra, false)),
            Self::Hidden | Self::Refused => Some((Kind::Unverifiable, false)),
            _ => None,
        }
    }

    fn is_in_source(self) -> bool {
        !matches!(self, Self::Stray | Self::YoungStray)
    }
}

fn planted() -> impl Strategy<Value = Planted> {
    use Planted::{
        Alike, Equal, Excused, Failed, Flickering, HalfKnown, Hidden, Lost, OtherField, OtherHash,
        OtherMetadata, OtherSize, OtherState, PutAside, Refused, Removed, Skipped, Stray, Stuck, UnderWay,
        Young, YoungStray,
    };
    prop_oneof![
        6 => Just(Equal),
        14 => prop::sample::select(vec![
            Alike, Lost, Removed, Failed, PutAside, Skipped, Excused, Young, UnderWay, Stuck, OtherSize, OtherHash,
            OtherMetadata, OtherState, OtherField, HalfKnown, Stray, YoungStray, Hidden, Refused, Flickering,
        ]),
    ]
}

/// Sides that are made up.
struct MadeUp {
    things: Vec<Planted>,
    page: usize,
    context: shared::context::Context,
    looked_at: Mutex<BTreeSet<usize>>,
    /// Looks that fail for the time being.
    stumbles: Mutex<u32>,
}

impl MadeUp {
    fn pair(&self, index: usize) -> Result<Pair> {
        let thing = self.things[index];
        let facts = |size: u64, hash: &str| Facts {
            size: Some(size),
            sha256: Some(hash.to_owned()),
            metadata: Some("m".into()),
            state: Some("s".into()),
            ..Facts::default()
        };
        let there = |facts| Seen::There(facts);
        let usual = || there(facts(1, "a"));
        let now = self.context.now();
        let mut pair =
            Pair::new(format!("thing {index}"), format!("thing <{index}>"), format!("asset-{index}"));
        pair.changed = Some(now - SignedDuration::from_hours(5));
        let again = |action| Some(Again { action, message: format!("again {index}") });
        pair.if_missing = again(Action::Redeliver);
        pair.source = usual();
        pair.account = Account::Nothing;
        match thing {
            Planted::Equal => pair.target = usual(),
            Planted::Alike => {
                let nameless = || there(Facts { size: Some(1), ..Facts::default() });
                (pair.source, pair.target) = (nameless(), nameless());
            }
            Planted::HalfKnown => pair.target = there(Facts { size: Some(1), ..Facts::default() }),
            Planted::Lost => {}
            Planted::Removed => {
                pair.account = Account::Ended(Ending::Delivered, None);
                pair.if_missing = None;
            }
            Planted::Failed => pair.account = Account::Ended(Ending::Failed, Some("bug".into())),
            Planted::PutAside => pair.account = Account::Ended(Ending::Quarantined, Some("rule.none".into())),
            Planted::Skipped => pair.account = Account::Ended(Ending::Skipped, None),
            Planted::Excused => pair.accounted = Some("held".into()),
            Planted::Young => pair.changed = Some(now - SignedDuration::from_mins(59)),
            Planted::UnderWay => pair.account = Account::UnderWay(now - SignedDuration::from_mins(2)),
            Planted::Stuck => pair.account = Account::UnderWay(now - SignedDuration::from_hours(2)),
            Planted::OtherSize => {
                pair.target = there(facts(2, "a"));
                pair.if_different = again(Action::LookAgain);
            }
            Planted::OtherHash => {
                pair.target = there(facts(1, "b"));
                pair.if_different = again(Action::LookAgain);
            }
            Planted::OtherMetadata => {
                pair.target = there(Facts { metadata: Some("n".into()), ..facts(1, "a") });
            }
            Planted::OtherState => pair.target = there(Facts { state: Some("t".into()), ..facts(1, "a") }),
            Planted::OtherField => {
                let fields = |value: &str| Some([("a field".to_owned(), fingerprint(value))].into());
                pair.source = there(Facts { mapped: fields("this"), ..facts(1, "a") });
                pair.target = there(Facts { mapped: fields("that"), ..facts(1, "a") });
                pair.if_different = again(Action::LookAgain);
            }
            Planted::Stray | Planted::YoungStray => {
                (pair.source, pair.target) = (Seen::Absent, usual());
                if thing == Planted::YoungStray {
                    pair.changed = Some(now);
                }
            }
            Planted::Hidden => pair.target = Seen::Unreadable("not for us".into()),
            Planted::Refused => {
                let class = FailureClass::Forbidden;
                return Err(Error::new(class, System::S3, "look", "aws.refused", "refused"));
            }
            Planted::Flickering => {
                let first = self.looked_at.lock().expect("no panic").insert(index);
                pair.target = there(facts(if first { 9 } else { 1 }, "a"));
            }
        }
        Ok(pair)
    }
}

impl Sides for MadeUp {
    fn words(&self) -> Words {
        let word = |text: &str| text.to_owned();
        Words {
            source: word("source"),
            target: word("target"),
            missing: word("a"),
            different: word("b"),
            extra: word("c"),
        }
    }

    fn list(&self, side: Side, cursor: Option<String>) -> Eventual<'_, Result<Page>> {
        Box::pin(async move {
            let from: usize = cursor.map_or(0, |cursor| cursor.parse().expect("a number"));
            let to = (from + self.page).min(self.things.len());
            let items = (from..to)
                .filter(|index| match side {
                    Side::Source => self.things[*index].is_in_source(),
                    // What is hidden is listed where it is there.
                    Side::Target => !matches!(self.things[*index], Planted::Hidden | Planted::Refused),
                })
                .map(|index| Listed { key: format!("thing {index}"), facts: index.into() });
            let next = (to < self.things.len()).then(|| to.to_string());
            Ok(Page { items: items.collect(), next })
        })
    }

    fn look<'a>(&'a self, _: Side, listed: &'a Listed, _: Look) -> Eventual<'a, Result<Vec<Pair>>> {
        Box::pin(async move {
            {
                let mut stumbles = self.stumbles.lock().expect("no panic");
                if *stumbles > 0 {
                    *stumbles -= 1;
                    let class = FailureClass::Transient;
                    return Err(Error::new(class, System::S3, "look", "aws.away", "away for now"));
                }
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            Ok(vec![self.pair(usize::try_from(listed.facts.as_u64().expect("a number")).expect("small"))?])
        })
    }
}

/// A run in pieces of so many milliseconds, each in a process of its own.
async fn in_pieces(compared: &Compared, sides: &MadeUp, options: Options, piece: i64) -> Said {
    let queue = compared.world.queue_url();
    let mut place = None;
    for _ in 0..10_000 {
        let tap = compared.tap(BTreeMap::new());
        let environment = compared.environment(tap.transport(Arc::new(Notify::new())));
        let mut run = match place.take() {
            None => {
                let mut run = Comparison::begin(&environment, "made-up", sides, queue, options);
                run.keep().await.expect("kept");
                run
            }
            Some(place) => Comparison::resume(&environment, sides, queue, place).await.expect("resumed"),
        };
        let until = environment.context.now_milliseconds() + piece;
        if run.run(until).await.unwrap_or(false) {
            return compared.said(&run.place().prefix).await;
        }
        place = Some(run.place().clone());
    }
    panic!("the run never ends");
}

fn empty() -> Scenario {
    Scenario { objects: Vec::new, ..ingest_uploads::story() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn planted_differences_are_all_found_and_nothing_else_is(
        things in prop::collection::vec(planted(), 0..60),
        page in 1_usize..9,
        piece in 30_i64..400,
        stumbles in 0_u32..3,
        most_repairs in 0_u64..12,
    ) {
        run(async {
            let compared = Compared::after(empty()).await;
            let sides = MadeUp {
                things: things.clone(),
                page,
                context: compared.world.context.clone(),
                looked_at: Mutex::default(),
                stumbles: Mutex::new(stumbles),
            };
            let options = Options { repair: true, most_repairs, ..Options::default() };
            let said = in_pieces(&compared, &sides, options, piece).await;

            let mut expected: Vec<(Kind, String, bool)> = things
                .iter()
                .enumerate()
                .filter_map(|(index, thing)| {
                    let (kind, safe) = thing.expected()?;
                    Some((kind, format!("thing {index}"), safe))
                })
                .collect();
            expected.sort();
            let mut found: Vec<_> = said
                .report
                .findings
                .iter()
                .map(|finding| (finding.kind, finding.key.clone(), finding.repair.safe))
                .collect();
            found.sort();
            prop_assert_eq!(&found, &expected);

            // The counts say what the findings say, and every thing is counted once.
            let counts = said.counts();
            let source = things.iter().filter(|thing| thing.is_in_source()).count();
            prop_assert_eq!(counts.source, source as u64);
            let all = counts.equal + counts.alike + counts.accounted + counts.in_flight + counts.missing
                + counts.different + counts.metadata + counts.extra + counts.unverifiable;
            prop_assert_eq!(all, things.len() as u64);

            // What was queued is safe, and as much of it as was allowed; each thing once, in the order it was found.
            let safe: Vec<String> = said
                .report
                .findings
                .iter()
                .filter(|finding| finding.repair.safe)
                .map(|finding| finding.key.replace("thing", "again"))
                .collect();
            let allowed = safe.len().min(usize::try_from(most_repairs).expect("small"));
            prop_assert_eq!(counts.queued, allowed as u64);
            let queued: Vec<String> =
                compared.world.aws.sqs().messages("queue").into_iter().map(|message| message.body).collect();
            prop_assert_eq!(&queued, &safe[..allowed]);
            let flagged = said.report.findings.iter().filter(|finding| finding.repair.queued).count();
            prop_assert_eq!(flagged, allowed);
            Ok(())
        })?;
    }
}
