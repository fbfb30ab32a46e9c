//! What begins the namespaces of the interface: an upgrade of the tenant changes their ends.

pub(super) use crate::xml::Element;

/// What begins the namespace of the entity interface.
pub(super) const ENTITY: &str = "http://preservica.com/EntityAPI/";
/// What begins the namespace of what is archived.
pub(super) const XIP: &str = "http://preservica.com/XIP/";
/// What begins the namespace of retention.
pub(super) const RETENTION: &str = "http://preservica.com/RetentionManagement/";
