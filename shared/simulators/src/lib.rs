//! Simulators of the systems Waybill connects.

pub mod aws;
