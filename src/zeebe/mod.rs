//! The east wing: a client of the Zeebe gateway and a job worker. It has never heard of Salesforce.

mod outcome;

pub use outcome::{Failure, Outcome};
