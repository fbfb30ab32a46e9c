//! Maps and patterns, as a person who writes rules would describe them.
