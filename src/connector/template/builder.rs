//! Properties and conditions in few words.

use std::borrow::Cow;

use serde_json::Value;

use super::model::{Binding, Choice, Condition, Constraints, Feel, FieldType, Pattern, Property};

impl Property {
    /// A field of `kind`, titled `label`, whose value is written to `binding`.
    pub(super) fn field(
        id: impl Into<String>,
        kind: FieldType,
        label: &'static str,
        binding: Binding,
    ) -> Self {
        Self { label: Some(label.into()), ..Self::bare(id.into(), kind, binding) }
    }

    /// A constant that the modeler does not see.
    pub(super) fn hidden(id: &str, value: impl Into<Value>, binding: Binding) -> Self {
        Self { value: Some(value.into()), ..Self::bare(id.to_owned(), FieldType::Hidden, binding) }
    }

    /// A field without a title.
    pub(super) fn bare(id: String, kind: FieldType, binding: Binding) -> Self {
        Self {
            id,
            label: None,
            tooltip: None,
            kind,
            feel: None,
            optional: false,
            value: None,
            choices: Vec::new(),
            placeholder: None,
            constraints: Constraints::default(),
            group: None,
            binding,
            condition: None,
        }
    }

    pub(super) fn tooltip(self, text: impl Into<Cow<'static, str>>) -> Self {
        Self { tooltip: Some(text.into()), ..self }
    }

    pub(super) fn placeholder(self, text: &'static str) -> Self {
        Self { placeholder: (!text.is_empty()).then_some(text), ..self }
    }

    pub(super) fn feel(self, feel: Feel) -> Self {
        Self { feel: Some(feel), ..self }
    }

    pub(super) fn value(self, value: impl Into<Value>) -> Self {
        Self { value: Some(value.into()), ..self }
    }

    pub(super) fn choices<N: Into<Cow<'static, str>>>(
        self,
        choices: impl IntoIterator<Item = (&'static str, N)>,
    ) -> Self {
        let choice = |(value, name): (&'static str, N)| Choice { name: name.into(), value: value.into() };
        let choices = choices.into_iter().map(choice).collect();
        Self { choices, ..self }
    }

    /// Must be filled.
    pub(super) fn required(mut self) -> Self {
        self.constraints.not_empty = Some(true);
        self
    }

    /// May stay empty, and then writes nothing. Comes before [`pattern`](Self::pattern).
    pub(super) fn optional(mut self) -> Self {
        self.optional = true;
        self.constraints.not_empty = Some(false);
        self
    }

    /// May have so many characters at most; `0` says nothing.
    pub(super) fn at_most(mut self, length: u64) -> Self {
        self.constraints.max_length = (length > 0).then_some(length);
        self
    }

    /// Must match `value`, which is anchored at both ends.
    ///
    /// Modeler holds an empty field against its pattern too, so an optional field matches nothing as well.
    pub(super) fn pattern(mut self, value: &str, message: impl Into<String>) -> Self {
        let value = if self.optional { format!("^$|{value}") } else { value.to_owned() };
        self.constraints.pattern = Some(Pattern { value, message: message.into() });
        self
    }

    pub(super) fn group(self, group: &'static str) -> Self {
        Self { group: Some(group), ..self }
    }

    pub(super) fn when(self, condition: Condition) -> Self {
        Self { condition: Some(condition), ..self }
    }
}

impl Condition {
    pub(super) fn is(property: &'static str, equals: &'static str) -> Self {
        Self::Equals { property, equals }
    }

    pub(super) fn one_of(property: &'static str, values: &[&'static str]) -> Self {
        match values {
            [value] => Self::is(property, value),
            values => {
                let one_of = values.iter().map(|value| Cow::Borrowed(*value)).collect();
                Self::OneOf { property, one_of }
            }
        }
    }

    pub(super) fn is_filled(property: &'static str) -> Self {
        Self::IsEmpty { property, is_empty: false }
    }

    pub(super) fn both(first: Self, second: Self) -> Self {
        Self::AllMatch { all_match: vec![first, second] }
    }
}

/// The field `path` of the variable `salesforceRequest`.
pub(super) fn request(path: &str) -> Binding {
    Binding::Input { name: format!("salesforceRequest.{path}") }
}

pub(super) fn header(key: &'static str) -> Binding {
    Binding::Header { key }
}
