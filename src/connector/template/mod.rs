//! The element templates: the form that the modeler fills, generated from the operations; and, in `org`, one for each
//! object of an org and what is done with it.
//!
//! Facts of Modeler and engine that the template stands on:
//! - an empty input is written without a source, and Zeebe refuses the process: what may stay empty is `optional`;
//! - two visible fields with one binding merge silently: there are none;
//! - sections stand in the order of the first property that uses them;
//! - a later input for `a.b` replaces an earlier one for `a.b.c`: an object and its fields are never mapped both.

mod builder;
mod connection;
mod credential;
pub mod model;
mod operation;
pub(crate) mod org;
mod sections;
mod writer;

#[cfg(test)]
mod applied;
#[cfg(test)]
mod tests;

pub use model::ElementTemplate;
pub use writer::element_templates;
