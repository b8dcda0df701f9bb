//! `@{account.id}`: what a request takes from the answer of one before it.

use serde_json::Value;

/// A reference, without its braces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference<'a>(&'a str);

impl<'a> Reference<'a> {
    /// The references in a text; braces that are not closed are text.
    pub(super) fn all_in(text: &'a str) -> impl Iterator<Item = Self> {
        text.split("@{").skip(1).filter_map(|rest| rest.split_once('}')).map(|(inside, _)| Self(inside))
    }

    /// Adds the references in the texts of a value.
    pub(super) fn collect(value: &'a Value, found: &mut Vec<Self>) {
        match value {
            Value::String(text) => found.extend(Self::all_in(text)),
            Value::Array(items) => items.iter().for_each(|item| Self::collect(item, found)),
            Value::Object(members) => members.values().for_each(|member| Self::collect(member, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// The `referenceId` of the request that it refers to.
    pub fn name(self) -> &'a str {
        self.0.split(['.', '[']).next().unwrap_or_default()
    }

    /// Whether it is the id of a record that was saved, and nothing else.
    pub(super) fn is_id_of(self, name: &str) -> bool {
        self.0.strip_prefix(name) == Some(".id")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_are_found_in_texts_at_every_depth() {
        let body = json!({"a": "@{one.id}", "b": [{"c": "<@{two.records[0].Id}|@{three[1].id}>"}], "d": "@{open", "e": 5});
        let mut found = Vec::new();
        Reference::collect(&body, &mut found);
        let names: Vec<_> = found.iter().map(|reference| reference.name()).collect();
        assert_eq!(names, ["one", "two", "three"]);
        let ids: Vec<_> = found.iter().map(|reference| reference.is_id_of(reference.name())).collect();
        assert_eq!(ids, [true, false, false]);
    }
}
