//! Intake rules as a person who writes them would describe them.
