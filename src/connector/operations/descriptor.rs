//! What the modeler sees of an operation; element template, reference and metrics are made from it.

use crate::salesforce::CallClass;

/// An operation as the modeler sees it.
#[derive(Debug)]
pub struct Descriptor {
    /// The value of `operation.type`, such as `createRecord`.
    pub name: &'static str,
    /// Where it stands in lists.
    pub area: Area,
    /// The entry in the list of operations.
    pub label: &'static str,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// Further words that a modeler may search for.
    pub keywords: &'static [&'static str],
    /// Whether it may be repeated.
    pub class: CallClass,
    /// A field that makes it safer, and the class of a task that fills it.
    pub class_with: Option<(&'static str, CallClass)>,
    /// The calls that it makes, as a sentence: each counts against the org's limit.
    pub calls: &'static str,
    /// What `body` of the response holds, as a sentence.
    pub body: &'static str,
    /// What `resultContent` may be, the default first.
    pub contents: &'static [ResultContent],
    /// Its fields, in the order in which they are shown.
    pub inputs: &'static [Input],
    /// What expressions can do with its answer.
    pub examples: Examples,
}

/// The part of Salesforce's work that an operation belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Area {
    /// One record by its id or external id.
    Records,
    /// SOQL and SOSL.
    Query,
    /// Several records or requests in one call.
    ManyRecords,
    /// Jobs of Bulk API 2.0.
    Bulk,
    /// Files and documents.
    Files,
    /// Code and processes in the org: Apex, flows, approvals, events.
    Automation,
    /// What is known about the org, and everything else.
    Other,
}

impl Area {
    /// Every area, in the order in which the modeler sees them.
    pub const ALL: [Self; 7] = [
        Self::Records,
        Self::Query,
        Self::ManyRecords,
        Self::Bulk,
        Self::Files,
        Self::Automation,
        Self::Other,
    ];

    /// The heading over its operations.
    pub fn label(self) -> &'static str {
        match self {
            Self::Records => "Records",
            Self::Query => "Query",
            Self::ManyRecords => "Many records",
            Self::Bulk => "Bulk",
            Self::Files => "Files",
            Self::Automation => "Automation",
            Self::Other => "Other",
        }
    }
}

/// A sample answer of an operation, and expressions for it.
#[derive(Debug)]
pub struct Examples {
    /// The status of the answer, and its body as JSON.
    pub answer: (u16, &'static str),
    /// The errors of a refusal, as Salesforce sends them: its status, and its body as JSON.
    pub refusal: (u16, &'static str),
    /// A result expression.
    pub result: &'static str,
    /// An error expression that decides about the refusal.
    pub error: &'static str,
}

/// One field of an operation.
#[derive(Debug)]
pub struct Input {
    /// The field's name in `salesforceRequest.operation`.
    pub name: &'static str,
    /// Its label in the properties panel.
    pub label: &'static str,
    /// What may be entered.
    pub kind: InputKind,
    /// Whether it must be filled.
    pub required: bool,
    /// Help, shown at the label: what it is, with an example.
    pub tooltip: &'static str,
    /// Shown in the empty field.
    pub placeholder: &'static str,
}

/// What may be entered in a field.
#[derive(Debug)]
pub enum InputKind {
    /// One line of text, or FEEL.
    Text {
        /// A regular expression and what to say when the text does not match; expressions always match.
        pattern: Option<(&'static str, &'static str)>,
    },
    /// Several lines of text, or FEEL.
    LongText,
    /// A FEEL context.
    Context,
    /// The entries of a context, each an input of its own, which only templates made from an org have.
    Fields {
        /// The context that takes what has no input of its own; with fields it need not be filled.
        beside: &'static str,
    },
    /// A FEEL list.
    List,
    /// Any FEEL value.
    Value,
    /// One of several words.
    Choice {
        /// Each word with its entry in the list, the default first.
        choices: &'static [(&'static str, &'static str)],
    },
    /// A check box, or FEEL.
    Boolean {
        /// Its state at first.
        default: bool,
    },
    /// A whole number, or FEEL.
    Integer {
        /// The smallest number that is accepted.
        min: u32,
    },
    /// A field that is there only where another one has a certain value; must it be filled, then only there.
    Dependent {
        /// The other field, which is a choice, and its value.
        on: (&'static str, &'static str),
        /// What may be entered.
        kind: &'static InputKind,
    },
}

/// What `resultVariable` holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultContent {
    /// `{status, reason, headers, body}`.
    Response,
    /// The body alone.
    Body,
    /// The list of records of a query.
    Records,
    /// The first record of a query, or null.
    FirstRecord,
    /// The id of the record.
    Id,
}

impl ResultContent {
    /// Every content.
    pub const ALL: [Self; 5] = [Self::Response, Self::Body, Self::Records, Self::FirstRecord, Self::Id];

    /// The content of this name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|content| content.name() == name)
    }

    /// Its name in the header `resultContent`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Response => "response",
            Self::Body => "body",
            Self::Records => "records",
            Self::FirstRecord => "firstRecord",
            Self::Id => "id",
        }
    }
}

impl InputKind {
    /// What is expected, for messages.
    pub fn expected(&self) -> &'static str {
        match self {
            Self::Text { .. } | Self::LongText => "a string",
            Self::Context | Self::Fields { .. } => "an object of names and values",
            Self::List => "a list",
            Self::Value => "a value",
            Self::Choice { .. } => "one of its choices",
            Self::Boolean { .. } => "true or false",
            Self::Integer { .. } => "a whole number",
            Self::Dependent { kind, .. } => kind.expected(),
        }
    }

    /// What may be entered, wherever the field is there.
    pub fn plain(&self) -> &Self {
        match self {
            Self::Dependent { kind, .. } => kind.plain(),
            plain => plain,
        }
    }

    /// Whether the template for every object shows it.
    pub fn is_general(&self) -> bool {
        !matches!(self, Self::Fields { .. })
    }

    /// The field that decides whether this one is there, and the value for which it is.
    pub fn depends_on(&self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Dependent { on, .. } => Some(*on),
            _ => None,
        }
    }
}
