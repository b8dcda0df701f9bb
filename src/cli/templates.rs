//! `templates`: the element templates as files.

mod org;
mod selection;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::Context as _;

use crate::{
    config::{Config, ConfigError},
    connector::template::{element_templates, org::Purpose},
};

/// Which templates, and where to.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Without --object it writes the one template that fits every object. With it: one for each object and operation, made from
what the org says of the object. Each field is an input with the org's own label, help and picklist values; what the
connection's user may not write is not there. docs/templates.md tells what each type of field becomes.

A file that is there already is compared: it is written anew only where something changed, with the next version. --check
only says what would change; for a job that runs every night.

It logs in once and reads. Nothing is changed in the org.

Exit codes: 0 all well, 1 with --check something would change, or something failed, 2 wrong arguments, 78 wrong
configuration.")]
pub(super) struct Arguments {
    /// The directory to write to; it is created where it is missing
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// A connection of the configuration, to the org whose objects get templates
    #[arg(long, value_name = "NAME", requires = "object")]
    connection: Option<String>,
    /// The API name of an object, such as Account or Invoice__c; several: with commas, or the flag again
    #[arg(long, value_name = "OBJECT", value_delimiter = ',', requires = "connection")]
    object: Vec<String>,
    /// What is done with an object
    #[arg(long, value_delimiter = ',', requires = "object", default_values = ["create", "update", "upsert", "get"])]
    operations: Vec<Operation>,
    #[command(flatten)]
    shown: Shown,
    /// A record type, by API name or label: its picklist values, its layout, and new records get it
    #[arg(long, value_name = "RECORD_TYPE", requires = "object")]
    record_type: Option<String>,
    /// The language of labels, such as de or pt-BR, where the org has it; else that of the connection's user
    #[arg(long, value_name = "LANGUAGE", requires = "object", value_parser = language)]
    language: Option<String>,
    /// Write nothing; say what would change, and exit with 1 if anything would
    #[arg(long, requires = "object")]
    check: bool,
    /// How long each answer of the org may take
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = super::duration)]
    timeout: Duration,
}

/// Which fields get an input of their own.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
struct Shown {
    /// Only these fields, by API name with commas; and those that a new record must have
    #[arg(long, value_name = "FIELDS", value_delimiter = ',', requires = "object")]
    fields: Vec<String>,
    /// Only the fields that a new record must have
    #[arg(long, requires = "object")]
    required_only: bool,
    /// The fields of the page layout, in its order; and those that a new record must have
    #[arg(long, requires = "object")]
    layout: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Operation {
    /// Create a record
    Create,
    /// Change a record that is known by its id
    Update,
    /// Create a record, or change the one that has this external id
    Upsert,
    /// Read a record by its id
    Get,
}

impl From<Operation> for Purpose {
    fn from(operation: Operation) -> Self {
        match operation {
            Operation::Create => Self::Create,
            Operation::Update => Self::Update,
            Operation::Upsert => Self::Upsert,
            Operation::Get => Self::Get,
        }
    }
}

/// Reads a language tag; it goes into a header.
fn language(text: &str) -> Result<String, String> {
    let text = text.trim().replace('_', "-");
    let is_tag =
        |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let is_language = (2..=35).contains(&text.len()) && text.split('-').all(is_tag);
    if is_language { Ok(text) } else { Err("expected a language, such as de or pt-BR".to_owned()) }
}

/// Writes the general template, or those of an org.
pub(super) async fn templates(
    config: impl FnOnce() -> Result<Config, ConfigError>,
    arguments: &Arguments,
) -> anyhow::Result<ExitCode> {
    match &arguments.connection {
        Some(connection) => org::templates(config()?, connection, arguments).await,
        None => write(&arguments.out),
    }
}

/// Writes every template to a directory, and says which.
fn write(directory: &Path) -> anyhow::Result<ExitCode> {
    create(directory)?;
    let mut report = String::new();
    for (name, json) in element_templates() {
        let path = directory.join(name);
        save(&path, &json)?;
        report.push_str("wrote ");
        report.push_str(&path.to_string_lossy());
        report.push('\n');
    }
    super::print(&report)
}

fn create(directory: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(directory).with_context(|| format!("cannot create {}", directory.display()))
}

fn save(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
