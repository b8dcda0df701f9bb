//! Descriptions of the org: resources, limits, objects, fields.

use serde_json::{Map, Value, json};

use super::about;
use super::recorded;
use super::request::ApiRequest;
use super::schema::{Field, FieldType, Object, Schema};
use super::server::Org;
use super::store::Store;

/// What the org has no notion of; a client may still look for it in a describe document.
const OBJECT_NULL: [&str; 10] = [
    "defaultImplementation",
    "extendedBy",
    "extendsInterfaces",
    "implementedBy",
    "implementsInterfaces",
    "listviewable",
    "lookupLayoutable",
    "networkScopeFieldName",
    "searchLayoutable",
    "sobjectDescribeOption",
];
const FIELD_FALSE: [&str; 12] = [
    "aiPredictionField",
    "calculated",
    "dependentPicklist",
    "deprecatedAndHidden",
    "displayLocationInDecimal",
    "encrypted",
    "formulaTreatNullNumberAsZero",
    "highScaleNumber",
    "htmlFormatted",
    "queryByDistance",
    "searchPrefilterable",
    "writeRequiresMasterRead",
];
const FIELD_NULL: [&str; 10] = [
    "calculatedFormula",
    "controllerName",
    "defaultValueFormula",
    "extraTypeInfo",
    "filteredLookupInfo",
    "inlineHelpText",
    "mask",
    "maskType",
    "referenceTargetField",
    "relationshipOrder",
];

/// The resources of a version.
pub(crate) fn resources(request: &ApiRequest) -> Value {
    [
        "analytics",
        "jobs",
        "limits",
        "parameterizedSearch",
        "query",
        "queryAll",
        "recent",
        "search",
        "sobjects",
        "support",
    ]
    .iter()
    .map(|name| ((*name).to_owned(), Value::String(request.url(name))))
    .collect()
}

/// The limits that concern what the org offers; a record takes 2 KB, as Salesforce counts it.
pub(crate) fn limits(store: &Store, (used, daily): (u64, u64)) -> Value {
    let records: usize = store.tables.iter().map(|table| table.live().count()).sum();
    let megabytes = u64::try_from(records).unwrap_or(u64::MAX).saturating_mul(2) / 1024;
    let limit = |max: u64, used: u64| json!({ "Max": max, "Remaining": max.saturating_sub(used) });
    json!({
        "DailyApiRequests": limit(daily, used),
        "DailyAsyncApexExecutions": limit(250_000, 0),
        "DailyBulkApiBatches": limit(15_000, 0),
        "DailyBulkV2QueryJobs": limit(10_000, 0),
        "DataStorageMB": limit(5, megabytes),
        "FileStorageMB": limit(20, 0),
    })
}

/// `GET /sobjects`: all objects, without their fields.
pub(crate) fn global(org: &Org, request: &ApiRequest) -> Value {
    let store = org.read();
    let schema = &store.schema;
    let mut objects: Vec<Value> =
        schema.objects.iter().map(|object| Value::Object(summary(object, request))).collect();
    objects.extend(
        recorded::summaries(org)
            .filter(|summary| summary["name"].as_str().is_some_and(|name| schema.index_of(name).is_none())),
    );
    json!({ "encoding": "UTF-8", "maxBatchSize": 200, "sobjects": objects })
}

/// `GET /sobjects/X`: the object in short, and which of its records were used lately.
pub(crate) fn basic(store: &Store, object: usize, request: &ApiRequest) -> Value {
    let recent = about::recent_items(store, request, Some(object));
    json!({ "objectDescribe": summary(store.object(object), request), "recentItems": recent })
}

fn summary(object: &Object, request: &ApiRequest) -> Map<String, Value> {
    let base = format!("sobjects/{}", object.name);
    let document = json!({
        "activateable": false,
        "associateEntityType": null,
        "associateParentEntity": null,
        "createable": object.createable,
        "custom": object.name.ends_with("__c"),
        "customSetting": false,
        "deepCloneable": false,
        "deletable": object.deletable,
        "deprecatedAndHidden": false,
        "feedEnabled": false,
        "hasSubtypes": false,
        "isInterface": false,
        "isSubtype": false,
        "keyPrefix": object.key_prefix,
        "label": object.label,
        "labelPlural": object.label_plural,
        "layoutable": true,
        "mergeable": false,
        "mruEnabled": false,
        "name": object.name,
        "queryable": true,
        "replicateable": true,
        "retrieveable": true,
        "searchable": object.is_searchable(),
        "triggerable": false,
        "undeletable": false,
        "updateable": object.updateable,
        "urls": {
            "describe": request.url(&format!("{base}/describe")),
            "rowTemplate": request.url(&format!("{base}/{{ID}}")),
            "sobject": request.url(&base),
        },
    });
    match document {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// `GET /sobjects/X/describe`.
pub(crate) fn object(schema: &Schema, index: usize, request: &ApiRequest) -> Value {
    let object = &schema.objects[index];
    let mut document = summary(object, request);
    let children: Vec<Value> = schema
        .children(index)
        .map(|child| {
            let field = &schema.objects[child.object].fields[child.field];
            json!({
                "cascadeDelete": field.cascade_delete,
                "childSObject": schema.objects[child.object].name,
                "deprecatedAndHidden": false,
                "field": field.name,
                "junctionIdListNames": [],
                "junctionReferenceTo": [],
                "relationshipName": child.name,
                "restrictedDelete": field.restricted_delete,
            })
        })
        .collect();
    let fields: Vec<Value> = object.fields.iter().map(field).collect();
    document.extend(OBJECT_NULL.map(|name| (name.to_owned(), Value::Null)));
    document.insert("actionOverrides".into(), json!([]));
    document.insert("compactLayoutable".into(), Value::Bool(false));
    document.insert("namedLayoutInfos".into(), json!([]));
    document.insert("childRelationships".into(), Value::Array(children));
    document.insert("fields".into(), Value::Array(fields));
    document.insert("recordTypeInfos".into(), json!([]));
    document.insert("supportedScopes".into(), json!([{ "label": "All records", "name": "everything" }]));
    Value::Object(document)
}

fn field(field: &Field) -> Value {
    let mut document = known(field);
    if let Value::Object(members) = &mut document {
        members.extend(FIELD_FALSE.map(|name| (name.to_owned(), Value::Bool(false))));
        members.extend(FIELD_NULL.map(|name| (name.to_owned(), Value::Null)));
    }
    document
}

fn picklist(field: &Field) -> Vec<Value> {
    let values = field.picklist_values.iter().map(|value| {
        let default = field.default.as_str() == Some(value);
        json!({ "active": true, "defaultValue": default, "label": value, "validFor": null, "value": value })
    });
    values.collect()
}

/// What the org knows of a field.
fn known(field: &Field) -> Value {
    let long_text = field.kind == FieldType::Textarea && field.length > 255;
    let comparable = !long_text && !matches!(field.kind, FieldType::Address | FieldType::Base64);
    json!({
        "aggregatable": comparable && field.kind != FieldType::Boolean,
        "autoNumber": field.auto_number.is_some(),
        "byteLength": if field.kind.is_id() { 18 } else { field.length * 3 },
        "caseSensitive": field.case_sensitive,
        "cascadeDelete": field.cascade_delete,
        "compoundFieldName": field.compound_field_name,
        "createable": field.createable,
        "custom": field.is_custom(),
        "defaultValue": if field.kind == FieldType::Boolean { field.default.clone() } else { Value::Null },
        "defaultedOnCreate": field.defaulted_on_create || field.kind == FieldType::Id,
        "digits": if field.kind == FieldType::Int { 9 } else { 0 },
        "externalId": field.external_id,
        "filterable": field.filterable && !long_text && field.kind != FieldType::Base64,
        "groupable": comparable && !matches!(field.kind, FieldType::Datetime | FieldType::Double | FieldType::Currency | FieldType::Percent),
        "idLookup": field.id_lookup,
        "label": field.label,
        "length": if field.kind.is_id() { 18 } else { field.length },
        "name": field.name,
        "nameField": field.name_field,
        "namePointing": field.reference_to.len() > 1,
        "nillable": field.nillable,
        "permissionable": field.nillable && field.createable,
        "picklistValues": picklist(field),
        "polymorphicForeignKey": field.reference_to.len() > 1,
        "precision": field.precision,
        "referenceTo": field.reference_to,
        "relationshipName": field.relationship_name,
        "restrictedDelete": field.restricted_delete,
        "restrictedPicklist": field.restricted_picklist,
        "scale": field.scale,
        "soapType": soap_type(field.kind),
        "sortable": comparable,
        "type": field.kind.name(),
        "unique": field.unique,
        "updateable": field.updateable,
    })
}

fn soap_type(kind: FieldType) -> &'static str {
    match kind {
        FieldType::Id | FieldType::Reference => "tns:ID",
        FieldType::Boolean => "xsd:boolean",
        FieldType::Int => "xsd:int",
        FieldType::Double | FieldType::Currency | FieldType::Percent => "xsd:double",
        FieldType::Date => "xsd:date",
        FieldType::Datetime => "xsd:dateTime",
        FieldType::Address => "urn:address",
        FieldType::Base64 => "xsd:base64Binary",
        _ => "xsd:string",
    }
}
