//! DevOrg over real HTTP, seen through a client that shares no code with it.

mod about;
mod auth;
mod automation;
mod bulk;
mod bulk_query;
mod client;
mod collections;
mod composite;
mod faults;
mod files;
mod grants;
mod jwt;
mod knowledge;
mod query;
mod recorded;
mod records;
mod reports;
mod search;
mod tokens;
mod web_server;
mod wire;
