//! The input of a job: which org, which operation, which options.

use std::{fmt, time::Duration};

use serde::{Deserialize, Deserializer, de::IgnoredAny};
use serde_json::{Map, Value};

use super::{
    INPUT_VARIABLE,
    authentication::ConnectionAuthentication,
    input::{self, InvalidInput, Show},
    operations::{self, Descriptor, Operation},
};
use crate::salesforce::{ApiVersion, CallOptions};

/// A job's whole input, checked; secrets are not yet looked up.
#[derive(Debug)]
pub struct Request {
    /// Which org, and how to log in.
    pub(super) connection: Connection,
    /// The API version that the task wants; `None`: that of the connection.
    pub(super) api_version: Option<ApiVersion>,
    /// What to do.
    pub(super) operation: Operation,
    /// How long one call may take; `None`: as configured.
    pub(super) timeout: Option<Duration>,
    /// What its calls say of themselves.
    pub(super) call_options: CallOptions,
}

/// Which org, and how to log in; its texts may refer to secrets.
#[derive(Debug)]
pub(super) enum Connection {
    /// One of the configuration.
    Named(Reference),
    /// Written in the task.
    Inline {
        /// Where the org is.
        base_url: Reference,
        /// How to log in.
        authentication: ConnectionAuthentication,
    },
}

/// A text of a connection, which may hold a credential where it should not: never shown.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Reference(pub(super) String);

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reference(…)")
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Parts {
    #[serde(rename = "connection")]
    _connection: IgnoredAny,
    api_version: Option<ApiVersion>,
    #[serde(rename = "operation")]
    _operation: IgnoredAny,
    #[serde(rename = "options")]
    _options: Option<IgnoredAny>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Options {
    #[serde(default, deserialize_with = "positive_duration")]
    timeout: Option<Duration>,
    #[serde(default)]
    call_options: CallOptions,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ConnectionParts {
    name: Option<Reference>,
    base_url: Option<Reference>,
    authentication: Option<IgnoredAny>,
}

fn positive_duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    use serde::de::Error as _;

    let text = String::deserialize(deserializer)?;
    let duration = input::duration(&text).filter(|duration| !duration.is_zero());
    let expected = "expected an ISO 8601 duration greater than zero, such as \"PT20S\"";
    duration.map(Some).ok_or_else(|| D::Error::custom(expected))
}

impl Request {
    /// Reads the job's one variable of input, `salesforceRequest`.
    ///
    /// # Errors
    /// The first mistake; nothing below `connection` is repeated in it.
    pub fn parse(variables: &Map<String, Value>) -> Result<Self, InvalidInput> {
        let root = variables.get(INPUT_VARIABLE);
        // A request that came as JSON text may have credentials in it.
        let is_json = matches!(root, Some(Value::String(text)) if text.contains('{'));
        let root = input::object(INPUT_VARIABLE, root, if is_json { Show::Type } else { Show::Value })?;
        Self::read(root).map_err(|mistake| mistake.under(INPUT_VARIABLE))
    }

    fn read(root: &Map<String, Value>) -> Result<Self, InvalidInput> {
        let parts: Parts = input::read(root, None, Show::Value)?;
        let operation = input::object("operation", root.get("operation"), Show::Value)?;
        let options = match root.get("options") {
            Some(options) if !input::is_absent(Some(options)) => {
                let options = input::object("options", Some(options), Show::Value)?;
                input::read(options, None, Show::Value).map_err(|mistake| mistake.under("options"))?
            }
            _ => Options::default(),
        };
        let connection = input::object("connection", root.get("connection"), Show::Type)?;
        Ok(Self {
            connection: Connection::read(connection).map_err(|mistake| mistake.under("connection"))?,
            api_version: parts.api_version,
            operation: read_operation(operation).map_err(|mistake| mistake.under("operation"))?,
            timeout: options.timeout,
            call_options: options.call_options,
        })
    }
}

fn read_operation(fields: &Map<String, Value>) -> Result<Operation, InvalidInput> {
    match fields.get("type") {
        Some(Value::String(name)) if !name.trim().is_empty() => Operation::parse(name, fields),
        other => {
            let known: Vec<_> = operations::ALL.iter().map(|operation| operation.name).collect();
            let expected = format!("one of the operations: {}", known.join(", "));
            Err(InvalidInput::new("type", expected, input::describe(other, Show::Value)))
        }
    }
}

/// The operation that a job names, whether or not its input is right: for metrics and messages.
pub(super) fn operation_named(variables: &Map<String, Value>) -> Option<&'static Descriptor> {
    let name = variables.get(INPUT_VARIABLE)?.get("operation")?.get("type")?.as_str()?;
    operations::ALL.iter().copied().find(|operation| operation.name == name.trim())
}

impl Connection {
    fn read(fields: &Map<String, Value>) -> Result<Self, InvalidInput> {
        const EITHER: &str = "either name, or baseUrl and authentication";
        let parts: ConnectionParts = input::read(fields, None, Show::Type)?;
        match (parts.name, parts.base_url, parts.authentication) {
            (Some(name), None, None) => Ok(Self::Named(name)),
            (Some(_), _, _) => Err(InvalidInput::new("", EITHER, "name and one of the others")),
            (None, None, None) => Err(InvalidInput::new("", EITHER, "neither")),
            (None, base_url, _) => {
                let fields = input::object("authentication", fields.get("authentication"), Show::Type)?;
                let authentication = ConnectionAuthentication::read(fields)
                    .map_err(|mistake| mistake.under("authentication"))?;
                let base_url = match base_url {
                    Some(base_url) => base_url,
                    None if authentication.has_login_address() => Reference(String::new()),
                    None => return Err(InvalidInput::new("baseUrl", "a string", "nothing")),
                };
                Ok(Self::Inline { base_url, authentication })
            }
        }
    }
}

#[cfg(test)]
mod tests;
