//! Paths to columns: which field of which object, over which parents.

use jiff::Timestamp;
use serde_json::Value;

use super::super::error::{ApiError, ApiResult};
use super::super::schema::{Field, FieldType};
use super::super::store::{self, Record, Store};
use super::ast::{Path, Query};
use super::fault::{self, Source};

/// Salesforce's limit on `A.B.C.D.E.Name`.
const MAX_PARENTS: usize = 5;

/// What a query is run against.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) store: &'a Store,
    pub(crate) source: Source<'a>,
    pub(crate) version: u32,
    pub(crate) now: Timestamp,
    /// Whether records in the recycle bin are seen too (`queryAll`).
    pub(crate) deleted: bool,
}

/// One query's view: its object, and the names it gave to things.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) context: Context<'a>,
    pub(crate) object: usize,
    pub(crate) query: &'a Query,
}

/// A field, as seen from the records of a query.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    /// Relationship names to follow, as the schema spells them.
    pub(crate) parents: Vec<String>,
    pub(crate) name: String,
    /// The definition that decides how values compare; of the first target, if there are several.
    pub(crate) field: Field,
    /// `Who.Type`: the name of the parent's object instead of a field.
    object_type: bool,
}

impl Column {
    /// The name by which errors call it.
    pub(crate) fn label(&self) -> &str {
        &self.name
    }

    /// The value for one record; null where a parent is missing or has no such field.
    pub(crate) fn value(&self, store: &Store, object: usize, record: &Record) -> Value {
        let mut place = Some((object, record));
        for name in &self.parents {
            place = place.and_then(|(object, record)| parent(store, object, record, name));
        }
        let Some((object, record)) = place else { return Value::Null };
        let definition = store.object(object);
        if self.object_type {
            return Value::String(definition.name.clone());
        }
        definition.index_of(&self.name).map_or(Value::Null, |index| store::read(definition, record, index))
    }

    /// The position of the field, if it belongs to the query's own object.
    pub(crate) fn own_index(&self, store: &Store, object: usize) -> Option<usize> {
        if self.parents.is_empty() { store.object(object).index_of(&self.name) } else { None }
    }
}

/// The record that a relationship leads to.
pub(crate) fn parent<'a>(
    store: &'a Store,
    object: usize,
    record: &Record,
    name: &str,
) -> Option<(usize, &'a Record)> {
    let field = store.object(object).parent_relationship(name)?;
    let (object, parent) = store.find(record.values[field].as_str()?)?;
    (!parent.deleted).then_some((object, parent))
}

impl Scope<'_> {
    /// Finds the column of a path.
    pub(crate) fn column(&self, path: &Path) -> ApiResult<Column> {
        let names = self.without_alias(path);
        let (name, relationships) = names.split_last().ok_or_else(|| self.unknown(path, "", self.object))?;
        if relationships.len() > MAX_PARENTS {
            let message = "SOQL statements cannot query parent relationships more than 5 levels away from the root entity.";
            return Err(self.malformed(path, message));
        }
        let store = self.context.store;
        let mut objects = vec![self.object];
        let mut parents = Vec::new();
        for relationship in relationships {
            let fields: Vec<&Field> = objects
                .iter()
                .filter_map(|object| {
                    let definition = store.object(*object);
                    definition.parent_relationship(relationship).map(|index| &definition.fields[index])
                })
                .collect();
            let Some(spelling) = fields.first().and_then(|field| field.relationship_name.clone()) else {
                let message = fault::no_such_relationship(relationship);
                return Err(self.context.source.error("INVALID_FIELD", path.at, &message));
            };
            objects = fields.iter().flat_map(|field| store.schema.targets(field)).collect();
            parents.push(spelling);
        }
        let object_type = objects.len() > 1 && name.eq_ignore_ascii_case("Type");
        let found = objects.iter().find_map(|object| store.object(*object).field(name));
        let field = match found {
            Some(field) => field.clone(),
            None if object_type => store.object(objects[0]).fields[0].clone(),
            None => return Err(self.unknown(path, name, objects.first().copied().unwrap_or(self.object))),
        };
        let mut column = Column { parents, name: field.name.clone(), field, object_type };
        if object_type {
            "Type".clone_into(&mut column.name);
            column.field.kind = FieldType::String;
        }
        Ok(column)
    }

    /// The names after the query's own alias or object name, with further aliases replaced by what they stand for.
    fn without_alias(&self, path: &Path) -> Vec<String> {
        let store = self.context.store;
        let Some((first, rest)) = path.names.split_first().filter(|(_, rest)| !rest.is_empty()) else {
            return path.names.clone();
        };
        let own = |name: &String| name.eq_ignore_ascii_case(first);
        if let Some((_, target)) = self.query.aliases.iter().find(|(alias, _)| own(alias)) {
            let names = target.names.iter().chain(rest).cloned().collect();
            return self.without_alias(&Path { names, at: path.at });
        }
        let object = store.object(self.object);
        let is_relationship = object.parent_relationship(first).is_some();
        if self.query.alias.as_ref().is_some_and(own) || (own(&object.name) && !is_relationship) {
            return rest.to_vec();
        }
        path.names.clone()
    }

    fn unknown(&self, path: &Path, name: &str, object: usize) -> ApiError {
        let message = fault::no_such_column(name, &self.context.store.object(object).name);
        self.context.source.error("INVALID_FIELD", path.at, &message)
    }

    pub(crate) fn malformed(&self, path: &Path, message: &str) -> ApiError {
        self.context.source.malformed(path.at, message)
    }
}
