//! The core every Waybill flow stands on, and the clients of the systems it connects.

pub mod aws;
pub mod context;
pub mod error;
pub mod http;
pub mod mapping;
