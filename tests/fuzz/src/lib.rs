//! The modules under test, from their source files, under the names they have in the product.
#![allow(unused_imports, reason = "some are for modules that are not under test")]

extern crate self as s3_content_server;
extern crate self as shared;

#[path = "../../../shared/src/content_server/names.rs"]
pub mod content_server;
#[path = "../entries.rs"]
pub mod entries;
#[path = "../../../shared/src/error.rs"]
pub mod error;
pub mod filing;
#[path = "../../../shared/src/flow/parsed.rs"]
pub mod flow;
#[path = "../../../functions/s3-content-server/src/intake_rules/mod.rs"]
pub mod intake_rules;
#[path = "../../../shared/src/mapping/mod.rs"]
pub mod mapping;
#[path = "../../../shared/src/s3_notification.rs"]
pub mod s3_notification;
