//! `GET /v1/slots/{slot}/logs`: JSON Lines.

use futures_util::stream;

use super::context::Context;
use super::input::{Name, Query};
use super::output::JsonLines;
use crate::api::LogsQuery;
use crate::error::Failure;

pub(super) async fn stream_logs(
    context: Context,
    (Name(name), Query(_)): (Name, Query<LogsQuery>),
) -> Result<JsonLines, Failure> {
    context.daemon.slot(&name).await?;
    Ok(JsonLines::of(stream::empty()))
}
