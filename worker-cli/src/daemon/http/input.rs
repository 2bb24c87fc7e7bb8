//! What a handler is given of a request, and how the description of the API tells of it.

use axum::RequestPartsExt;
use axum::body::Body as RawBody;
use axum::extract::{Path, Query as AxumQuery, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::context::Limits;
use super::openapi::{Parameter, Place};
use super::refusal::Refusal;

/// A request that is being taken apart.
pub(super) struct Asked {
    parts: Parts,
    body: RawBody,
    limits: Limits,
}

/// What an operation takes.
#[derive(Debug, Default)]
pub(super) struct Takes {
    pub(super) parameters: Vec<Parameter>,
    pub(super) body: Option<Schema>,
}

/// A part of a request.
pub(super) trait Input: Sized + Send + 'static {
    /// Takes it out of the request.
    fn take(asked: &mut Asked) -> impl Future<Output = Result<Self, Refusal>> + Send;

    /// Tells of it.
    fn describe(takes: &mut Takes, schemas: &mut SchemaGenerator);
}

/// The name of a slot or a project in the path: one segment, percent-encoded.
#[derive(Debug)]
pub(super) struct Name(pub(super) String);

/// What stands after the `?`.
#[derive(Debug)]
pub(super) struct Query<T>(pub(super) T);

/// The body: JSON. None at all is one without fields.
#[derive(Debug)]
pub(super) struct Body<T>(pub(super) T);

/// The event after which a stream of events is to go on.
#[derive(Debug)]
pub(super) struct LastEventId(pub(super) Option<u64>);

impl Asked {
    pub(super) fn new(request: Request, limits: Limits) -> Self {
        let (parts, body) = request.into_parts();
        Self { parts, body, limits }
    }

    async fn read_body(&mut self) -> Result<Vec<u8>, Refusal> {
        let body = Limited::new(std::mem::take(&mut self.body), self.limits.body_length);
        let collected = timeout(self.limits.body, body.collect()).await.map_err(|_| self.late())?;
        match collected {
            Ok(body) => Ok(body.to_bytes().into()),
            Err(error) if error.is::<LengthLimitError>() => Err(self.too_large()),
            Err(error) => Err(Refusal::bad_request(
                StatusCode::BAD_REQUEST,
                format!("the body cannot be read: {error}"),
            )),
        }
    }

    fn late(&self) -> Refusal {
        let message = format!("the body did not come within {:?}", self.limits.body);
        Refusal::bad_request(StatusCode::REQUEST_TIMEOUT, message)
    }

    fn too_large(&self) -> Refusal {
        let message = format!("the body is longer than {} bytes", self.limits.body_length);
        Refusal::bad_request(StatusCode::PAYLOAD_TOO_LARGE, message)
    }
}

impl Input for () {
    async fn take(_: &mut Asked) -> Result<Self, Refusal> {
        Ok(())
    }

    fn describe(_: &mut Takes, _: &mut SchemaGenerator) {}
}

impl<A: Input, B: Input> Input for (A, B) {
    async fn take(asked: &mut Asked) -> Result<Self, Refusal> {
        Ok((A::take(asked).await?, B::take(asked).await?))
    }

    fn describe(takes: &mut Takes, schemas: &mut SchemaGenerator) {
        A::describe(takes, schemas);
        B::describe(takes, schemas);
    }
}

impl Input for Name {
    async fn take(asked: &mut Asked) -> Result<Self, Refusal> {
        let name = asked.parts.extract::<Path<String>>().await;
        name.map(|Path(name)| Self(name))
            .map_err(|error| Refusal::bad_request(StatusCode::BAD_REQUEST, error.body_text()))
    }

    /// The path of the operation names it.
    fn describe(takes: &mut Takes, schemas: &mut SchemaGenerator) {
        takes.parameters.push(Parameter {
            place: Place::Path,
            name: None,
            description: "The name in full, percent-encoded: `shop%2Fapi`.".to_owned(),
            required: true,
            schema: schemas.subschema_for::<String>(),
        });
    }
}

impl<T: DeserializeOwned + JsonSchema + Send + 'static> Input for Query<T> {
    async fn take(asked: &mut Asked) -> Result<Self, Refusal> {
        let query = AxumQuery::<T>::try_from_uri(&asked.parts.uri);
        query
            .map(|AxumQuery(query)| Self(query))
            .map_err(|error| Refusal::bad_request(StatusCode::BAD_REQUEST, error.body_text()))
    }

    fn describe(takes: &mut Takes, _: &mut SchemaGenerator) {
        takes.parameters.extend(Parameter::all_of::<T>(Place::Query));
    }
}

impl<T: DeserializeOwned + JsonSchema + Send + 'static> Input for Body<T> {
    async fn take(asked: &mut Asked) -> Result<Self, Refusal> {
        let bytes = asked.read_body().await?;
        let bytes = if bytes.trim_ascii().is_empty() { b"{}".to_vec() } else { bytes };
        parse(&bytes).map(Self)
    }

    fn describe(takes: &mut Takes, schemas: &mut SchemaGenerator) {
        takes.body = Some(schemas.subschema_for::<T>());
    }
}

impl Input for LastEventId {
    async fn take(asked: &mut Asked) -> Result<Self, Refusal> {
        let Some(value) = asked.parts.headers.get("last-event-id") else { return Ok(Self(None)) };
        let seq = value.to_str().ok().and_then(|value| value.parse().ok());
        seq.map(|seq| Self(Some(seq))).ok_or_else(|| {
            let message = "Last-Event-ID is not the number of an event";
            Refusal::bad_request(StatusCode::BAD_REQUEST, message)
        })
    }

    fn describe(takes: &mut Takes, schemas: &mut SchemaGenerator) {
        takes.parameters.push(Parameter {
            place: Place::Header,
            name: Some("Last-Event-ID".to_owned()),
            description: "Go on after the event of this number; 0 is before all that are kept."
                .to_owned(),
            required: false,
            schema: schemas.subschema_for::<u64>(),
        });
    }
}

/// Says what is wrong, and where.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    let mut parser = serde_json::Deserializer::from_slice(bytes);
    let parsed = serde_path_to_error::deserialize(&mut parser);
    let value = parsed.map_err(|error| {
        let place = error.path().to_string();
        let place = if place == "." { String::new() } else { format!("{place}: ") };
        unfit(&format!("{place}{}", error.inner()))
    })?;
    parser.end().map_err(|error| unfit(&error.to_string()))?;
    Ok(value)
}

fn unfit(why: &str) -> Refusal {
    Refusal::bad_request(StatusCode::BAD_REQUEST, format!("the body does not fit: {why}"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::response::IntoResponse;
    use futures_util::stream;

    use super::*;
    use crate::api::{StartRequest, UpRequest};

    async fn refused<T>(body: RawBody, limits: Limits) -> (StatusCode, String)
    where
        Body<T>: Input,
    {
        let refusal = Body::<T>::take(&mut Asked::new(Request::new(body), limits)).await;
        let refusal = refusal.err().expect("it is refused").into_response();
        let status = refusal.status();
        let text = refusal.into_body().collect().await.unwrap().to_bytes().to_vec();
        (status, String::from_utf8(text).unwrap())
    }

    #[tokio::test]
    async fn a_body_that_does_not_come_is_not_waited_for() {
        let never = RawBody::from_stream(stream::pending::<Result<String, std::io::Error>>());
        let limits = Limits { body: Duration::from_millis(1), ..Limits::default() };
        let (status, text) = refused::<StartRequest>(never, limits).await;
        assert_eq!(status, StatusCode::REQUEST_TIMEOUT);
        assert!(text.contains("did not come within 1ms"), "{text}");
    }

    #[tokio::test]
    async fn a_body_of_any_length_takes_no_more_memory_than_it_may() {
        let endless = stream::repeat_with(|| Ok::<_, std::io::Error>(" ".repeat(1 << 16)));
        let (status, text) =
            refused::<StartRequest>(RawBody::from_stream(endless), Limits::default()).await;
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
        assert!(text.contains("longer than 4194304 bytes"), "{text}");
    }

    #[tokio::test]
    async fn a_body_that_does_not_fit_is_refused_with_the_place() {
        for (body, words) in [
            ("{", "EOF while parsing"),
            ("{\"config\":\"/w\"} {}", "trailing characters"),
            ("null", "invalid type: null"),
            ("{\"config\":\"/w\",\"nowait\":true}", "unknown field `nowait`"),
            ("{\"config\":\"/w\",\"env\":{\"A\":1}}", "env.A: invalid type: integer `1`"),
            ("", "missing field `config`"),
        ] {
            let (status, text) = refused::<UpRequest>(body.into(), Limits::default()).await;
            assert_eq!(status, StatusCode::BAD_REQUEST);
            assert!(text.contains(words), "{body}: {text}");
        }
    }

    #[tokio::test]
    async fn no_body_is_one_without_fields() {
        for body in ["", " \n", "{}"] {
            let asked = &mut Asked::new(Request::new(body.into()), Limits::default());
            let Body(request) = Body::<StartRequest>::take(asked).await.unwrap();
            assert_eq!(request, StartRequest::default());
        }
    }
}
