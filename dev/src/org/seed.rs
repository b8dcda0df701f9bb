//! The seed of an org: custom objects and fields, records, duplicate rules.
//!
//! Its form is described at [`DevOrgBuilder::seed`](super::DevOrgBuilder::seed).

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::assignment::AssignmentRule;
use super::automation::{self, Automation};
use super::knowledge::Article;
use super::list_views::ListView;
use super::reports::Report;
use super::schema::{Field, FieldType as T, Object, ObjectHeader, Schema};

const STANDARD: &str = include_str!("../../fixtures/schema.json");
/// The objects that tell of approvals.
const APPROVALS: &str = include_str!("../../fixtures/approvals.json");
/// The object that tells of list views.
const LIST_VIEWS: &str = include_str!("../../fixtures/list_views.json");
const MEMBERS: &str = "objects, fields, records, duplicateRules, assignmentRules, automation, knowledgeArticles, reports, listViews";

/// A seed that cannot be used: where, and why.
#[derive(Debug, thiserror::Error)]
#[error("seed: at {path}: {reason}")]
pub struct SeedError {
    path: String,
    reason: String,
}

impl SeedError {
    pub(crate) fn new(path: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { path: path.into(), reason: reason.into() }
    }
}

impl From<SeedError> for std::io::Error {
    fn from(error: SeedError) -> Self {
        Self::new(std::io::ErrorKind::InvalidInput, error)
    }
}

/// Records that match in all `fields` are duplicates of each other.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct DuplicateRule {
    pub(crate) name: Option<String>,
    pub(crate) object: String,
    pub(crate) fields: Vec<String>,
    /// Whether the header `Sforce-Duplicate-Rule-Header: allowSave=true` lets a duplicate pass.
    #[serde(default = "allow")]
    pub(crate) allow_save: bool,
}

fn allow() -> bool {
    true
}

/// A seed that was read; records are not yet checked against the schema.
#[derive(Debug, Default)]
pub(crate) struct Seed {
    pub(crate) schema: Schema,
    pub(crate) records: Vec<SeedRecord>,
    pub(crate) duplicate_rules: Vec<DuplicateRule>,
    pub(crate) assignment_rules: Vec<AssignmentRule>,
    pub(crate) automation: Automation,
    pub(crate) articles: Vec<Article>,
    pub(crate) reports: Vec<Report>,
    pub(crate) list_views: Vec<ListView>,
}

/// A record to insert at start, and where the seed has it.
#[derive(Debug)]
pub(crate) struct SeedRecord {
    pub(crate) path: String,
    pub(crate) object: usize,
    pub(crate) fields: Map<String, Value>,
}

/// The standard objects, with `seed` on top.
pub(crate) fn read(seed: &Value) -> Result<Seed, SeedError> {
    let mut result = Seed::default();
    for embedded in [STANDARD, APPROVALS, LIST_VIEWS] {
        let standard: Value = serde_json::from_str(embedded).expect("the embedded schema is JSON");
        objects(&standard["objects"], &mut result.schema)?;
    }
    if seed.is_null() {
        automation::point_anywhere(&mut result.schema);
        return Ok(result);
    }
    let members = seed.as_object().ok_or_else(|| mismatch("$", "an object", seed))?;
    if let Some(name) = members.keys().find(|name| !MEMBERS.split(", ").any(|known| known == *name)) {
        return Err(SeedError::new("$", format!("unknown member \"{name}\"; known are {MEMBERS}")));
    }
    let member = |name: &str| members.get(name).unwrap_or(&Value::Null);
    objects(member("objects"), &mut result.schema)?;
    fields(member("fields"), &mut result.schema)?;
    automation::point_anywhere(&mut result.schema);
    references(&result.schema)?;
    result.duplicate_rules = duplicate_rules(member("duplicateRules"), &result.schema)?;
    result.assignment_rules = assignment_rules(member("assignmentRules"), &result.schema)?;
    result.automation = automation::read(member("automation"))?;
    result.articles = decode("knowledgeArticles", list(member("knowledgeArticles")))?;
    result.reports = decode("reports", list(member("reports")))?;
    result.list_views = decode("listViews", list(member("listViews")))?;
    result.records = records(member("records"), &result.schema)?;
    let object = result.schema.index_of("ListView").expect("it is among the embedded objects");
    let views = result.list_views.iter().enumerate();
    let views = views.map(|(index, view)| SeedRecord {
        path: format!("listViews[{index}]"),
        object,
        fields: view.record(),
    });
    result.records.extend(views);
    Ok(result)
}

/// What is not there is an empty list.
fn list(member: &Value) -> Value {
    if member.is_null() { Value::Array(Vec::new()) } else { member.clone() }
}

fn objects(list: &Value, schema: &mut Schema) -> Result<(), SeedError> {
    for (index, item) in array("objects", list)?.iter().enumerate() {
        let path = format!("objects[{index}]");
        let mut header = item.as_object().ok_or_else(|| mismatch(&path, "an object", item))?.clone();
        let own_fields = header.shift_remove("fields").unwrap_or_default();
        let header: ObjectHeader = decode(&path, Value::Object(header))?;
        check_header(&path, &header, schema)?;
        let custom = header.name.ends_with("__c");
        let mut object = Object::new(header);
        if custom {
            custom_object_fields(&mut object);
        }
        for (index, item) in array(&format!("{path}.fields"), &own_fields)?.iter().enumerate() {
            object.add(field(&format!("{path}.fields[{index}]"), item, custom)?);
        }
        schema.add(object);
    }
    Ok(())
}

fn check_header(path: &str, header: &ObjectHeader, schema: &Schema) -> Result<(), SeedError> {
    let prefix = &header.key_prefix;
    if prefix.len() != 3 || !prefix.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        let reason = format!("expected three letters or digits, found \"{prefix}\"");
        return Err(SeedError::new(format!("{path}.keyPrefix"), reason));
    }
    if let Some(other) = schema.object_of_id(prefix) {
        let reason = format!("\"{prefix}\" is the prefix of {}", schema.objects[other].name);
        return Err(SeedError::new(format!("{path}.keyPrefix"), reason));
    }
    if schema.index_of(&header.name).is_some() {
        let reason = format!("the org has an object {} already; add fields under \"fields\"", header.name);
        return Err(SeedError::new(format!("{path}.name"), reason));
    }
    Ok(())
}

/// What every custom object has from birth.
fn custom_object_fields(object: &mut Object) {
    let label = object.label.clone();
    let audit = |name: &str, kind: &str| {
        serde_json::json!({ "name": name, "type": kind, "nillable": false, "createable": false, "updateable": false,
            "defaultedOnCreate": true })
    };
    let user = |name: &str| {
        let mut field = audit(&format!("{name}Id"), "reference");
        field["referenceTo"] = serde_json::json!(["User"]);
        field["relationshipName"] = name.into();
        field
    };
    let mut owner = user("Owner");
    owner["createable"] = true.into();
    owner["updateable"] = true.into();
    owner["referenceTo"] = serde_json::json!(["Group", "User"]);
    let mut deleted = audit("IsDeleted", "boolean");
    deleted["default"] = false.into();
    let own = [
        serde_json::json!({ "name": "Id", "type": "id", "label": "Record ID", "nillable": false, "createable": false,
            "updateable": false, "idLookup": true }),
        owner,
        deleted,
        serde_json::json!({ "name": "Name", "type": "string", "label": format!("{label} Name"), "length": 80,
            "nameField": true, "idLookup": true }),
        audit("CreatedDate", "datetime"),
        user("CreatedBy"),
        audit("LastModifiedDate", "datetime"),
        user("LastModifiedBy"),
        audit("SystemModstamp", "datetime"),
    ];
    for item in own {
        object.add(serde_json::from_value(item).expect("the fields of a custom object are well-formed"));
    }
}

fn fields(members: &Value, schema: &mut Schema) -> Result<(), SeedError> {
    for (name, list) in map("fields", members)? {
        let path = format!("fields.{name}");
        let object = schema.index_of(name).ok_or_else(|| unknown_object(&path, name))?;
        for (index, item) in array(&path, list)?.iter().enumerate() {
            let field = field(&format!("{path}[{index}]"), item, true)?;
            schema.objects[object].add(field);
        }
    }
    Ok(())
}

/// Reads one field; in a custom place, what may be left out is filled as Setup would.
fn field(path: &str, item: &Value, custom: bool) -> Result<Field, SeedError> {
    let mut field: Field = decode(path, item.clone())?;
    if !custom {
        return Ok(field);
    }
    match field.kind {
        T::String | T::Picklist | T::Combobox | T::Url | T::Textarea if field.length == 0 => {
            field.length = 255;
        }
        T::Multipicklist if field.length == 0 => field.length = 4099,
        T::Email if field.length == 0 => field.length = 80,
        T::Phone if field.length == 0 => field.length = 40,
        T::Double | T::Currency | T::Percent if field.precision == 0 => {
            field.precision = 18;
            field.scale = field.scale.max(2);
        }
        T::Boolean => {
            field.nillable = false;
            field.defaulted_on_create = true;
            if field.default.is_null() {
                field.default = Value::Bool(false);
            }
        }
        T::Reference if field.relationship_name.is_none() && field.name.ends_with("__c") => {
            field.relationship_name = Some(format!("{}__r", field.name.trim_end_matches("__c")));
        }
        _ => {}
    }
    if field.auto_number.is_some() {
        field.createable = false;
        field.updateable = false;
    }
    if field.external_id {
        field.id_lookup = true;
    }
    Ok(field)
}

fn references(schema: &Schema) -> Result<(), SeedError> {
    for object in &schema.objects {
        for field in object.fields.iter().filter(|field| field.is_custom() && !field.reference_to.is_empty())
        {
            if let Some(target) = field.reference_to.iter().find(|target| schema.index_of(target).is_none()) {
                let path = format!("{}.{}.referenceTo", object.name, field.name);
                return Err(unknown_object(&path, target));
            }
        }
    }
    Ok(())
}

fn duplicate_rules(list: &Value, schema: &Schema) -> Result<Vec<DuplicateRule>, SeedError> {
    let mut rules = Vec::new();
    for (index, item) in array("duplicateRules", list)?.iter().enumerate() {
        let path = format!("duplicateRules[{index}]");
        let rule: DuplicateRule = decode(&path, item.clone())?;
        let object = schema.index_of(&rule.object).ok_or_else(|| unknown_object(&path, &rule.object))?;
        let object = &schema.objects[object];
        if rule.fields.is_empty() {
            return Err(SeedError::new(format!("{path}.fields"), "expected at least one field, found none"));
        }
        if let Some(name) = rule.fields.iter().find(|name| object.field(name).is_none()) {
            return Err(SeedError::new(
                format!("{path}.fields"),
                format!("{} has no field {name}", object.name),
            ));
        }
        rules.push(rule);
    }
    Ok(rules)
}

fn assignment_rules(list: &Value, schema: &Schema) -> Result<Vec<AssignmentRule>, SeedError> {
    let mut rules = Vec::new();
    for (index, item) in array("assignmentRules", list)?.iter().enumerate() {
        let path = format!("assignmentRules[{index}]");
        let rule: AssignmentRule = decode(&path, item.clone())?;
        if !["Case", "Lead"].iter().any(|object| rule.object.eq_ignore_ascii_case(object)) {
            let reason = format!("expected Case or Lead, found \"{}\"", rule.object);
            return Err(SeedError::new(format!("{path}.object"), reason));
        }
        let object = schema.index_of(&rule.object).ok_or_else(|| unknown_object(&path, &rule.object))?;
        if let Some(problem) = rule.problem(&schema.objects[object]) {
            return Err(SeedError::new(path, problem));
        }
        rules.push(rule);
    }
    Ok(rules)
}

fn records(members: &Value, schema: &Schema) -> Result<Vec<SeedRecord>, SeedError> {
    let mut records = Vec::new();
    for (name, list) in map("records", members)? {
        let path = format!("records.{name}");
        let object = schema.index_of(name).ok_or_else(|| unknown_object(&path, name))?;
        for (index, item) in array(&path, list)?.iter().enumerate() {
            let path = format!("{path}[{index}]");
            let fields = item.as_object().ok_or_else(|| mismatch(&path, "an object", item))?.clone();
            records.push(SeedRecord { path, object, fields });
        }
    }
    Ok(records)
}

fn decode<T: DeserializeOwned>(path: &str, value: Value) -> Result<T, SeedError> {
    serde_json::from_value(value).map_err(|error| SeedError::new(path, error.to_string()))
}

fn array<'a>(path: &str, value: &'a Value) -> Result<&'a [Value], SeedError> {
    match value {
        Value::Null => Ok(&[]),
        Value::Array(items) => Ok(items),
        other => Err(mismatch(path, "an array", other)),
    }
}

fn map<'a>(path: &str, value: &'a Value) -> Result<impl Iterator<Item = (&'a String, &'a Value)>, SeedError> {
    match value {
        Value::Null => Ok(None.into_iter().flatten()),
        Value::Object(members) => Ok(Some(members).into_iter().flatten()),
        other => Err(mismatch(path, "an object", other)),
    }
}

fn mismatch(path: &str, expected: &str, found: &Value) -> SeedError {
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    SeedError::new(path, format!("expected {expected}, found {found}"))
}

fn unknown_object(path: &str, name: &str) -> SeedError {
    SeedError::new(path, format!("the org has no object {name}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn error(seed: &Value) -> String {
        read(seed).expect_err("a wrong seed").to_string()
    }

    #[test]
    fn the_standard_objects_have_their_real_prefixes() {
        let seed = read(&Value::Null).unwrap();
        for (prefix, name) in
            [("001", "Account"), ("003", "Contact"), ("500", "Case"), ("00T", "Task"), ("005", "User")]
        {
            let object =
                seed.schema.object_of_id(prefix).map(|index| seed.schema.objects[index].name.as_str());
            assert_eq!(object, Some(name));
        }
    }

    #[test]
    fn a_custom_object_has_system_fields_and_its_own() {
        let seed = read(&json!({ "objects": [{ "name": "Invoice__c", "keyPrefix": "a00", "fields": [
            { "name": "Account__c", "type": "reference", "referenceTo": ["Account"], "childRelationshipName": "Invoices__r" }] }] }))
        .unwrap();
        let object = &seed.schema.objects[seed.schema.index_of("invoice__C").unwrap()];
        assert!(object.field("OwnerId").is_some() && object.field("createddate").is_some());
        assert!(object.parent_relationship("Account__r").is_some());
        let account = seed.schema.index_of("Account").unwrap();
        assert!(seed.schema.child_relationship(account, "invoices__r").is_some());
    }

    #[test]
    fn a_wrong_seed_is_refused_with_its_path() {
        assert_eq!(error(&json!([])), "seed: at $: expected an object, found an array");
        assert!(error(&json!({ "object": [] })).contains("unknown member \"object\""));
        assert!(
            error(&json!({ "objects": [{ "name": "A__c", "keyPrefix": "001" }] }))
                .contains("prefix of Account")
        );
        assert!(
            error(&json!({ "objects": [{ "name": "A__c", "keyPrefix": "a0" }] }))
                .contains("objects[0].keyPrefix")
        );
        let unknown = error(&json!({ "fields": { "Account": [{ "name": "X__c", "type": "colour" }] } }));
        assert!(unknown.starts_with("seed: at fields.Account[0]: unknown variant `colour`"), "{unknown}");
        assert!(
            error(&json!({ "records": { "Acount": [] } }))
                .contains("records.Acount: the org has no object Acount")
        );
        assert!(
            error(&json!({ "records": { "Account": [1] } }))
                .contains("records.Account[0]: expected an object")
        );
        let rule =
            json!({ "assignmentRules": [{ "id": "01Q", "object": "Case", "entries": [{ "owner": "me" }] }] });
        assert!(error(&rule).ends_with("assignmentRules[0]: \"01Q\" is no id"), "{}", error(&rule));
        let rule = json!({ "duplicateRules": [{ "object": "Contact", "fields": ["Mail"] }] });
        assert!(error(&rule).contains("duplicateRules[0].fields: Contact has no field Mail"));
    }
}
