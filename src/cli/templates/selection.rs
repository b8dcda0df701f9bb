//! Which fields, which layout and which record type were asked for, in the org's own spelling.

use anyhow::{Context as _, bail};
use serde_json::Value;

use super::super::describe::{Look, told};
use super::Arguments;
use crate::{
    connector::{
        InvalidInput,
        described::{Object, RecordType, layout_fields},
        template::org::Selection,
    },
    salesforce::{ObjectName, RecordId, Request},
};

/// One for each object. With a record type, the objects keep only its picklist values.
pub(super) async fn selections(
    look: &Look<'_>,
    objects: &mut [Object],
    arguments: &Arguments,
) -> anyhow::Result<Vec<Selection>> {
    let names = names(objects, arguments)?;
    let mut selections = Vec::new();
    for object in objects {
        // It becomes the name of a file.
        let name: ObjectName = object.summary.name.parse().context("the org's answer names no object")?;
        let record_type = match &arguments.record_type {
            Some(wanted) => Some(record_type(object, wanted)?),
            None => None,
        };
        if let Some(own) = &record_type {
            let values = look.ask(Request::picklist_values(&name, &id(own)?)).await;
            object.narrow(&values.map_err(|error| told(&error))?);
        }
        let layout = if arguments.shown.layout {
            Some(layout(look, &name, record_type.as_ref()).await?)
        } else {
            None
        };
        let fields = object.fields.iter().map(|field| field.name.clone());
        let fields = fields.filter(|field| names.iter().any(|name| name.eq_ignore_ascii_case(field)));
        selections.push(Selection {
            fields: (!names.is_empty()).then(|| fields.collect()),
            required_only: arguments.shown.required_only,
            layout,
            record_type,
        });
    }
    Ok(selections)
}

/// The fields that were named; each is one of some object.
fn names<'a>(objects: &[Object], arguments: &'a Arguments) -> anyhow::Result<Vec<&'a str>> {
    let names = arguments.shown.fields.iter().map(|name| name.trim()).filter(|name| !name.is_empty());
    let names: Vec<&str> = names.collect();
    let known: Vec<&str> = objects.iter().flat_map(|own| &own.fields).map(|own| &*own.name).collect();
    match names.iter().find(|name| !known.iter().any(|known| known.eq_ignore_ascii_case(name))) {
        None => Ok(names),
        Some(name) => {
            let objects: Vec<&str> = objects.iter().map(|own| &*own.summary.name).collect();
            bail!(
                "--fields: {} has no field {name:?}, or the connection's user may not see it{}",
                objects.join(" or "),
                hint(name, &known)
            );
        }
    }
}

fn hint(name: &str, known: &[&str]) -> String {
    InvalidInput::closest(name, known).map(|name| format!(". Did you mean {name}?")).unwrap_or_default()
}

fn id(record_type: &RecordType) -> anyhow::Result<RecordId> {
    record_type.id.parse().context("the org's answer has a record type without an id")
}

fn record_type(object: &Object, wanted: &str) -> anyhow::Result<RecordType> {
    let offered: Vec<&RecordType> =
        object.record_types.iter().filter(|own| own.available && !own.master).collect();
    let is_it = |own: &&&RecordType| {
        [&own.developer_name, &own.name].iter().any(|name| name.eq_ignore_ascii_case(wanted.trim()))
    };
    let Some(found) = offered.iter().find(is_it) else {
        let known: Vec<&str> = offered.iter().map(|own| &*own.developer_name).collect();
        let name = &object.summary.name;
        if known.is_empty() {
            bail!("--record-type: {name} has no record type that the connection's user may choose");
        }
        bail!(
            "--record-type: {name} has no record type {wanted:?} that the connection's user may choose; it has {}{}",
            known.join(", "),
            hint(wanted, &known)
        );
    };
    // It becomes a part of a file's name.
    found
        .developer_name
        .parse::<ObjectName>()
        .context("the org's answer has a record type without an API name")?;
    Ok((*found).clone())
}

/// The fields of the layout of a record type, or of the one that new records of the user get.
async fn layout(
    look: &Look<'_>,
    object: &ObjectName,
    record_type: Option<&RecordType>,
) -> anyhow::Result<Vec<String>> {
    let all = look.ask(Request::layouts(object, None)).await.map_err(|error| told(&error))?;
    let list = |name: &str| all[name].as_array().map(Vec::as_slice).unwrap_or_default();
    let mapping = list("recordTypeMappings").iter().find(|mapping| match record_type {
        Some(own) => mapping["recordTypeId"] == own.id.as_str(),
        None => mapping["defaultRecordTypeMapping"] == true,
    });
    let (id, own) =
        mapping.map_or((&Value::Null, &Value::Null), |own| (&own["layoutId"], &own["recordTypeId"]));
    let layout = match list("layouts").iter().find(|layout| layout["id"] == *id) {
        Some(layout) => layout.clone(),
        // Of an object with several record types Salesforce tells a layout only by its record type.
        None => match own.as_str().and_then(|own| own.parse().ok()) {
            Some(own) => {
                look.ask(Request::layouts(object, Some(&own))).await.map_err(|error| told(&error))?
            }
            None => list("layouts").first().cloned().unwrap_or_default(),
        },
    };
    let fields = layout_fields(&layout);
    if fields.is_empty() {
        bail!("--layout: {} has no page layout with fields for the connection's user", object.as_str());
    }
    Ok(fields)
}
