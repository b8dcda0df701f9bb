//! What every operation has in common, and what the list of them expands to.

use serde_json::{Map, Value};

use super::{ALL, Call, Descriptor, Input, InputKind};
use crate::{
    connector::{
        Error, InvalidInput,
        input::{self, Show},
    },
    salesforce::{CallClass, RecordId, Request, Response},
};

/// An operation's input that knows how to run.
pub(super) trait Operate: Sized + Send {
    /// Refuses what each field allows but the fields together do not.
    fn checked(self) -> Result<Self, InvalidInput> {
        Ok(self)
    }

    /// The record that the input names.
    fn record_id(&self) -> Option<&RecordId> {
        None
    }

    /// Whether it may be repeated, where its fields decide that; else its descriptor says it.
    fn class(&self) -> Option<CallClass> {
        None
    }

    /// Its request, the first one where there are several.
    fn request(self) -> Result<Request, InvalidInput>;

    /// Calls Salesforce.
    fn run(self, call: &Call<'_>) -> impl Future<Output = Result<Response, Error>> + Send {
        async move { call.send(&self.request()?).await }
    }
}

/// The mistake of a `type` that no operation has.
pub(super) fn unknown(name: &str) -> InvalidInput {
    let known: Vec<_> = ALL.iter().map(|operation| operation.name).collect();
    InvalidInput::unknown("type", "one of the operations", name, &known)
}

/// Refuses a field that the operation does not have, then input without one of the fields that must be filled.
///
/// In this order, because a mistyped name is both: an unknown field, and the right one missing.
pub(super) fn check_names(descriptor: &Descriptor, fields: &Map<String, Value>) -> Result<(), InvalidInput> {
    let known: Vec<_> = descriptor.inputs.iter().map(|input| input.name).collect();
    if let Some(name) = fields.keys().find(|name| *name != "type" && !known.contains(&name.as_str())) {
        return Err(InvalidInput::unknown(input::shorten(name), "one of the fields", name, &known));
    }
    let missing = |name| input::is_absent(fields.get(name));
    let is_there =
        |on: Option<(&str, &str)>| on.is_none_or(|(name, value)| fields.get(name) == Some(&value.into()));
    let replaced = |name: &str| {
        let instead = |input: &&Input| matches!(input.kind, InputKind::Fields { beside } if beside == name);
        descriptor.inputs.iter().find(instead).is_some_and(|input| !input::is_absent(fields.get(input.name)))
    };
    let needed = |input: &Input| input.required && is_there(input.kind.depends_on()) && !replaced(input.name);
    match descriptor.inputs.iter().find(|input| needed(input) && missing(input.name)) {
        None => Ok(()),
        Some(field) => {
            let found = input::describe(fields.get(field.name), Show::Value);
            Err(InvalidInput::new(field.name, field.kind.expected(), found))
        }
    }
}

/// Expands the list to `ALL` and `Operation`.
macro_rules! list {
    ($($module:ident :: $Input:ident),* $(,)?) => {
        /// Every operation, in the order in which the modeler is offered them.
        pub static ALL: &[&Descriptor] = &[$(&$module::DESCRIPTOR),*];

        /// One operation with its input, checked: running it is all that is left.
        #[derive(Debug)]
        pub enum Operation {
            $(
                #[doc = concat!("See `operations/", stringify!($module), ".rs`.")]
                $Input($module::$Input),
            )*
        }

        impl Operation {
            /// Reads the operation of this name from its fields; a field `type` among them is passed over.
            ///
            /// # Errors
            /// An unknown name, an unknown or missing field, a wrong type or value; paths begin at the field.
            pub fn parse(
                name: &str,
                fields: &serde_json::Map<String, serde_json::Value>,
            ) -> Result<Self, crate::connector::InvalidInput> {
                use crate::connector::input::{Show, read};

                $(if name.trim() == $module::DESCRIPTOR.name {
                    operate::check_names(&$module::DESCRIPTOR, fields)?;
                    let input: $module::$Input = read(fields, Some("type"), Show::Value)?;
                    return input.checked().map(Self::$Input);
                })*
                Err(operate::unknown(name))
            }

            /// What the modeler sees of it.
            pub fn descriptor(&self) -> &'static Descriptor {
                match self {
                    $(Self::$Input(_) => &$module::DESCRIPTOR,)*
                }
            }

            /// The record that the input names.
            pub(crate) fn record_id(&self) -> Option<&crate::salesforce::RecordId> {
                match self {
                    $(Self::$Input(operation) => operation.record_id(),)*
                }
            }

            /// Whether it may be repeated, with this input.
            pub(crate) fn class(&self) -> crate::salesforce::CallClass {
                let own = match self {
                    $(Self::$Input(operation) => operation.class(),)*
                };
                own.unwrap_or_else(|| self.descriptor().class)
            }

            #[cfg(test)]
            fn request(self) -> Result<crate::salesforce::Request, crate::connector::InvalidInput> {
                match self {
                    $(Self::$Input(operation) => operation.request(),)*
                }
            }

            /// Calls Salesforce.
            pub(crate) async fn run(
                self,
                call: &Call<'_>,
            ) -> Result<crate::salesforce::Response, crate::connector::Error> {
                match self {
                    $(Self::$Input(operation) => operation.run(call).await,)*
                }
            }
        }
    };
}
pub(super) use list;
