//! The operations over DevOrg, one file for each area: what each gives, how each fails, and that no lost answer makes a
//! second effect.

mod apex;
mod approvals;
mod automation;
mod bulk;
mod bulk_files;
mod bulk_query;
mod collections;
mod composite;
mod composite_family;
mod documents;
mod every_operation;
mod files;
mod graphql;
mod other;
mod query;
mod records;
mod search;
