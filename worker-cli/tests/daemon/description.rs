//! The description of the API, held against what the daemon does.

use std::collections::BTreeSet;

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::{Map, Value, json};

use crate::common::{Reply, Scene};

const URL: &str = "https://worker.invalid/openapi.json";

struct Description {
    document: Value,
    schemas: Schemas,
    compiler: Compiler,
}

/// One operation of the document.
struct Operation {
    path: String,
    method: String,
    value: Value,
}

impl Description {
    fn of(scene: &Scene) -> Self {
        let mut document = scene.get("/v1/openapi.json").json();
        close(&mut document["components"]["schemas"]);
        let mut compiler = Compiler::new();
        compiler.add_resource(URL, document.clone()).unwrap();
        Self { document, schemas: Schemas::new(), compiler }
    }

    fn operations(&self) -> Vec<Operation> {
        let paths = self.document["paths"].as_object().unwrap();
        let methods = paths.iter().flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap();
            methods.iter().map(move |(method, value)| Operation {
                path: path.clone(),
                method: method.clone(),
                value: value.clone(),
            })
        });
        methods.collect()
    }

    fn schema(&mut self, pointer: &str) -> SchemaIndex {
        let at = format!("{URL}#{pointer}");
        self.compiler.compile(&at, &mut self.schemas).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Checks an answer against what the document says of this status.
    fn check(&mut self, operation: &Operation, reply: &Reply) {
        let status = reply.status.to_string();
        let described = &operation.value["responses"][&status];
        let name = format!("{} {} -> {status}", operation.method, operation.path);
        assert!(described.is_object(), "{name} is not described: {reply:?}");
        let content = described["content"].as_object().unwrap();
        let media_type = content.keys().next().unwrap();
        assert_eq!(reply.header("content-type"), Some(media_type.as_str()), "{name}");
        if media_type == "application/json" {
            let escaped = |text: &str| text.replace('~', "~0").replace('/', "~1");
            let path = escaped(&operation.path).replace('{', "%7B").replace('}', "%7D");
            let pointer = format!(
                "/paths/{path}/{}/responses/{status}/content/application~1json/schema",
                operation.method
            );
            let schema = self.schema(&pointer);
            let answer = reply.json();
            let valid = self.schemas.validate(&answer, schema);
            assert!(valid.is_ok(), "{name}: {}\n{reply:?}", valid.unwrap_err());
        }
    }
}

/// What is not described may not be there.
fn close(schemas: &mut Value) {
    for schema in schemas.as_object_mut().unwrap().values_mut().filter_map(Value::as_object_mut) {
        if schema.contains_key("properties") {
            schema.insert("additionalProperties".to_owned(), Value::Bool(false));
        }
    }
}

/// With everything that a request of it has to have.
fn call(scene: &Scene, operation: &Operation) -> Reply {
    let path = operation.path.replace("{slot}", "shop%2Fapi").replace("{project}", "shop");
    let path = if path == "/v1/events" { format!("{path}?follow=false") } else { path };
    let body = operation.value.get("requestBody").map_or(String::new(), |_| {
        let config = json!({ "config": scene.scratch().join("worker.toml") });
        if operation.path.ends_with("/up") { config } else { Value::Object(Map::new()) }.to_string()
    });
    scene.ask(&operation.method.to_uppercase(), &path, &[], body.as_bytes())
}

#[test]
fn every_operation_answers_as_it_is_described() {
    let scene = Scene::new();
    let daemon = scene.daemon();
    let mut description = Description::of(&scene);
    let mut operations = description.operations();
    assert!(operations.len() >= 18, "{}", operations.len());
    operations.sort_by_key(|operation| operation.path == "/v1/shutdown");
    for operation in &operations {
        let reply = call(&scene, operation);
        assert_ne!(reply.status, 405, "{}", operation.path);
        assert!(reply.status != 400, "{}: {reply:?}", operation.path);
        description.check(operation, &reply);
    }
    assert_eq!(daemon.finish().0, Some(0));
}

#[test]
fn every_operation_with_a_body_refuses_as_it_is_described() {
    let scene = Scene::new();
    let _daemon = scene.daemon();
    let mut description = Description::of(&scene);
    let with_body = |it: &Operation| it.value.get("requestBody").is_some();
    let operations: Vec<_> = description.operations().into_iter().filter(with_body).collect();
    assert!(!operations.is_empty());
    for operation in &operations {
        let path = operation.path.replace(['{', '}'], "");
        let method = operation.method.to_uppercase();
        let reply = scene.ask(&method, &path, &[], b"{\"unknown\":1}");
        reply.check_error(400, "usage", "unknown");
        description.check(operation, &reply);
    }
}

#[test]
fn the_document_is_whole() {
    let scene = Scene::new();
    let _daemon = scene.daemon();
    let mut description = Description::of(&scene);
    assert_eq!(description.document["openapi"], "3.1.0");
    let mut ids = BTreeSet::new();
    for operation in description.operations() {
        let named = operation.path.matches('{').count();
        let parameters = operation.value["parameters"].as_array().unwrap();
        let in_path: Vec<_> = parameters.iter().filter(|it| it["in"] == "path").collect();
        assert_eq!(in_path.len(), named, "{}", operation.path);
        for parameter in in_path {
            let name = parameter["name"].as_str().unwrap();
            assert!(operation.path.contains(&format!("{{{name}}}")), "{}", operation.path);
        }
        assert!(ids.insert(operation.value["operationId"].as_str().unwrap().to_owned()));
    }
    let names: Vec<String> = description.document["components"]["schemas"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    for name in names {
        description.schema(&format!("/components/schemas/{name}"));
    }
}
