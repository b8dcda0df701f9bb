//! The records of the org, with an index for every way that a record may be addressed.

use std::collections::{BTreeSet, HashMap};

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;

use super::about::Recent;
use super::assignment::AssignmentRule;
use super::datetime;
use super::decimal::Decimal;
use super::ids;
use super::knowledge::Article;
use super::list_views::ListView;
use super::reports::Report;
use super::schema::{Field, FieldType, Object, Schema};
use super::seed::DuplicateRule;

/// One record: a value for each field of its object, in the order of the schema.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) id: String,
    /// In the recycle bin: invisible to queries, 404 ENTITY_IS_DELETED by id.
    pub(crate) deleted: bool,
    /// Deleted for good: only its row is left, so that others keep theirs.
    pub(crate) erased: bool,
    pub(crate) values: Vec<Value>,
}

/// The records of one object in the order of their creation.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    pub(crate) records: Vec<Record>,
    by_id: HashMap<String, usize>,
    indexes: HashMap<usize, HashMap<String, BTreeSet<usize>>>,
    created: u64,
}

/// Schema and records.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) schema: Schema,
    pub(crate) tables: Vec<Table>,
    pub(crate) duplicate_rules: Vec<DuplicateRule>,
    pub(crate) assignment_rules: Vec<AssignmentRule>,
    /// What binary fields hold, by the id of their record.
    pub(crate) blobs: HashMap<String, Bytes>,
    /// The user whom every token belongs to.
    pub(crate) user: String,
    /// The org's own id.
    pub(crate) organization: String,
    /// What the user has used lately.
    pub(crate) recent: Recent,
    /// What Salesforce Knowledge holds.
    pub(crate) articles: Vec<Article>,
    /// The saved reports.
    pub(crate) reports: Vec<Report>,
    /// The saved list views.
    pub(crate) list_views: Vec<ListView>,
}

/// What an index holds for a value that it does not know.
static NO_ROWS: BTreeSet<usize> = BTreeSet::new();

impl Store {
    /// An org without records.
    pub(crate) fn new(schema: Schema, duplicate_rules: Vec<DuplicateRule>) -> Self {
        let mut tables = Vec::with_capacity(schema.objects.len());
        for object in &schema.objects {
            let mut table = Table::default();
            for (index, field) in object.fields.iter().enumerate() {
                let in_rule = duplicate_rules.iter().any(|rule| {
                    rule.object.eq_ignore_ascii_case(&object.name)
                        && rule.fields.first().is_some_and(|first| first.eq_ignore_ascii_case(&field.name))
                });
                if (field.is_indexed() && field.kind != FieldType::Id) || in_rule {
                    table.indexes.insert(index, HashMap::new());
                }
            }
            tables.push(table);
        }
        Self {
            schema,
            tables,
            duplicate_rules,
            assignment_rules: Vec::new(),
            blobs: HashMap::new(),
            user: ids::generate("005", 1),
            organization: ids::generate("00D", 1),
            recent: Recent::default(),
            articles: Vec::new(),
            reports: Vec::new(),
            list_views: Vec::new(),
        }
    }

    /// The object at `index`.
    pub(crate) fn object(&self, index: usize) -> &Object {
        &self.schema.objects[index]
    }

    /// The record behind an id, in whichever object, deleted or not.
    pub(crate) fn find(&self, id: &str) -> Option<(usize, &Record)> {
        let object = self.schema.object_of_id(id)?;
        let row = self.tables[object].row(id)?;
        Some((object, &self.tables[object].records[row]))
    }

    /// The live rows of `object` whose indexed `field` equals `value`.
    pub(crate) fn rows_by(&self, object: usize, field: usize, value: &str) -> &BTreeSet<usize> {
        let Some(index) = self.tables[object].indexes.get(&field) else { return &NO_ROWS };
        index.get(&index_key(&self.schema.objects[object].fields[field], value)).unwrap_or(&NO_ROWS)
    }

    /// Whether [`Store::rows_by`] knows this field.
    pub(crate) fn has_index(&self, object: usize, field: usize) -> bool {
        self.tables[object].indexes.contains_key(&field)
    }

    /// The next id of `object`, and its number among the records ever made there.
    pub(crate) fn next_id(&mut self, object: usize) -> (String, u64) {
        let prefix = self.schema.objects[object].key_prefix.clone();
        let table = &mut self.tables[object];
        loop {
            table.created += 1;
            let id = ids::generate(&prefix, table.created);
            if !table.by_id.contains_key(&id) {
                return (id, table.created);
            }
        }
    }

    /// Adds a record.
    pub(crate) fn push(&mut self, object: usize, record: Record) {
        let row = self.tables[object].records.len();
        self.index(object, row, &record.values, true);
        let table = &mut self.tables[object];
        table.by_id.insert(record.id.clone(), row);
        table.records.push(record);
    }

    /// Replaces the values of a live record.
    pub(crate) fn replace(&mut self, object: usize, row: usize, values: Vec<Value>) {
        let old = std::mem::take(&mut self.tables[object].records[row].values);
        self.index(object, row, &old, false);
        self.index(object, row, &values, true);
        self.tables[object].records[row].values = values;
    }

    /// Puts a record into the recycle bin.
    pub(crate) fn recycle(&mut self, object: usize, row: usize) {
        let values = self.tables[object].records[row].values.clone();
        self.index(object, row, &values, false);
        let record = &mut self.tables[object].records[row];
        record.deleted = true;
        let now = Value::String(datetime::format(Timestamp::now()));
        for (name, value) in
            [("IsDeleted", Value::Bool(true)), ("LastModifiedDate", now.clone()), ("SystemModstamp", now)]
        {
            if let Some(field) = self.schema.objects[object].index_of(name) {
                record.values[field] = value;
            }
        }
    }

    /// Takes a record out of the recycle bin, for good.
    pub(crate) fn erase(&mut self, object: usize, row: usize) {
        let table = &mut self.tables[object];
        let record = &mut table.records[row];
        record.erased = true;
        table.by_id.remove(&record.id);
    }

    fn index(&mut self, object: usize, row: usize, values: &[Value], present: bool) {
        let fields = &self.schema.objects[object].fields;
        for (field, index) in &mut self.tables[object].indexes {
            let key = match &values[*field] {
                Value::String(text) => index_key(&fields[*field], text),
                Value::Number(number) => index_key(&fields[*field], &number.to_string()),
                _ => continue,
            };
            if present {
                index.entry(key).or_default().insert(row);
            } else if let Some(rows) = index.get_mut(&key) {
                rows.remove(&row);
                if rows.is_empty() {
                    index.remove(&key);
                }
            }
        }
    }
}

impl Table {
    /// The row of an 18-character id, deleted or not.
    pub(crate) fn row(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// The rows of the records, those in the recycle bin among them.
    pub(crate) fn all(&self) -> impl Iterator<Item = usize> + '_ {
        self.records.iter().enumerate().filter(|(_, record)| !record.erased).map(|(row, _)| row)
    }

    /// The rows that are not in the recycle bin.
    pub(crate) fn live(&self) -> impl Iterator<Item = usize> + '_ {
        self.records.iter().enumerate().filter(|(_, record)| !record.deleted).map(|(row, _)| row)
    }
}

/// Salesforce compares text without case, unless the field says otherwise.
fn index_key(field: &Field, value: &str) -> String {
    if field.kind.is_id() {
        ids::normalize(value).unwrap_or_else(|| value.to_owned())
    } else if field.kind.is_number() {
        Decimal::parse(value).map_or_else(|| value.to_owned(), |number| number.to_string())
    } else if field.case_sensitive {
        value.to_owned()
    } else {
        value.to_lowercase()
    }
}

/// The value of a field as the API shows it; compound addresses are put together here.
pub(crate) fn read(object: &Object, record: &Record, field: usize) -> Value {
    let definition = &object.fields[field];
    if definition.kind != FieldType::Address {
        return record.values[field].clone();
    }
    let prefix = definition.name.trim_end_matches("Address");
    let part = |name: &str| {
        let index = object.index_of(&format!("{prefix}{name}"));
        index.map_or(Value::Null, |index| record.values[index].clone())
    };
    let mut address = serde_json::Map::new();
    for name in
        ["City", "Country", "GeocodeAccuracy", "Latitude", "Longitude", "PostalCode", "State", "Street"]
    {
        let mut key = name.to_owned();
        key[..1].make_ascii_lowercase();
        address.insert(key, part(name));
    }
    if address.values().all(Value::is_null) { Value::Null } else { Value::Object(address) }
}
