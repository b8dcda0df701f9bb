//! `describe`: what does an org have?

mod table;

use std::{process::ExitCode, sync::Arc, time::Duration};

use serde_json::Value;

use crate::{
    config::Config,
    connector::{
        Connections, Error, InvalidInput,
        described::{Object, Summary},
    },
    metrics::Metrics,
    salesforce::{ObjectName, Request},
};

/// What to look at.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Without --object it lists the objects that the connection's user sees. With it: the fields of one object with their
labels, types, picklist values and targets, which of them a new record must have, and the relationships to other objects.

It logs in once and reads. Nothing is changed.

Exit codes: 0 all well, 1 nothing found or something failed, 2 wrong arguments, 78 wrong configuration.")]
pub(super) struct Arguments {
    /// A connection of the configuration
    #[arg(long, value_name = "NAME")]
    connection: String,
    /// The API name of an object, such as Account or Invoice__c
    #[arg(long, value_name = "OBJECT")]
    object: Option<String>,
    /// Only what has this text in its API name or label, in any case
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
    /// How long all of it may take
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = super::duration)]
    timeout: Duration,
}

/// Prints the objects of an org, or the fields of one.
pub(super) async fn describe(config: Config, arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let connections = Connections::new(&config.connector, Arc::new(Metrics::new()))?;
    let look = Look {
        connections: &connections,
        connection: &arguments.connection,
        language: None,
        timeout: arguments.timeout,
    };
    let search = arguments.search.as_deref().unwrap_or_default().trim().to_lowercase();
    let (text, is_empty) = match &arguments.object {
        None => {
            let found: Vec<_> =
                objects(&look).await?.into_iter().filter(|own| own.matches(&search)).collect();
            (shown(found.as_slice(), arguments.json, table::objects)?, found.is_empty())
        }
        Some(name) => {
            let mut object = object(&look, name).await?;
            object.keep(&search);
            (shown(&object, arguments.json, table::object)?, object.is_empty())
        }
    };
    super::print(&text)?;
    if is_empty && !search.is_empty() {
        anyhow::bail!(
            "nothing has {:?} in its API name or label",
            arguments.search.as_deref().unwrap_or_default()
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn shown<T: serde::Serialize + ?Sized>(
    found: &T,
    as_json: bool,
    table: impl FnOnce(&T) -> String,
) -> anyhow::Result<String> {
    Ok(if as_json { serde_json::to_string_pretty(found)? + "\n" } else { table(found) })
}

/// Where to look.
pub(super) struct Look<'a> {
    pub(super) connections: &'a Connections,
    pub(super) connection: &'a str,
    /// The language of labels, such as `de`; `None`: that of the connection's user.
    pub(super) language: Option<&'a str>,
    pub(super) timeout: Duration,
}

/// All objects, in short.
pub(super) async fn objects(look: &Look<'_>) -> anyhow::Result<Vec<Summary>> {
    let answer = look.ask(Request::describe_global()).await.map_err(|error| told(&error))?;
    let list = answer.get("sobjects").cloned().unwrap_or(Value::Null);
    serde_json::from_value(list).map_err(|error| anyhow::anyhow!("the answer is no list of objects: {error}"))
}

/// One object with its fields; what is not there is told with what was likely meant.
pub(super) async fn object(look: &Look<'_>, name: &str) -> anyhow::Result<Object> {
    let object: ObjectName = name
        .trim()
        .parse()
        .map_err(|_| anyhow::anyhow!("--object: {name:?} is no API name such as Account or Invoice__c"))?;
    match look.ask(Request::describe(&object)).await {
        Ok(answer) => serde_json::from_value(answer)
            .map_err(|error| anyhow::anyhow!("the answer is no description of {name}: {error}")),
        Err(error) if error.code() == "NOT_FOUND" => {
            let known = objects(look).await?;
            Err(anyhow::anyhow!("{}", unknown(name, &known)))
        }
        Err(error) if error.code().starts_with("INSUFFICIENT_ACCESS") => Err(told(&error).context(format!(
            "the connection's user may not read what {name:?} is made of; the Salesforce admin can give it the right to \
             read the object, in a profile or a permission set"
        ))),
        Err(error) => Err(told(&error)),
    }
}

impl Look<'_> {
    /// Reads from the org.
    pub(super) async fn ask(&self, mut request: Request) -> Result<Value, Error> {
        request.headers.extend(self.language.map(|language| ("Accept-Language", language.to_owned())));
        self.connections.explore(self.connection, &request, self.timeout).await
    }
}

/// Salesforce does not tell an object that is not there from one that the user may not see.
fn unknown(name: &str, known: &[Summary]) -> String {
    let names: Vec<&str> = known.iter().map(|own| own.name.as_str()).collect();
    // An object of a managed package is often named without the package's namespace.
    let packaged = format!("__{name}").to_ascii_lowercase();
    let packaged = names.iter().copied().find(|own| own.to_ascii_lowercase().ends_with(&packaged));
    let hint = packaged.or_else(|| InvalidInput::closest(name, &names));
    let hint = hint.map(|name| format!(". Did you mean {name}?")).unwrap_or_default();
    format!(
        "the org has no object {name:?}, or the connection's user may not see it ({} objects are seen; \
         `describe` without --object lists them){hint}",
        known.len()
    )
}

pub(super) fn told(error: &Error) -> anyhow::Error {
    anyhow::anyhow!("{}: {error}", error.code())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_that_is_not_seen_is_answered_with_the_one_that_was_likely_meant() {
        let known: Vec<Summary> = serde_json::from_value(json!([
            {"name": "Account", "label": "Account"}, {"name": "Invoice__c", "label": "Invoice"}
        ]))
        .unwrap();
        let expected = "the org has no object \"Acount\", or the connection's user may not see it (2 objects are seen; \
                        `describe` without --object lists them). Did you mean Account?";
        assert_eq!(unknown("Acount", &known), expected);
        assert!(unknown("Zzz", &known).ends_with("`describe` without --object lists them)"));
    }
}
