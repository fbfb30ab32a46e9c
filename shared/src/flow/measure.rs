/// What a flow measures of its work, besides what is counted of every item. Goes out with the metrics of the batch,
/// which give each its name and unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    /// How old a change is that is replicated, or that waits to be.
    ReplicaLag,
    /// How long ago the whole of a replica was verified.
    ReplicaVerifiedAge,
    /// Things of a replica that were verified.
    ReplicaVerified,
    /// Things of a replica that are not what they were.
    ReplicaDamaged,
    /// Things that a restore or a drill brought back.
    Restored,
    /// Things that a restore or a drill could not bring back as they were.
    RestoreDifferences,
}
