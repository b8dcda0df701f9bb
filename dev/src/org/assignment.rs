//! Assignment rules: who becomes the owner of a case or a lead.
//!
//! Source: REST API Developer Guide, "Assignment Rule Header", and Salesforce Help, "Set Up Assignment Rules": of the entries
//! of a rule the first whose criteria a record meets names the owner, whoever owned it before; a save through REST that
//! says nothing runs the active rule. Bulk jobs run none here.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::error::{ApiError, ApiResult};
use super::ids;
use super::schema::Object;
use super::store::Store;

/// A rule of the seed.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AssignmentRule {
    pub(crate) id: String,
    /// `Case` or `Lead`.
    pub(crate) object: String,
    /// Whether it runs where a save does not name a rule.
    #[serde(default)]
    active: bool,
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Entry {
    /// The values that a record must have; nothing fits every record.
    #[serde(default)]
    criteria: Map<String, Value>,
    /// The id of a user or a queue.
    owner: String,
}

impl AssignmentRule {
    /// What is wrong with it, if anything.
    pub(crate) fn problem(&self, object: &Object) -> Option<String> {
        let mut ids = [&self.id].into_iter().chain(self.entries.iter().map(|entry| &entry.owner));
        let mut names = self.entries.iter().flat_map(|entry| entry.criteria.keys());
        let wrong_id = ids.find(|id| ids::normalize(id).is_none());
        let unknown = names.find(|name| object.field(name).is_none());
        wrong_id
            .map(|id| format!("\"{id}\" is no id"))
            .or_else(|| unknown.map(|name| format!("{} has no field {name}", object.name)))
    }
}

/// Which rule a save asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Assign<'a> {
    /// None: code of the org, bulk jobs and seeds, and who says so.
    No,
    /// The active one, if there is one.
    Active,
    /// The one of this id.
    Rule(&'a str),
}

impl<'a> Assign<'a> {
    /// What the header `Sforce-Auto-Assign` says.
    pub(crate) fn of_header(value: Option<&'a str>) -> Self {
        let Some(value) = value else { return Self::Active };
        match value.to_ascii_uppercase().as_str() {
            "TRUE" => Self::Active,
            "FALSE" => Self::No,
            _ => Self::Rule(value),
        }
    }
}

impl Store {
    /// Gives a record that is about to be saved the owner that the rule names.
    pub(super) fn assign(&self, object: usize, values: &mut [Value], assign: Assign<'_>) -> ApiResult<()> {
        let definition = self.object(object);
        let mut rules =
            self.assignment_rules.iter().filter(|rule| rule.object.eq_ignore_ascii_case(&definition.name));
        let rule = match assign {
            Assign::Rule(id) if matches!(definition.name.as_str(), "Case" | "Lead") => {
                let unknown =
                    || ApiError::save("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", &[]);
                Some(rules.find(|rule| ids::normalize(&rule.id) == ids::normalize(id)).ok_or_else(unknown)?)
            }
            Assign::Active => rules.find(|rule| rule.active),
            Assign::No | Assign::Rule(_) => None,
        };
        let meets = |entry: &&Entry| {
            entry
                .criteria
                .iter()
                .all(|(name, wanted)| definition.index_of(name).is_some_and(|index| values[index] == *wanted))
        };
        let entry = rule.and_then(|rule| rule.entries.iter().find(meets));
        if let (Some(entry), Some(owner)) = (entry, definition.index_of("OwnerId")) {
            values[owner] = ids::normalize(&entry.owner).unwrap_or_default().into();
        }
        Ok(())
    }
}
