//! The core every Waybill flow stands on, and the clients of the systems it connects.
