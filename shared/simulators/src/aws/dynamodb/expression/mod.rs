//! The expression language of `DynamoDB`: conditions, filters, keys, projections and updates.

mod apply;
pub(super) mod condition;
pub(super) mod evaluate;
pub(super) mod key;
mod lexer;
pub(super) mod parser;
pub(super) mod path;
pub(super) mod placeholders;
pub(super) mod update;

pub(super) use condition::Condition;
pub(super) use placeholders::Placeholders;
pub(super) use update::Update;

#[cfg(test)]
mod cases;
