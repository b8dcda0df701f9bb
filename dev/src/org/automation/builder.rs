//! What an org does by itself, registered before it starts.

use std::sync::Arc;

use serde_json::Value;

use super::{Action, Apex, Exception, Resource};
use crate::org::DevOrgBuilder;
use crate::org::faults::Reply;

impl DevOrgBuilder {
    /// Adds a class that is a REST resource: the code for one method at a `urlMapping`, such as `/Orders/*`.
    pub fn apex_rest(
        mut self,
        method: &str,
        mapping: &str,
        code: impl Fn(&mut Apex<'_>) -> Result<Reply, Exception> + Send + Sync + 'static,
    ) -> Self {
        let (method, mapping) = (method.to_owned(), mapping.to_owned());
        self.automation.resources.push(Resource { method, mapping, code: Arc::new(code) });
        self
    }

    /// Adds an invocable action: its name below `/actions`, such as `custom/apex/AssignCase`, `custom/flow/Close_Case` or
    /// `standard/emailSimple`, and what it does with each input; what it gives are its outputs.
    pub fn action(
        mut self,
        name: &str,
        code: impl Fn(&mut Apex<'_>) -> Result<Value, Exception> + Send + Sync + 'static,
    ) -> Self {
        self.automation.actions.push(Action { name: name.to_owned(), inputs: None, code: Arc::new(code) });
        self
    }
}
