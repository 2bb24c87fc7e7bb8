//! The description of the API: OpenAPI 3.1, made from the table of operations.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::input::Takes;
use super::operation::Operation;
use super::refusal::status;
use crate::api::ErrorAnswer;

/// Something that a request says beside its body.
#[derive(Debug)]
pub(super) struct Parameter {
    pub(super) place: Place,
    /// None for the one that the path of the operation names.
    pub(super) name: Option<String>,
    pub(super) description: String,
    pub(super) required: bool,
    pub(super) schema: Schema,
}

/// Where it says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Path,
    Query,
    Header,
}

const ABOUT: &str = "The control API of the `worker` daemon: HTTP/1.1 over a unix socket. \
    A client that sends its version in the header `worker-version` is refused by a daemon of \
    another one.";

/// The whole document.
pub(super) fn describe(operations: &[Operation]) -> Value {
    let mut schemas = SchemaSettings::draft2020_12()
        .with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        })
        .into_generator();
    let mut paths = Map::new();
    for operation in operations {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method.name()] = describe_one(operation, &mut schemas);
    }
    let components = schemas.take_definitions(true);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "worker",
            "description": ABOUT,
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "MIT", "identifier": "MIT" },
        },
        "servers": [{ "url": "http://localhost" }],
        "paths": paths,
        "components": { "schemas": components },
    })
}

fn describe_one(operation: &Operation, schemas: &mut SchemaGenerator) -> Value {
    let mut takes = Takes::default();
    (operation.takes)(&mut takes, schemas);
    let mut described = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "parameters": parameters(operation, takes.parameters),
        "responses": responses(operation, takes.body.is_some(), schemas),
    });
    if let Some(body) = takes.body {
        described["requestBody"] = json!({
            "description": "None at all is one without fields.",
            "content": { "application/json": { "schema": body } },
        });
    }
    described
}

fn parameters(operation: &Operation, parameters: Vec<Parameter>) -> Vec<Value> {
    let in_path = operation.path.split(['{', '}']).nth(1).unwrap_or_default();
    let described = parameters.into_iter().map(|it| {
        json!({
            "in": it.place.name(),
            "name": it.name.as_deref().unwrap_or(in_path),
            "description": it.description,
            "required": it.required,
            "schema": it.schema,
        })
    });
    described.collect()
}

fn responses(operation: &Operation, has_body: bool, schemas: &mut SchemaGenerator) -> Value {
    let (media_type, schema) = (operation.gives)(schemas);
    let schema = schema.map_or_else(|| json!({ "type": "string" }), |schema| json!(schema));
    let mut responses = json!({
        "200": { "description": "Done", "content": { media_type: { "schema": schema } } },
    });
    let error = json!(schemas.subschema_for::<ErrorAnswer>());
    for (status, codes) in refusals(operation, has_body) {
        responses[status.as_str()] = json!({
            "description": codes.join(", "),
            "content": { "application/json": { "schema": error } },
        });
    }
    responses
}

/// The statuses of refusals, each with the codes that come with it.
fn refusals(operation: &Operation, has_body: bool) -> BTreeMap<StatusCode, Vec<&'static str>> {
    let of_bodies = [StatusCode::REQUEST_TIMEOUT, StatusCode::PAYLOAD_TOO_LARGE];
    let unmeant = of_bodies.into_iter().filter(|_| has_body).chain([StatusCode::BAD_REQUEST]);
    let mut refusals: BTreeMap<_, _> = unmeant.map(|status| (status, vec!["usage"])).collect();
    let always = [crate::error::Code::OtherVersion, crate::error::Code::Failed];
    for code in operation.failures.iter().chain(&always) {
        refusals.entry(status(*code)).or_default().push(code.name());
    }
    refusals
}

impl Parameter {
    /// One for each field of a type.
    pub(super) fn all_of<T: JsonSchema>(place: Place) -> Vec<Self> {
        let schema = SchemaSettings::draft2020_12()
            .with(|settings| settings.inline_subschemas = true)
            .into_generator()
            .into_root_schema_for::<T>();
        let required = schema.get("required").and_then(Value::as_array).cloned();
        let required = required.unwrap_or_default();
        let fields = schema.get("properties").and_then(Value::as_object).cloned();
        let parameter = |(name, mut schema): (String, Value)| {
            let description = schema.as_object_mut().and_then(|it| it.remove("description"));
            Self {
                place,
                description: description.as_ref().and_then(Value::as_str).unwrap_or("").to_owned(),
                required: required.iter().any(|it| *it == name),
                name: Some(name),
                schema: schema.try_into().unwrap_or_default(),
            }
        };
        fields.unwrap_or_default().into_iter().map(parameter).collect()
    }
}

impl Place {
    fn name(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
        }
    }
}
