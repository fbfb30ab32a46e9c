//! The flows between Amazon S3 and OpenText Content Server.
