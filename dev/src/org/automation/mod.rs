//! What an org does by itself: Apex, invocable actions, flows, quick actions, approvals, platform events.
//!
//! Each is registered before the org starts, by a function of Rust ([`DevOrgBuilder`](super::DevOrgBuilder)) or by the
//! seed's `automation` (`seed`). Whatever a function does to records is undone when it fails, as in a transaction of Apex.

mod actions;
mod apex;
mod apex_rest;
mod builder;
mod script;
mod seed;

use axum::http::StatusCode;

use super::error::ApiError;

pub(crate) use actions::{Action, route as actions};
pub use apex::{Apex, Exception};
pub(crate) use apex_rest::{Resource, route as apex_rest};
pub(crate) use seed::read;

/// All that is registered.
#[derive(Debug, Clone, Default)]
pub(crate) struct Automation {
    pub(crate) resources: Vec<Resource>,
    pub(crate) actions: Vec<Action>,
}

impl Automation {
    /// Adds what another one has.
    pub(crate) fn extend(&mut self, other: Self) {
        self.resources.extend(other.resources);
        self.actions.extend(other.actions);
    }
}

/// An exception that nobody caught, as Apex REST tells it.
fn apex_error(exception: &Exception) -> ApiError {
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "APEX_ERROR", exception.told())
}
