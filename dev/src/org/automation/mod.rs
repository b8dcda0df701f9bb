//! What an org does by itself: Apex, invocable actions, flows, quick actions, approvals, platform events.
//!
//! Each is registered before the org starts, by a function of Rust ([`DevOrgBuilder`](super::DevOrgBuilder)) or by the
//! seed's `automation` (`seed`). Whatever a function does to records is undone when it fails, as in a transaction of Apex.

mod actions;
mod apex;
mod apex_rest;
mod approvals;
mod builder;
mod convert;
mod events;
mod graphql;
mod graphql_document;
mod quick_actions;
mod script;
mod seed;

use std::collections::HashMap;
use std::sync::Mutex;

use axum::http::StatusCode;

use super::error::ApiError;
use approvals::ApprovalProcess;
use events::{EventDefinition, Published};

pub(crate) use actions::{Action, route as actions};
pub use apex::{Apex, Exception};
pub(crate) use apex_rest::{Resource, route as apex_rest};
pub(crate) use approvals::{define, point_anywhere, route as approvals};
pub(crate) use events::route as events;
pub(crate) use graphql::route as graphql;
pub(crate) use quick_actions::{QuickAction, route as quick_actions};
pub(crate) use seed::read;

/// All that is registered.
#[derive(Debug, Default)]
pub(crate) struct Automation {
    pub(crate) resources: Vec<Resource>,
    pub(crate) actions: Vec<Action>,
    pub(crate) quick_actions: Vec<QuickAction>,
    pub(crate) events: Vec<EventDefinition>,
    pub(crate) published: Published,
    pub(crate) approvals: Vec<ApprovalProcess>,
    /// How many steps of an approval were opened, by the id of its instance.
    pub(crate) levels: Mutex<HashMap<String, usize>>,
}

impl Automation {
    /// Adds what another one has.
    pub(crate) fn extend(&mut self, other: Self) {
        self.resources.extend(other.resources);
        self.actions.extend(other.actions);
        self.quick_actions.extend(other.quick_actions);
        self.events.extend(other.events);
        self.approvals.extend(other.approvals);
    }
}

/// An exception that nobody caught, as Apex REST tells it.
fn apex_error(exception: &Exception) -> ApiError {
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "APEX_ERROR", exception.told())
}
