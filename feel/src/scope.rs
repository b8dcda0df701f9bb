//! The variables of an evaluation: JSON values under names, read in place.

use serde_json::{Map, Value as Json};

use crate::value::Value;

/// Variables for an evaluation, as layers of which the later ones win.
///
/// ```
/// use camunda_feel::{Expression, Scope};
/// use serde_json::json;
///
/// let response = json!({"status": 201, "body": {"id": "001X"}});
/// let scope = Scope::new().spread(&response).variable("response", &response);
/// let expression = Expression::parse("= {id: body.id, same: response.status = status}")?;
/// let result = expression.evaluate(&scope)?.to_json()?;
/// assert_eq!(result, json!({"id": "001X", "same": true}));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Scope<'a> {
    layers: Vec<Layer<'a>>,
}

#[derive(Debug, Clone)]
enum Layer<'a> {
    Object(&'a Map<String, Json>),
    Variable(&'a str, &'a Json),
}

impl<'a> Scope<'a> {
    /// A scope without variables.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes the entries of an object variables. Any other value adds nothing.
    #[must_use]
    pub fn spread(mut self, value: &'a Json) -> Self {
        if let Json::Object(object) = value {
            self.layers.push(Layer::Object(object));
        }
        self
    }

    /// Adds one variable.
    #[must_use]
    pub fn variable(mut self, name: &'a str, value: &'a Json) -> Self {
        self.layers.push(Layer::Variable(name, value));
        self
    }

    pub(crate) fn get(&self, name: &str) -> Option<Value<'a>> {
        let found = self.layers.iter().rev().find_map(|layer| match layer {
            Layer::Object(object) => object.get(name),
            Layer::Variable(known, value) => (*known == name).then_some(*value),
        });
        found.map(Value::from_json)
    }
}

impl<'a> From<&'a Json> for Scope<'a> {
    fn from(value: &'a Json) -> Self {
        Self::new().spread(value)
    }
}
