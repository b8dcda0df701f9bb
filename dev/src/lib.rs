//! The workshop: an in-memory Salesforce org ([`org`]), an in-memory Zeebe gateway ([`gateway`]), as much of a
//! HashiCorp Vault ([`vault`]) as a reader of secrets sees, and the documents of a cluster ([`documents`]).
//!
//! All speak only the wire and share no code with the product, so that a mistake in the product cannot
//! hide behind the same mistake in its double.

pub mod documents;
pub mod engine;
pub mod gateway;
mod multipart;
pub mod org;
pub mod vault;
