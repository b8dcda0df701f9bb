//! The workshop: an in-memory Salesforce org ([`org`]) and an in-memory Zeebe gateway ([`gateway`]).
//!
//! Both speak only the wire and share no code with the product, so that a mistake in the product cannot
//! hide behind the same mistake in its double.

pub mod engine;
pub mod gateway;
pub mod org;
