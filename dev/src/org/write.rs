//! Create, update and delete.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::derive::{self, Draft};
use super::error::{ApiError, ApiResult};
use super::schema::Object;
use super::store::{Record, Store};
use super::validate::{self, Save};
use super::{datetime, files, ids};

/// A number in its display format: 7 in `INV-{0000}` is `INV-0007`.
fn auto_number(format: &str, number: u64) -> String {
    let Some((before, rest)) = format.split_once('{') else { return number.to_string() };
    let (zeros, after) = rest.split_once('}').unwrap_or((rest, ""));
    format!("{before}{number:0>width$}{after}", width = zeros.len())
}

impl Store {
    /// Makes a record, and what comes with it; answers its id.
    pub(crate) fn create(
        &mut self,
        object: usize,
        body: &Map<String, Value>,
        save: Save<'_>,
    ) -> ApiResult<String> {
        files::create(self, object, body, save).unwrap_or_else(|| self.create_record(object, body, save))
    }

    /// Makes a record and nothing else.
    pub(crate) fn create_record(
        &mut self,
        object: usize,
        body: &Map<String, Value>,
        save: Save<'_>,
    ) -> ApiResult<String> {
        let given = validate::values(self, object, body, save)?;
        let definition = self.object(object);
        let mut values: Vec<Value> = definition.fields.iter().map(|field| field.default.clone()).collect();
        let indexes: Vec<usize> = given.iter().map(|(index, _)| *index).collect();
        for (index, value) in given {
            // A null for what Salesforce fills by default leaves the default.
            if !(value.is_null() && definition.fields[index].defaulted_on_create) {
                values[index] = value;
            }
        }
        let now = Timestamp::now();
        derive::fill(
            &mut Draft { store: self, object: definition, values: &mut values, given: &indexes },
            now,
        );
        self.assign(object, &mut values, save.assign)?;
        self.unique(object, &values, None)?;
        self.duplicates(object, &values, None, save)?;
        let id = self.stamp_new(object, &mut values, now)?;
        self.push(object, Record { id: id.clone(), deleted: false, erased: false, values });
        if !save.trusted {
            self.recent.note(&id);
        }
        Ok(id)
    }

    /// Fills the id, the audit fields, the owner and auto numbers of a new record.
    fn stamp_new(&mut self, object: usize, values: &mut [Value], now: Timestamp) -> ApiResult<String> {
        let (generated, number) = self.next_id(object);
        let definition = self.object(object);
        let now = Value::String(datetime::format(now));
        let user = Value::String(self.user.clone());
        for (field, value) in
            definition.fields.iter().zip(values.iter_mut()).filter(|(_, value)| value.is_null())
        {
            match field.name.as_str() {
                "Id" => *value = Value::String(generated.clone()),
                "CreatedDate" | "LastModifiedDate" | "SystemModstamp" => *value = now.clone(),
                "CreatedById" | "LastModifiedById" | "OwnerId" => *value = user.clone(),
                _ => {
                    if let Some(format) = &field.auto_number {
                        *value = Value::String(auto_number(format, number));
                    }
                }
            }
        }
        let id = definition
            .index_of("Id")
            .and_then(|index| values[index].as_str())
            .unwrap_or(&generated)
            .to_owned();
        if let Some(index) = definition.index_of("Name").filter(|index| values[*index].is_null()) {
            // A custom object's record without a name is called by its id.
            values[index] = Value::String(id[..15].to_owned());
        }
        if self.tables[object].row(&id).is_some() {
            return Err(ApiError::save("DUPLICATE_VALUE", format!("duplicate id: {id}"), &["Id"]));
        }
        Ok(id)
    }

    /// Changes a live record.
    pub(crate) fn update(
        &mut self,
        object: usize,
        row: usize,
        body: &Map<String, Value>,
        save: Save<'_>,
    ) -> ApiResult<()> {
        let given = validate::values(self, object, body, save)?;
        let definition = self.object(object);
        let mut values = self.tables[object].records[row].values.clone();
        let indexes: Vec<usize> = given.iter().map(|(index, _)| *index).collect();
        for (index, value) in given {
            let keeps_default = value.is_null() && !definition.fields[index].nillable;
            values[index] = if keeps_default { definition.fields[index].default.clone() } else { value };
        }
        let now = Timestamp::now();
        derive::fill(
            &mut Draft { store: self, object: definition, values: &mut values, given: &indexes },
            now,
        );
        for (field, value) in definition.fields.iter().zip(values.iter_mut()) {
            match field.name.as_str() {
                "LastModifiedDate" | "SystemModstamp" => *value = Value::String(datetime::format(now)),
                "LastModifiedById" => *value = Value::String(self.user.clone()),
                _ => {}
            }
        }
        self.assign(object, &mut values, save.assign)?;
        self.unique(object, &values, Some(row))?;
        self.duplicates(object, &values, Some(row), save)?;
        self.replace(object, row, values);
        if !save.trusted {
            self.recent.note(&self.tables[object].records[row].id);
        }
        Ok(())
    }

    fn unique(&self, object: usize, values: &[Value], row: Option<usize>) -> ApiResult<()> {
        for (index, field) in self.object(object).fields.iter().enumerate().filter(|(_, field)| field.unique)
        {
            let Some(text) = values[index].as_str() else { continue };
            if let Some(other) = self.rows_by(object, index, text).iter().find(|other| Some(**other) != row) {
                let id = &self.tables[object].records[*other].id[..15];
                let message =
                    format!("duplicate value found: {} duplicates value on record with id: {id}", field.name);
                return Err(ApiError::save("DUPLICATE_VALUE", message, &[]));
            }
        }
        Ok(())
    }

    fn duplicates(
        &self,
        object: usize,
        values: &[Value],
        row: Option<usize>,
        save: Save<'_>,
    ) -> ApiResult<()> {
        let definition = self.object(object);
        let rules =
            self.duplicate_rules.iter().filter(|rule| rule.object.eq_ignore_ascii_case(&definition.name));
        for rule in rules.filter(|rule| !(save.trusted || rule.allow_save && save.allow_duplicates)) {
            let fields: Vec<usize> =
                rule.fields.iter().filter_map(|name| definition.index_of(name)).collect();
            let matches = self.matching(object, values, &fields, row);
            if !matches.is_empty() {
                let records = matches.iter().map(|id| {
                    let record = json!({ "attributes": { "type": definition.name }, "Id": id });
                    if save.duplicate_details { self.with_details(object, id, record) } else { record }
                });
                return Err(duplicates_detected(definition, rule, records.collect()));
            }
        }
        Ok(())
    }

    fn with_details(&self, object: usize, id: &str, mut record: Value) -> Value {
        let row = self.tables[object].row(id);
        let record_of =
            |row: usize| super::rest::all_fields(self.object(object), &self.tables[object].records[row]);
        if let (Some(Value::Object(fields)), Value::Object(members)) = (row.map(record_of), &mut record) {
            members.extend(fields.into_iter().filter(|(_, value)| !value.is_null()));
        }
        record
    }

    /// The ids of the live records that agree in all `fields`; empty values never match.
    fn matching(&self, object: usize, values: &[Value], fields: &[usize], row: Option<usize>) -> Vec<String> {
        let Some(Value::String(first)) = fields.first().map(|field| &values[*field]) else {
            return Vec::new();
        };
        let records = &self.tables[object].records;
        let same = |other: usize, field: usize| match (&records[other].values[field], &values[field]) {
            (Value::String(left), Value::String(right)) => left.to_lowercase() == right.to_lowercase(),
            (left, right) => !right.is_null() && left == right,
        };
        self.rows_by(object, fields[0], first)
            .iter()
            .filter(|other| Some(**other) != row && fields.iter().all(|field| same(**other, *field)))
            .map(|other| records[*other].id.clone())
            .collect()
    }

    /// Puts a live record into the recycle bin, and what hangs on it with it; all of it or nothing.
    pub(crate) fn delete(&mut self, object: usize, row: usize) -> ApiResult<()> {
        self.remove(object, row).map(drop)
    }

    /// The same, without the recycle bin: no query and no id finds these records again.
    pub(crate) fn delete_for_good(&mut self, object: usize, row: usize) -> ApiResult<()> {
        for (object, row) in self.remove(object, row)? {
            self.erase(object, row);
        }
        Ok(())
    }

    fn remove(&mut self, object: usize, row: usize) -> ApiResult<Vec<(usize, usize)>> {
        let mut doomed = Vec::new();
        let mut detached = Vec::new();
        self.collect(object, row, &mut doomed, &mut detached)?;
        for (child, row, field) in detached {
            let mut values = self.tables[child].records[row].values.clone();
            values[field] = Value::Null;
            self.replace(child, row, values);
        }
        for (object, row) in &doomed {
            self.recycle(*object, *row);
        }
        Ok(doomed)
    }

    /// What a delete takes with it, and which references it empties.
    fn collect(
        &self,
        object: usize,
        row: usize,
        doomed: &mut Vec<(usize, usize)>,
        detached: &mut Vec<(usize, usize, usize)>,
    ) -> ApiResult<()> {
        if doomed.contains(&(object, row)) {
            return Ok(());
        }
        doomed.push((object, row));
        let id = &self.tables[object].records[row].id;
        for child in self.schema.children(object) {
            let rows = self.rows_by(child.object, child.field, id);
            let field = &self.schema.objects[child.object].fields[child.field];
            if field.restricted_delete && !rows.is_empty() {
                return Err(delete_failed(self.object(object), self.object(child.object)));
            }
            for row in rows {
                if field.cascade_delete {
                    self.collect(child.object, *row, doomed, detached)?;
                } else {
                    detached.push((child.object, *row, child.field));
                }
            }
        }
        Ok(())
    }

    /// The live row of an id taken from a path or a body.
    pub(crate) fn live_row(&self, object: usize, text: &str) -> ApiResult<usize> {
        let definition = self.object(object);
        if !ids::is_id_shaped(text) {
            return Err(ApiError::external_id_not_found(text));
        }
        let id = ids::normalize(text)
            .ok_or_else(|| ApiError::bad_request("MALFORMED_ID", format!("malformed id {text}")))?;
        if !id.starts_with(&definition.key_prefix) {
            let message = format!("{} ID: id value of incorrect type: {text}", definition.label);
            return Err(ApiError::save("MALFORMED_ID", message, &["Id"]));
        }
        match self.tables[object].row(&id) {
            None => Err(ApiError::resource_not_found()),
            Some(row) if self.tables[object].records[row].deleted => Err(ApiError::entity_is_deleted()),
            Some(row) => Ok(row),
        }
    }
}

fn delete_failed(parent: &Object, child: &Object) -> ApiError {
    let message = format!(
        "Your attempt to delete the {} could not be completed because it is associated with {}.",
        parent.label.to_lowercase(),
        child.label_plural.to_lowercase()
    );
    ApiError::save("DELETE_FAILED", message, &[])
}

fn duplicates_detected(object: &Object, rule: &super::seed::DuplicateRule, matches: Vec<Value>) -> ApiError {
    let name = rule.name.clone().unwrap_or_else(|| format!("Standard_{}_Duplicate_Rule", object.name));
    let size = matches.len();
    let records: Vec<Value> = matches
        .into_iter()
        .map(|record| {
            json!({ "additionalInformation": [], "fieldDiffs": [], "matchConfidence": 100.0, "record": record })
        })
        .collect();
    let message = "Use one of these records?";
    let result = json!({
        "allowSave": rule.allow_save,
        "duplicateRule": name,
        "duplicateRuleEntityType": object.name,
        "errorMessage": message,
        "matchResults": [{ "entityType": object.name, "errors": [], "matchEngine": "ExactMatchEngine",
            "matchRecords": records, "rule": name, "size": size, "success": true }],
    });
    ApiError::bad_request("DUPLICATES_DETECTED", message).with("duplicateResult", result)
}
