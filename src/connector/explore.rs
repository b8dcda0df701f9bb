//! What an org has, for those who look before they model: its objects and their fields.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::{connections::Connections, error::Error};
use crate::salesforce::{Request, TimeLimit};

impl Connections {
    /// What the user of a configured connection sees of the org: the answer to a request that reads, as Salesforce gives it.
    ///
    /// # Errors
    /// `UNKNOWN_CONNECTION`, what a login fails with, and for what is not there or not seen `NOT_FOUND`.
    pub async fn explore(&self, name: &str, request: &Request, patience: Duration) -> Result<Value, Error> {
        let limit = TimeLimit { request_timeout: patience, deadline: Instant::now() + patience };
        let mut secrets = self.own_secrets();
        let asked = async {
            let client = self.named_client(name, None, &mut secrets).await?.client;
            // On the heap: it would stand in the future of each caller.
            let answer = Box::pin(client.send(request, limit)).await;
            secrets.learn(client.received_tokens());
            Ok(answer?.body)
        };
        let result: Result<Value, Error> = asked.await;
        let redactor = secrets.redactor();
        result.map_err(|error| error.map_message(|message| redactor.text(&message).into_owned()))
    }
}
