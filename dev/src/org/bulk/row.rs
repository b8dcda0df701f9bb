//! A row of CSV as a record: which cell is which field, and how it is saved.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

use crate::org::assignment::Assign;
use crate::org::error::{ApiError, ApiResult};
use crate::org::schema::{Field, FieldType};
use crate::org::store::Store;
use crate::org::validate::{self, Purpose, Save};
use crate::org::{ids, rest};

/// The cell that sets null; an empty one changes nothing.
const NULL: &str = "#N/A";

/// What an ingest job does with its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Insert,
    Update,
    Upsert,
    Delete,
    HardDelete,
}

impl Operation {
    const ALL: [Self; 5] = [Self::Insert, Self::Update, Self::Upsert, Self::Delete, Self::HardDelete];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Upsert => "upsert",
            Self::Delete => "delete",
            Self::HardDelete => "hardDelete",
        }
    }

    /// The operation of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.name() == name)
    }

    pub(super) fn is_delete(self) -> bool {
        matches!(self, Self::Delete | Self::HardDelete)
    }
}

/// What became of a row.
#[derive(Debug)]
pub(super) enum Outcome {
    Saved { id: String, created: bool },
    Refused { id: String, error: String },
}

/// What a column of the upload sets.
#[derive(Debug)]
pub(super) enum Column {
    Field(usize),
    /// The parent's external id, `Account.External_Key__c`; with the object's name where there are several to choose
    /// from, `Account:What.External_Key__c`.
    Parent {
        reference: usize,
        relationship: String,
        target: Option<String>,
        key: String,
    },
}

impl Column {
    /// The column of this name, or why there is none.
    pub(super) fn find(store: &Store, object: usize, name: &str) -> Result<Self, &'static str> {
        const UNKNOWN: &str = "Field name not found";
        let definition = store.object(object);
        let Some((way, key)) = name.split_once('.') else {
            return definition.index_of(name).map(Self::Field).ok_or(UNKNOWN);
        };
        let (target, relationship) =
            way.split_once(':').map_or((None, way), |(target, way)| (Some(target), way));
        let reference = definition.parent_relationship(relationship).ok_or(UNKNOWN)?;
        let field = &definition.fields[reference];
        if target.is_some() && field.reference_to.len() < 2 {
            return Err("type is not needed for non polymorphic foreign key relationship");
        }
        let targets = store.schema.targets(field).map(|target| store.object(target));
        let has_key = targets
            .filter(|parent| target.is_none_or(|target| parent.name.eq_ignore_ascii_case(target)))
            .any(|parent| parent.field(key).is_some_and(Field::is_external_key));
        has_key
            .then(|| Self::Parent {
                reference,
                relationship: relationship.to_owned(),
                target: target.map(str::to_owned),
                key: key.to_owned(),
            })
            .ok_or(UNKNOWN)
    }

    /// Whether this is the record's own id.
    pub(super) fn is_id(&self, store: &Store, object: usize) -> bool {
        matches!(self, Self::Field(field) if store.object(object).fields[*field].kind == FieldType::Id)
    }

    /// Puts a cell into the body of a save.
    fn put(&self, store: &Store, object: usize, cell: &str, body: &mut Map<String, Value>) -> ApiResult<()> {
        let fields = &store.object(object).fields;
        match self {
            _ if cell.is_empty() => {}
            Self::Field(index) => {
                let field = &fields[*index];
                let value = if cell == NULL { Value::Null } else { value(field, cell) };
                validate::coerce(field, &value, "").map_err(|_| wrong_type(field, cell))?;
                body.insert(field.name.clone(), value);
            }
            Self::Parent { reference, .. } if cell == NULL => {
                body.insert(fields[*reference].name.clone(), Value::Null);
            }
            Self::Parent { relationship, target, key, .. } => {
                let mut parent = Map::from_iter([(key.clone(), Value::String(cell.to_owned()))]);
                if let Some(target) = target {
                    parent.insert("attributes".into(), json!({ "type": target }));
                }
                body.insert(relationship.clone(), Value::Object(parent));
            }
        }
        Ok(())
    }
}

/// The words for true and false that CSV may hold, beside those of JSON.
fn value(field: &Field, cell: &str) -> Value {
    if field.kind == FieldType::Boolean {
        let is = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(cell));
        if is(&["yes", "y", "true", "on", "1"]) {
            return Value::Bool(true);
        }
        if is(&["no", "n", "false", "off", "0"]) {
            return Value::Bool(false);
        }
    }
    Value::String(cell.to_owned())
}

fn wrong_type(field: &Field, cell: &str) -> ApiError {
    let message = format!("{}: value not of required type: {cell}", field.label);
    ApiError::save("INVALID_TYPE_ON_FIELD_IN_RECORD", message, &[&field.name])
}

/// How the rows of a job are saved.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) operation: Operation,
    pub(super) object: usize,
    pub(super) external_id: Option<&'a str>,
    pub(super) columns: &'a [Column],
}

/// A refusal, with the id of the record where there is one.
type Refusal = (Option<String>, ApiError);

impl Rows<'_> {
    /// Saves a piece of a batch: each row for itself.
    pub(super) fn save(self, store: &mut Store, piece: &[Vec<String>]) -> Vec<Outcome> {
        let bodies: Vec<ApiResult<Map<String, Value>>> =
            piece.iter().map(|cells| self.body(store, cells)).collect();
        let twice = self.given_twice(&bodies);
        let saved = bodies.into_iter().map(|body| {
            let body = body.map_err(|error| (None, error))?;
            self.save_one(store, body, &twice)
        });
        let outcome = |result: Result<(String, bool), Refusal>| match result {
            Ok((id, created)) => Outcome::Saved { id, created },
            Err((id, error)) => Outcome::Refused { id: id.unwrap_or_default(), error: in_csv(error) },
        };
        saved.map(outcome).collect()
    }

    fn body(self, store: &Store, cells: &[String]) -> ApiResult<Map<String, Value>> {
        let mut body = Map::new();
        for (column, cell) in self.columns.iter().zip(cells) {
            column.put(store, self.object, cell, &mut body)?;
        }
        Ok(body)
    }

    /// The keys of an upsert that stand in the piece more than once: none of their rows is saved.
    fn given_twice(self, bodies: &[ApiResult<Map<String, Value>>]) -> HashSet<String> {
        let Some(key) = self.external_id.filter(|_| self.operation == Operation::Upsert) else {
            return HashSet::new();
        };
        let mut counts = HashMap::<&str, usize>::new();
        for value in bodies.iter().flatten().filter_map(|body| body.get(key)?.as_str()) {
            *counts.entry(value).or_default() += 1;
        }
        counts.into_iter().filter(|(_, count)| *count > 1).map(|(value, _)| value.to_owned()).collect()
    }

    /// The id of the saved record, and whether it is new.
    fn save_one(
        self,
        store: &mut Store,
        mut body: Map<String, Value>,
        twice: &HashSet<String>,
    ) -> Result<(String, bool), Refusal> {
        let id = body.remove("Id").and_then(|id| id.as_str().map(str::to_owned));
        match (self.operation, id) {
            (Operation::Insert, None) => self.create(store, &body),
            (Operation::Insert, Some(_)) => {
                let message = "cannot specify Id in an insert call";
                Err((None, ApiError::save("INVALID_FIELD_FOR_INSERT_UPDATE", message, &["Id"])))
            }
            (Operation::Upsert, id) => self.upsert(store, body, id, twice),
            (operation, None) => {
                let message = format!("Id not specified in {} {} call", article(operation), verb(operation));
                Err((None, ApiError::save("MISSING_ARGUMENT", message, &[])))
            }
            (Operation::Update, Some(id)) => self.update(store, &id, &body),
            (Operation::Delete | Operation::HardDelete, Some(id)) => self.delete(store, &id),
        }
    }

    fn create(self, store: &mut Store, body: &Map<String, Value>) -> Result<(String, bool), Refusal> {
        if !store.object(self.object).createable {
            return Err((None, cannot("entity type cannot be inserted")));
        }
        let id = store.create(self.object, body, save(Purpose::Create)).map_err(|error| (None, error))?;
        Ok((id, true))
    }

    fn update(
        self,
        store: &mut Store,
        id: &str,
        body: &Map<String, Value>,
    ) -> Result<(String, bool), Refusal> {
        let row = self.live_row(store, id).map_err(|error| (None, error))?;
        let id = store.tables[self.object].records[row].id.clone();
        let refused = |error| (Some(id.clone()), error);
        if !store.object(self.object).updateable {
            return Err(refused(cannot("entity type cannot be updated")));
        }
        store.update(self.object, row, body, save(Purpose::Update)).map_err(refused)?;
        Ok((id, false))
    }

    fn upsert(
        self,
        store: &mut Store,
        mut body: Map<String, Value>,
        id: Option<String>,
        twice: &HashSet<String>,
    ) -> Result<(String, bool), Refusal> {
        let key = self.external_id.unwrap_or("Id");
        if key == "Id" {
            return match id {
                Some(id) => self.update(store, &id, &body),
                None => self.create(store, &body),
            };
        }
        let missing = || ApiError::save("MISSING_ARGUMENT", format!("{key} not specified"), &[]);
        let value = body.get(key).and_then(Value::as_str).map(str::to_owned);
        let value = value.ok_or_else(|| (None, missing()))?;
        if twice.contains(&value) {
            let message = format!("Duplicate external id specified: {value}");
            return Err((None, ApiError::save("DUPLICATE_VALUE", message, &[key])));
        }
        match rest::key_rows(store, self.object, key, &value)[..] {
            [] => self.create(store, &body),
            [row] => {
                body.remove(key);
                let id = store.tables[self.object].records[row].id.clone();
                self.update(store, &id, &body)
            }
            ref rows => {
                let found = rows.len();
                let message =
                    format!("{key}: more than one record found for external id field: {found} of them");
                Err((None, ApiError::save("DUPLICATE_EXTERNAL_ID", message, &[])))
            }
        }
    }

    fn delete(self, store: &mut Store, id: &str) -> Result<(String, bool), Refusal> {
        let row = self.live_row(store, id).map_err(|error| (None, error))?;
        let id = store.tables[self.object].records[row].id.clone();
        let refused = |error| (Some(id.clone()), error);
        if !store.object(self.object).deletable {
            let message = "insufficient access rights on object id";
            return Err(refused(ApiError::save("INSUFFICIENT_ACCESS_OR_READONLY", message, &[])));
        }
        let done = match self.operation {
            Operation::HardDelete => store.delete_for_good(self.object, row),
            _ => store.delete(self.object, row),
        };
        done.map_err(refused)?;
        Ok((id, false))
    }

    /// A record that does not exist is told in other words than by its own address.
    fn live_row(self, store: &Store, id: &str) -> ApiResult<usize> {
        if !ids::is_id_shaped(id) {
            let message = format!("{} ID: id value of incorrect type: {id}", store.object(self.object).label);
            return Err(ApiError::save("MALFORMED_ID", message, &["Id"]));
        }
        store.live_row(self.object, id).map_err(|error| match error.code() {
            "NOT_FOUND" => ApiError::save("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", &[]),
            _ => error,
        })
    }
}

fn save(purpose: Purpose) -> Save<'static> {
    let assign = Assign::No;
    Save { purpose, text: "", trusted: false, allow_duplicates: false, duplicate_details: false, assign }
}

fn cannot(message: &str) -> ApiError {
    ApiError::save("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message, &[])
}

fn verb(operation: Operation) -> &'static str {
    if operation.is_delete() { "delete" } else { "update" }
}

fn article(operation: Operation) -> &'static str {
    if operation.is_delete() { "a" } else { "an" }
}

/// `CODE:message:Field,Other --`, as the column `sf__Error` has it; two hyphens alone where no field is named.
fn in_csv(error: ApiError) -> String {
    let result = error.save_result();
    let error = &result["errors"][0];
    let text = |name: &str| error[name].as_str().unwrap_or_default();
    let fields: Vec<&str> =
        error["fields"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let fields = if fields.is_empty() { String::new() } else { fields.join(",") + " " };
    format!("{}:{}:{fields}--", text("statusCode"), text("message"))
}
