//! The objects and fields of the org.
//!
//! `fixtures/schema.json` holds the standard ones in the same form that a seed uses for custom ones. Names,
//! types, lengths and relationships are those of real describe documents.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

/// Salesforce's field types that the org knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum FieldType {
    Id,
    String,
    Textarea,
    Picklist,
    Multipicklist,
    Combobox,
    Boolean,
    Int,
    Double,
    Currency,
    Percent,
    Date,
    Datetime,
    Email,
    Phone,
    Url,
    Reference,
    Address,
    Base64,
}

impl FieldType {
    /// The type's name in a describe document.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::String => "string",
            Self::Textarea => "textarea",
            Self::Picklist => "picklist",
            Self::Multipicklist => "multipicklist",
            Self::Combobox => "combobox",
            Self::Boolean => "boolean",
            Self::Int => "int",
            Self::Double => "double",
            Self::Currency => "currency",
            Self::Percent => "percent",
            Self::Date => "date",
            Self::Datetime => "datetime",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Url => "url",
            Self::Reference => "reference",
            Self::Address => "address",
            Self::Base64 => "base64",
        }
    }

    /// Whether values are JSON numbers.
    pub(crate) fn is_number(self) -> bool {
        matches!(self, Self::Int | Self::Double | Self::Currency | Self::Percent)
    }

    /// Whether values are ids.
    pub(crate) fn is_id(self) -> bool {
        matches!(self, Self::Id | Self::Reference)
    }
}

/// One field, in the words of a describe document.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "a describe document says these things as flags")]
#[expect(clippy::struct_field_names, reason = "nameField is the word of the describe document")]
pub(crate) struct Field {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) label: String,
    #[serde(rename = "type")]
    pub(crate) kind: FieldType,
    #[serde(default)]
    pub(crate) length: usize,
    #[serde(default)]
    pub(crate) precision: usize,
    #[serde(default)]
    pub(crate) scale: usize,
    #[serde(default = "yes")]
    pub(crate) nillable: bool,
    #[serde(default = "yes")]
    pub(crate) createable: bool,
    #[serde(default = "yes")]
    pub(crate) updateable: bool,
    #[serde(default = "yes")]
    pub(crate) filterable: bool,
    #[serde(default)]
    pub(crate) defaulted_on_create: bool,
    #[serde(default)]
    pub(crate) default: Value,
    #[serde(default)]
    pub(crate) external_id: bool,
    #[serde(default)]
    pub(crate) unique: bool,
    #[serde(default)]
    pub(crate) case_sensitive: bool,
    #[serde(default)]
    pub(crate) id_lookup: bool,
    #[serde(default)]
    pub(crate) name_field: bool,
    #[serde(default)]
    pub(crate) reference_to: Vec<String>,
    pub(crate) relationship_name: Option<String>,
    /// The name under which the referenced object lists the records that point to it.
    pub(crate) child_relationship_name: Option<String>,
    /// Children go with their parent when it is deleted.
    #[serde(default)]
    pub(crate) cascade_delete: bool,
    /// A parent that still has such children cannot be deleted.
    #[serde(default)]
    pub(crate) restricted_delete: bool,
    #[serde(default)]
    pub(crate) picklist_values: Vec<String>,
    #[serde(default)]
    pub(crate) restricted_picklist: bool,
    /// A display format such as `{00000000}` or `INV-{0000}`; the org fills the field.
    pub(crate) auto_number: Option<String>,
    pub(crate) compound_field_name: Option<String>,
}

fn yes() -> bool {
    true
}

impl Field {
    /// Whether a create without it is refused.
    pub(crate) fn is_required(&self) -> bool {
        !self.nillable && self.createable && !self.defaulted_on_create && self.auto_number.is_none()
    }

    /// Whether the store keeps an index of it.
    pub(crate) fn is_indexed(&self) -> bool {
        let audit = matches!(self.name.as_str(), "CreatedById" | "LastModifiedById");
        self.unique || self.external_id || self.id_lookup || (self.kind == FieldType::Reference && !audit)
    }

    /// Whether a record may be addressed by it: `/sobjects/X/<field>/<value>`.
    pub(crate) fn is_external_key(&self) -> bool {
        self.external_id || self.id_lookup || self.kind == FieldType::Id
    }

    /// Whether it was added to the org, rather than delivered with it.
    pub(crate) fn is_custom(&self) -> bool {
        self.name.ends_with("__c")
    }
}

/// One object (Salesforce: sObject).
#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) label_plural: String,
    pub(crate) key_prefix: String,
    pub(crate) createable: bool,
    pub(crate) updateable: bool,
    pub(crate) deletable: bool,
    pub(crate) fields: Vec<Field>,
    by_name: HashMap<String, usize>,
}

impl Object {
    /// An object without fields.
    pub(crate) fn new(header: ObjectHeader) -> Self {
        let label = header.label.unwrap_or_else(|| header.name.trim_end_matches("__c").replace('_', " "));
        Self {
            label_plural: header.label_plural.unwrap_or_else(|| format!("{label}s")),
            label,
            name: header.name,
            key_prefix: header.key_prefix,
            createable: header.createable,
            updateable: header.updateable,
            deletable: header.deletable,
            fields: Vec::new(),
            by_name: HashMap::new(),
        }
    }

    /// Adds a field, or puts it in the place of one with the same name.
    pub(crate) fn add(&mut self, mut field: Field) {
        if field.label.is_empty() {
            field.label = field.name.trim_end_matches("__c").replace('_', " ");
        }
        let key = field.name.to_ascii_lowercase();
        if let Some(index) = self.by_name.get(&key) {
            self.fields[*index] = field;
        } else {
            self.by_name.insert(key, self.fields.len());
            self.fields.push(field);
        }
    }

    /// Whether searches look into its records.
    pub(crate) fn is_searchable(&self) -> bool {
        !matches!(self.name.as_str(), "Group" | "Organization")
    }

    /// The position of a field; names ignore case.
    pub(crate) fn index_of(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).or_else(|| self.by_name.get(&name.to_ascii_lowercase())).copied()
    }

    /// A field by name; names ignore case.
    pub(crate) fn field(&self, name: &str) -> Option<&Field> {
        self.index_of(name).map(|index| &self.fields[index])
    }

    /// The reference field behind a parent relationship such as `Owner` or `Invoice__r`.
    pub(crate) fn parent_relationship(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| {
            field.relationship_name.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(name))
        })
    }
}

/// What an object is called; its fields come apart.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ObjectHeader {
    pub(crate) name: String,
    pub(crate) label: Option<String>,
    pub(crate) label_plural: Option<String>,
    pub(crate) key_prefix: String,
    #[serde(default = "yes")]
    pub(crate) createable: bool,
    #[serde(default = "yes")]
    pub(crate) updateable: bool,
    #[serde(default = "yes")]
    pub(crate) deletable: bool,
}

/// A relationship seen from the parent: which field of which object points here.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ChildRelationship<'schema> {
    pub(crate) object: usize,
    pub(crate) field: usize,
    pub(crate) name: Option<&'schema str>,
}

/// All objects of the org.
#[derive(Debug, Clone, Default)]
pub(crate) struct Schema {
    pub(crate) objects: Vec<Object>,
    by_name: HashMap<String, usize>,
    by_prefix: HashMap<String, usize>,
}

impl Schema {
    /// Adds an object; the last one of a name wins.
    pub(crate) fn add(&mut self, object: Object) {
        let index = self.objects.len();
        self.by_name.insert(object.name.to_ascii_lowercase(), index);
        self.by_prefix.insert(object.key_prefix.clone(), index);
        self.objects.push(object);
    }

    /// The position of an object; names ignore case.
    pub(crate) fn index_of(&self, name: &str) -> Option<usize> {
        self.by_name.get(&name.to_ascii_lowercase()).copied()
    }

    /// The object whose ids begin as this one does.
    pub(crate) fn object_of_id(&self, id: &str) -> Option<usize> {
        self.by_prefix.get(id.get(..3)?).copied()
    }

    /// The objects that `field` may point to, as far as the org has them.
    pub(crate) fn targets<'a>(&'a self, field: &'a Field) -> impl Iterator<Item = usize> + 'a {
        field.reference_to.iter().filter_map(|name| self.index_of(name))
    }

    /// All fields that point to `parent`.
    pub(crate) fn children(&self, parent: usize) -> impl Iterator<Item = ChildRelationship<'_>> {
        let name = &self.objects[parent].name;
        self.objects.iter().enumerate().flat_map(move |(object, child)| {
            child.fields.iter().enumerate().filter_map(move |(index, field)| {
                let points_here = field.reference_to.iter().any(|target| target.eq_ignore_ascii_case(name));
                let name = field.child_relationship_name.as_deref();
                points_here.then_some(ChildRelationship { object, field: index, name })
            })
        })
    }

    /// The child relationship called `name`, such as `Contacts` or `Invoices__r`.
    pub(crate) fn child_relationship(&self, parent: usize, name: &str) -> Option<ChildRelationship<'_>> {
        self.children(parent).find(|child| child.name.is_some_and(|own| own.eq_ignore_ascii_case(name)))
    }
}
