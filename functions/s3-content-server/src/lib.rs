//! The flows between Amazon S3 and OpenText Content Server.

pub mod intake_rules;
