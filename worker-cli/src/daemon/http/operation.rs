//! One operation of the API: its route, its handler and its description, which come from the same
//! types.

use axum::Router;
use axum::extract::{Request, State};
use axum::response::IntoResponse;
use axum::routing::{MethodFilter, on};
use schemars::{Schema, SchemaGenerator};

use super::context::Context;
use super::input::{Asked, Input, Takes};
use super::output::Output;
use super::refusal::Refusal;
use crate::error::{Code, Failure};

/// What can be asked for.
pub(super) struct Operation {
    pub(super) method: Method,
    /// With its parameters in braces.
    pub(super) path: &'static str,
    /// For generated clients.
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    /// How it fails, apart from requests that cannot be meant.
    pub(super) failures: &'static [Code],
    pub(super) takes: fn(&mut Takes, &mut SchemaGenerator),
    pub(super) gives: fn(&mut SchemaGenerator) -> (&'static str, Option<Schema>),
    route: Box<dyn FnOnce(Router<Context>) -> Router<Context>>,
}

/// Those that are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Post,
}

impl Operation {
    /// An operation that `act` carries out. It does so to the end, also if the client goes away.
    pub(super) fn new<I, O, F, Acting>(
        method: Method,
        path: &'static str,
        id: &'static str,
        summary: &'static str,
        act: F,
    ) -> Self
    where
        I: Input,
        O: Output,
        F: Fn(Context, I) -> Acting + Clone + Send + Sync + 'static,
        Acting: Future<Output = Result<O, Failure>> + Send + 'static,
    {
        let handler = move |State(context): State<Context>, request: Request| async move {
            let input = I::take(&mut Asked::new(request, context.limits)).await?;
            let acting = tokio::spawn(act(context, input));
            acting.await.map_err(|_| Refusal::broken())?.map_err(Refusal::from)
        };
        let handler = move |state, request| {
            let answering = handler.clone()(state, request);
            async move {
                answering.await.map_or_else(Refusal::into_response, |it: O| it.into_response())
            }
        };
        let route = move |router: Router<Context>| router.route(path, on(method.filter(), handler));
        let (takes, gives) = (I::describe, O::describe);
        Self { method, path, id, summary, failures: &[], takes, gives, route: Box::new(route) }
    }

    /// The same with the ways in which it fails.
    pub(super) fn fails(self, failures: &'static [Code]) -> Self {
        Self { failures, ..self }
    }

    /// Adds it to a router.
    pub(super) fn route(self, router: Router<Context>) -> Router<Context> {
        (self.route)(router)
    }
}

impl Method {
    fn filter(self) -> MethodFilter {
        match self {
            Self::Get => MethodFilter::GET,
            Self::Post => MethodFilter::POST,
        }
    }

    /// As a description of an API writes it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Post => "post",
        }
    }
}
