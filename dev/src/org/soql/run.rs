//! Running a prepared query over the store.

use std::cmp::Ordering;

use serde_json::{Map, Value, json};

use super::super::rest;
use super::super::store::{Record, Store};
use super::ast::Operator;
use super::column::{Column, Context, parent};
use super::filter::{Filter, Operand, Test};
use super::prepare::{Key, Output, Prepared, Shown};
use super::scalar::{self, Scalar};

impl Prepared {
    /// The rows that pass the filter, in order, within the limit; among `base` only, if given.
    pub(crate) fn rows(&self, context: Context<'_>, base: Option<Vec<usize>>) -> Vec<usize> {
        let mut rows = self.matching(context, base);
        if let Output::Records { order, .. } = &self.output {
            let table = &context.store.tables[self.object];
            sort(&mut rows, order, |row, key| key.value(context.store, self.object, &table.records[*row]));
            limited(&mut rows, self.offset, self.limit);
        }
        rows
    }

    /// How the rows would be found, the cheapest way first.
    pub(crate) fn plans(&self, store: &Store) -> Value {
        let definition = store.object(self.object);
        let total = store.tables[self.object].live().count();
        let plan = |cardinality: usize, operation: &str, cost: f64, fields: Vec<&str>, notes: Value| {
            json!({ "cardinality": cardinality, "fields": fields, "leadingOperationType": operation, "notes": notes,
                "relativeCost": cost, "sobjectCardinality": total, "sobjectType": definition.name })
        };
        let mut plans = Vec::new();
        if let Some((column, rows)) =
            self.filter.as_ref().and_then(|filter| leading(store, self.object, filter))
        {
            let share = f64::from(u32::try_from(rows.len()).unwrap_or(u32::MAX))
                / f64::from(u32::try_from(total.max(1)).unwrap_or(u32::MAX));
            plans.push(plan(rows.len(), "Index", share, vec![&column.name], json!([])));
        }
        let note = json!([{ "description": "Not considering filter for optimization because unindexed",
            "fields": ["IsDeleted"], "tableEnumOrId": definition.name }]);
        plans.push(plan(total, "TableScan", 1.5, vec![], note));
        json!({ "plans": plans })
    }

    /// The rows that pass the filter.
    pub(crate) fn matching(&self, context: Context<'_>, base: Option<Vec<usize>>) -> Vec<usize> {
        let table = &context.store.tables[self.object];
        // Indexes do not have what is in the recycle bin.
        let by_index = || {
            self.filter
                .as_ref()
                .filter(|_| !context.deleted)
                .and_then(|filter| indexed(context.store, self.object, filter))
        };
        let candidates = base
            .or_else(by_index)
            .unwrap_or_else(|| if context.deleted { table.all().collect() } else { table.live().collect() });
        let Some(filter) = &self.filter else { return candidates };
        let passes = |row: &usize| {
            let record = &table.records[*row];
            (context.deleted || !record.deleted)
                && filter.matches(&|scalar: &Scalar| scalar.value(context.store, self.object, record))
        };
        candidates.into_iter().filter(passes).collect()
    }

    /// The records as the API shows them.
    pub(crate) fn records(&self, context: Context<'_>, base: Option<Vec<usize>>) -> Vec<Value> {
        match &self.output {
            Output::Count => Vec::new(),
            Output::Groups(aggregation) => {
                let mut groups = aggregation.run(context, self.object, &self.matching(context, base));
                limited(&mut groups, self.offset, self.limit);
                groups
            }
            Output::Records { columns, .. } => {
                let table = &context.store.tables[self.object];
                let rows = self.rows(context, base);
                rows.into_iter().map(|row| show(context, self.object, &table.records[row], columns)).collect()
            }
        }
    }
}

fn limited<T>(items: &mut Vec<T>, offset: usize, limit: Option<usize>) {
    items.drain(..offset.min(items.len()));
    if let Some(limit) = limit {
        items.truncate(limit);
    }
}

/// Candidates from an index, where the filter demands one value of an indexed field; `None` for a full scan.
fn indexed(store: &Store, object: usize, filter: &Filter<Scalar>) -> Option<Vec<usize>> {
    leading(store, object, filter).map(|(_, rows)| rows)
}

/// The same, with the field that has the index.
fn leading<'a>(store: &Store, object: usize, filter: &'a Filter<Scalar>) -> Option<(&'a Column, Vec<usize>)> {
    let (column, operands) = match filter {
        Filter::All(parts) => return parts.iter().find_map(|part| leading(store, object, part)),
        Filter::Test(Scalar::Column(column), Test::Compare(Operator::Equal, operand)) => {
            (column, std::slice::from_ref(operand))
        }
        Filter::Test(Scalar::Column(column), Test::In { negated: false, list }) => (column, &list[..]),
        _ => return None,
    };
    let field = column.own_index(store, object)?;
    let is_id = store.object(object).fields[field].name == "Id";
    if !is_id && !store.has_index(object, field) {
        return None;
    }
    let mut rows = std::collections::BTreeSet::new();
    for operand in operands {
        match operand {
            Operand::Id(id) if is_id => rows.extend(store.tables[object].row(id)),
            Operand::Id(text) | Operand::Text(text) if !column.field.case_sensitive => {
                rows.extend(store.rows_by(object, field, text));
            }
            _ => return None,
        }
    }
    Some((column, rows.into_iter().collect()))
}

/// Sorts by several keys; the sort is stable, so that equal items keep the order of their creation.
pub(crate) fn sort<I, T>(items: &mut Vec<I>, keys: &[Key<T>], value: impl Fn(&I, &T) -> Value) {
    if keys.is_empty() {
        return;
    }
    let mut decorated: Vec<(Vec<Value>, I)> = items
        .drain(..)
        .map(|item| (keys.iter().map(|key| ranked(key, value(&item, &key.by))).collect(), item))
        .collect();
    decorated.sort_by(|(left, _), (right, _)| {
        let orders =
            keys.iter().zip(left.iter().zip(right)).map(|(key, (left, right))| ordered(key, left, right));
        orders.fold(Ordering::Equal, Ordering::then)
    });
    items.extend(decorated.into_iter().map(|(_, item)| item));
}

/// Picklist values sort as they are listed in Setup; what is not listed comes after.
fn ranked<T>(key: &Key<T>, value: Value) -> Value {
    let Value::String(text) = &value else { return value };
    if key.picklist.is_empty() {
        return value;
    }
    let rank =
        key.picklist.iter().position(|known| known.eq_ignore_ascii_case(text)).unwrap_or(key.picklist.len());
    Value::Number(rank.into())
}

fn ordered<T>(key: &Key<T>, left: &Value, right: &Value) -> Ordering {
    let nulls = if key.nulls_last { Ordering::Greater } else { Ordering::Less };
    match (left.is_null(), right.is_null()) {
        (true, true) => Ordering::Equal,
        (true, false) => nulls,
        (false, true) => nulls.reverse(),
        (false, false) if key.descending => scalar::compare(right, left),
        (false, false) => scalar::compare(left, right),
    }
}

/// The rows whose reference leads to a record, deleted or not.
fn referring(store: &Store, (object, field): (usize, usize), id: &str) -> Vec<usize> {
    let table = &store.tables[object];
    table.all().filter(|row| table.records[*row].values[field] == id).collect()
}

fn show<'a>(context: Context<'a>, object: usize, record: &'a Record, columns: &[Shown]) -> Value {
    let store = context.store;
    let mut members = Map::new();
    members.insert("attributes".into(), rest::attributes(store.object(object), &record.id, context.version));
    for column in columns {
        match column {
            Shown::Column(column) => show_column(context, (object, record), column, &mut members),
            Shown::Function { name, value } => {
                members.insert(name.clone(), value.value(store, object, record));
            }
            Shown::Children { name, object: child, field, query } => {
                let rows = if context.deleted {
                    referring(store, (*child, *field), &record.id)
                } else {
                    store.rows_by(*child, *field, &record.id).iter().copied().collect()
                };
                let records = query.records(context, Some(rows));
                let result = json!({ "totalSize": records.len(), "done": true, "records": records });
                members.insert(name.clone(), if records.is_empty() { Value::Null } else { result });
            }
            Shown::TypeOf { relationship, cases } => {
                let value = parent(store, object, record, relationship)
                    .map_or(Value::Null, |(target, parent)| show_type(context, target, parent, cases));
                members.insert(relationship.clone(), value);
            }
        }
    }
    Value::Object(members)
}

/// Puts a field at its place, below its parents.
fn show_column<'a>(
    context: Context<'a>,
    mut place: (usize, &'a Record),
    column: &Column,
    mut members: &mut Map<String, Value>,
) {
    let value = column.value(context.store, place.0, place.1);
    for name in &column.parents {
        let Some((object, record)) = parent(context.store, place.0, place.1, name) else {
            members.insert(name.clone(), Value::Null);
            return;
        };
        let attributes = rest::attributes(context.store.object(object), &record.id, context.version);
        let entry = members.entry(name.clone()).or_insert_with(|| json!({ "attributes": attributes }));
        let Value::Object(inner) = entry else { return };
        members = inner;
        place = (object, record);
    }
    members.insert(column.name.clone(), value);
}

fn show_type(
    context: Context<'_>,
    object: usize,
    record: &Record,
    cases: &[(Option<usize>, Vec<Column>)],
) -> Value {
    let case = cases.iter().find(|(target, _)| target.is_none_or(|target| target == object));
    let columns = case.map_or(&[][..], |(_, columns)| columns);
    let mut members = Map::new();
    members.insert(
        "attributes".into(),
        rest::attributes(context.store.object(object), &record.id, context.version),
    );
    for column in columns {
        show_column(context, (object, record), column, &mut members);
    }
    Value::Object(members)
}
