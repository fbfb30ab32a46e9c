//! The core every Waybill flow stands on, and the clients of the systems it connects.

pub mod audit;
pub mod aws;
pub mod bagit;
pub mod batch;
pub mod bus;
pub mod content_server;
pub mod context;
pub mod environment;
pub mod error;
pub mod filing;
pub mod flow;
pub mod flow_queues;
pub mod function;
pub mod http;
pub mod iconik;
pub mod iconik_change;
pub mod lambda;
pub mod ledger;
pub mod links;
pub mod mapping;
pub mod metrics;
pub mod node_change;
pub mod reconcile;
pub mod s3_notification;
pub mod transfer;
pub mod webhook;
