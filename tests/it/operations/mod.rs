//! The operations over DevOrg, one file for each area: what each gives, how each fails, and that no lost answer makes a
//! second effect.

mod approvals;
mod automation;
mod bulk;
mod bulk_files;
mod collections;
mod composite;
mod composite_family;
mod files;
mod lost_answers;
mod other;
mod query;
mod records;
mod search;
