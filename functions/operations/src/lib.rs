//! What people outside and operators meet: expiring links.

pub mod serve_links;
