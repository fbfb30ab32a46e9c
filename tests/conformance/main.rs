//! Do our clients speak to the systems as they are? Each suite runs against a simulator always, and against a real
//! system when its address is set.

mod content_server;
