//! What a handler answers, and how the description of the API tells of it.

use std::convert::Infallible;
use std::io;

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::Stream;
use futures_util::stream::StreamExt;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;

/// An answer that says yes.
pub(super) trait Output: IntoResponse + Send + 'static {
    /// Its media type, and its schema if it is JSON.
    fn describe(schemas: &mut SchemaGenerator) -> (&'static str, Option<Schema>);
}

/// A value.
#[derive(Debug)]
pub(super) struct Json<T>(pub(super) T);

/// Any JSON.
#[derive(Debug)]
pub(super) struct AnyJson(pub(super) serde_json::Value);

/// The measurements, as Prometheus reads them.
#[derive(Debug)]
pub(super) struct Metrics(pub(super) String);

/// Server-sent events.
#[derive(Debug)]
pub(super) struct EventStream(Body);

/// Lines of JSON that come one by one.
#[derive(Debug)]
pub(super) struct JsonLines(Body);

const JSON: &str = "application/json";
const EVENTS: &str = "text/event-stream";
const JSON_LINES: &str = "application/jsonl";
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

impl EventStream {
    pub(super) fn of(chunks: impl Stream<Item = String> + Send + 'static) -> Self {
        Self(Body::from_stream(chunks.map(Ok::<_, Infallible>)))
    }
}

impl JsonLines {
    /// An error cuts the answer off, so that nobody takes it for whole.
    pub(super) fn of(chunks: impl Stream<Item = io::Result<String>> + Send + 'static) -> Self {
        Self(Body::from_stream(chunks))
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        let body = serde_json::to_string(&self.0).unwrap_or_default();
        ([(CONTENT_TYPE, JSON)], body).into_response()
    }
}

impl<T: Serialize + JsonSchema + Send + 'static> Output for Json<T> {
    fn describe(schemas: &mut SchemaGenerator) -> (&'static str, Option<Schema>) {
        (JSON, Some(schemas.subschema_for::<T>()))
    }
}

impl IntoResponse for AnyJson {
    fn into_response(self) -> Response {
        Json(self.0).into_response()
    }
}

impl Output for AnyJson {
    fn describe(_: &mut SchemaGenerator) -> (&'static str, Option<Schema>) {
        (JSON, Some(schemars::json_schema!({ "type": "object" })))
    }
}

impl IntoResponse for Metrics {
    fn into_response(self) -> Response {
        ([(CONTENT_TYPE, PROMETHEUS)], self.0).into_response()
    }
}

impl Output for Metrics {
    fn describe(_: &mut SchemaGenerator) -> (&'static str, Option<Schema>) {
        (PROMETHEUS, None)
    }
}

impl IntoResponse for EventStream {
    fn into_response(self) -> Response {
        ([(CONTENT_TYPE, EVENTS), (CACHE_CONTROL, "no-cache")], self.0).into_response()
    }
}

impl Output for EventStream {
    fn describe(_: &mut SchemaGenerator) -> (&'static str, Option<Schema>) {
        (EVENTS, None)
    }
}

impl IntoResponse for JsonLines {
    fn into_response(self) -> Response {
        ([(CONTENT_TYPE, JSON_LINES)], self.0).into_response()
    }
}

impl Output for JsonLines {
    fn describe(_: &mut SchemaGenerator) -> (&'static str, Option<Schema>) {
        (JSON_LINES, None)
    }
}
