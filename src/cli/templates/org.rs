//! `templates --object`: an org's own objects as templates, beside those that are there already.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::{Context as _, bail};
use serde_json::Value;

use super::super::describe::{self, Look};
use super::{Arguments, selection};
use crate::{
    config::Config,
    connector::{
        Connections,
        described::Object,
        template::org::{self, Purpose, Selection},
    },
    metrics::Metrics,
};

/// Makes the templates of each object, and writes them or says what would change.
pub(super) async fn templates(
    config: Config,
    connection: &str,
    arguments: &Arguments,
) -> anyhow::Result<ExitCode> {
    let connections = Connections::new(&config.connector, Arc::new(Metrics::new()))?;
    let look = Look {
        connections: &connections,
        connection,
        language: arguments.language.as_deref(),
        timeout: arguments.timeout,
    };
    let mut objects: Vec<Object> = Vec::new();
    for name in &arguments.object {
        let object = describe::object(&look, name).await?;
        if !objects.iter().any(|known| known.summary.name == object.summary.name) {
            objects.push(object);
        }
    }
    let mut purposes: Vec<Purpose> = Vec::new();
    for purpose in arguments.operations.iter().map(|operation| (*operation).into()) {
        if !purposes.contains(&purpose) {
            purposes.push(purpose);
        }
    }
    // Every mistake is known before anything is written.
    let mut files = Vec::new();
    let selections = selection::selections(&look, &mut objects, arguments).await?;
    for (object, selection) in objects.iter().zip(&selections) {
        let made = purposes.iter().map(|purpose| {
            let path = arguments.out.join(org::file_name(&object.summary.name, *purpose, selection));
            settle(object, *purpose, selection, path)
        });
        let made: Vec<File> = made.collect::<anyhow::Result<_>>()?;
        if made.iter().all(|file| matches!(file.state, State::None { .. })) {
            bail!("no template can be made for {}: {}", object.summary.name, reasons(&made));
        }
        files.extend(made);
    }
    report(&files, arguments)
}

/// A template and its file.
struct File {
    path: PathBuf,
    state: State,
}

enum State {
    /// There is no such template, and why.
    None { reason: String, was_there: bool },
    /// The file is as it should be.
    Same { version: u32 },
    /// The file is not there, or has other content.
    Other { text: String, version: u32, changes: Vec<String> },
}

fn reasons(files: &[File]) -> String {
    let mut reasons: Vec<&str> = Vec::new();
    for file in files {
        if let State::None { reason, .. } = &file.state
            && !reasons.contains(&reason.as_str())
        {
            reasons.push(reason);
        }
    }
    reasons.join("; ")
}

/// Compares what the object gives with what is there.
fn settle(object: &Object, purpose: Purpose, selection: &Selection, path: PathBuf) -> anyhow::Result<File> {
    let there = existing(&path)?;
    let make = |version| org::template(object, purpose, selection, version);
    let text = match make(1) {
        Ok(text) => text,
        Err(reason) => {
            let state = State::None { reason, was_there: there.is_some() };
            return Ok(File { path, state });
        }
    };
    let Some(old) = there else {
        return Ok(File { path, state: State::Other { text, version: 1, changes: Vec::new() } });
    };
    let fresh: Value = serde_json::from_str(&text).context("a template is JSON")?;
    if fresh["id"] != old["id"] {
        bail!(
            "{} is another template: expected the id {}, found {}; move it away, or choose another directory",
            path.display(),
            fresh["id"],
            old["id"]
        );
    }
    let version = old["version"].as_u64().and_then(|version| u32::try_from(version).ok()).unwrap_or(0);
    let changes = org::changes(&old, &fresh);
    if changes.is_empty() {
        return Ok(File { path, state: State::Same { version } });
    }
    let version = version.saturating_add(1);
    let text = make(version).map_err(anyhow::Error::msg)?;
    Ok(File { path, state: State::Other { text, version, changes } })
}

/// What a file says, if there is one.
fn existing(path: &Path) -> anyhow::Result<Option<Value>> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    let value = serde_json::from_str(&text).with_context(|| {
        format!("{} is not JSON; move it away, or choose another directory", path.display())
    })?;
    Ok(Some(value))
}

/// Writes what is other, or only says so.
fn report(files: &[File], arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let check = arguments.check;
    if !check {
        super::create(&arguments.out)?;
    }
    let (mut text, mut differs) = (String::new(), false);
    for File { path, state } in files {
        let path_shown = path.display();
        // Writing to a String cannot fail.
        let _ = match state {
            State::None { reason, was_there: false } => writeln!(text, "no {path_shown}: {reason}"),
            State::None { reason, was_there: true } => {
                differs = true;
                writeln!(text, "no longer made, and left as it is: {path_shown}: {reason}")
            }
            State::Same { version } => writeln!(text, "unchanged {path_shown} (version {version})"),
            State::Other { text: template, version, changes } => {
                differs = true;
                if !check {
                    super::save(path, template)?;
                }
                let verb = if check { "would write" } else { "wrote" };
                let head = writeln!(text, "{verb} {path_shown} (version {version})");
                changes.iter().fold(head, |_, change| writeln!(text, "  - {change}"))
            }
        };
    }
    super::super::print(&text)?;
    Ok(if check && differs { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
