//! Simulators of the systems Waybill connects.
