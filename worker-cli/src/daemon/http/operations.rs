//! The table of all operations: the router and the description of the API both come from it.

use super::context::Context;
use super::events::stream_events;
use super::input::{Body, Name, Query};
use super::logs::stream_logs;
use super::metrics::metrics;
use super::openapi;
use super::operation::Method::{Get, Post};
use super::operation::Operation;
use super::output::{AnyJson, Json, Metrics};
use crate::api::{
    Down, Env, Health, OneSlot, Ports, SlotStatus, Slots, SlotsQuery, StartRequest, StopRequest,
    Up, UpRequest, VERSION, Why,
};
use crate::error::{Code, Failure};
use crate::slot_name::project_of;

/// How a start fails.
const START: &[Code] = &[
    Code::NoSuchSlot,
    Code::BadConfig,
    Code::SpawnFailed,
    Code::StartFailed,
    Code::Parked,
    Code::Cancelled,
    Code::ShuttingDown,
    Code::TimedOut,
];

/// All of them. No path and method stand there twice.
pub(super) fn operations() -> Vec<Operation> {
    [about_slots(), about_projects(), about_the_daemon()].into_iter().flatten().collect()
}

fn about_slots() -> Vec<Operation> {
    let no_slot = &[Code::NoSuchSlot];
    vec![
        Operation::new(Get, "/v1/slots", "listSlots", "All slots, by name", slots),
        Operation::new(Get, "/v1/slots/{slot}", "getSlot", "One slot", slot).fails(no_slot),
        Operation::new(
            Post,
            "/v1/slots/{slot}/start",
            "startSlot",
            "Start a slot; answers when it is ready",
            start,
        )
        .fails(START),
        Operation::new(
            Post,
            "/v1/slots/{slot}/stop",
            "stopSlot",
            "Stop a slot; answers when its tree is gone",
            stop,
        )
        .fails(&[Code::NoSuchSlot, Code::Unkillable]),
        Operation::new(
            Post,
            "/v1/slots/{slot}/restart",
            "restartSlot",
            "Stop a slot, then start it with an empty streak",
            restart,
        )
        .fails(START),
        Operation::new(Post, "/v1/slots/{slot}/reset", "resetSlot", "Re-arm a parked slot", reset)
            .fails(&[Code::NoSuchSlot, Code::NotParked]),
        Operation::new(Post, "/v1/slots/{slot}/touch", "touchSlot", "Mark a slot as used", touch)
            .fails(&[Code::NoSuchSlot, Code::NotRunning]),
        Operation::new(
            Get,
            "/v1/slots/{slot}/logs",
            "slotLogs",
            "The output of a slot, as JSON Lines",
            stream_logs,
        )
        .fails(no_slot),
        Operation::new(
            Get,
            "/v1/slots/{slot}/why",
            "whySlot",
            "Why the latest runs of a slot ended",
            why,
        )
        .fails(no_slot),
        Operation::new(
            Get,
            "/v1/slots/{slot}/env",
            "slotEnv",
            "The exact environment of a slot's run",
            env,
        )
        .fails(no_slot),
    ]
}

fn about_projects() -> Vec<Operation> {
    vec![
        Operation::new(
            Post,
            "/v1/projects/{project}/up",
            "up",
            "Apply a configuration and start its eager slots; answers when they are ready",
            up,
        )
        .fails(&[Code::BadConfig, Code::NoSuchSlot, Code::ShuttingDown]),
        Operation::new(
            Post,
            "/v1/projects/{project}/down",
            "down",
            "Stop all slots of a project; answers when their trees are gone",
            down,
        )
        .fails(&[Code::NoSuchSlot, Code::Unkillable]),
    ]
}

fn about_the_daemon() -> Vec<Operation> {
    vec![
        Operation::new(
            Post,
            "/v1/shutdown",
            "shutdown",
            "Stop all slots and end the daemon",
            shutdown,
        ),
        Operation::new(Get, "/v1/ports", "listPorts", "Which port is kept for which slot", ports),
        Operation::new(
            Get,
            "/v1/events",
            "streamEvents",
            "What happens: server-sent events, each with a line of JSON as its data",
            stream_events,
        ),
        Operation::new(Get, "/v1/openapi.json", "openapi", "This description", description),
        Operation::new(Get, "/healthz", "health", "How the daemon itself is", health),
        Operation::new(Get, "/metrics", "metrics", "Measurements, as Prometheus reads them", gauge),
    ]
}

async fn slots(
    context: Context,
    Query(SlotsQuery { project }): Query<SlotsQuery>,
) -> Result<Json<Slots>, Failure> {
    let mut slots = context.daemon.slots().await;
    if let Some(project) = project {
        slots.slots.retain(|status| project_of(&status.slot) == project);
    }
    Ok(Json(slots))
}

async fn slot(context: Context, Name(name): Name) -> Result<Json<OneSlot>, Failure> {
    one(context.daemon.slot(&name).await)
}

async fn start(
    context: Context,
    (Name(name), Body(request)): (Name, Body<StartRequest>),
) -> Result<Json<OneSlot>, Failure> {
    one(context.daemon.start(&name, request).await)
}

async fn stop(
    context: Context,
    (Name(name), Body(request)): (Name, Body<StopRequest>),
) -> Result<Json<OneSlot>, Failure> {
    one(context.daemon.stop(&name, request).await)
}

async fn restart(
    context: Context,
    (Name(name), Body(request)): (Name, Body<StartRequest>),
) -> Result<Json<OneSlot>, Failure> {
    one(context.daemon.restart(&name, request).await)
}

async fn reset(context: Context, Name(name): Name) -> Result<Json<OneSlot>, Failure> {
    one(context.daemon.reset(&name).await)
}

async fn touch(context: Context, Name(name): Name) -> Result<Json<OneSlot>, Failure> {
    one(context.daemon.touch(&name).await)
}

async fn why(context: Context, Name(name): Name) -> Result<Json<Why>, Failure> {
    context.daemon.why(&name).await.map(Json)
}

async fn env(context: Context, Name(name): Name) -> Result<Json<Env>, Failure> {
    context.daemon.env(&name).await.map(Json)
}

async fn up(
    context: Context,
    (Name(project), Body(request)): (Name, Body<UpRequest>),
) -> Result<Json<Up>, Failure> {
    context.daemon.up(&project, request).await.map(Json)
}

async fn down(
    context: Context,
    (Name(project), Body(request)): (Name, Body<StopRequest>),
) -> Result<Json<Down>, Failure> {
    context.daemon.down(&project, request).await.map(Json)
}

/// Who has the answer can be sure that the next client does not meet this daemon any more.
async fn shutdown(context: Context, (): ()) -> Result<Json<Down>, Failure> {
    let down = context.daemon.shutdown().await;
    context.closing.ask();
    context.closing.deaf().await;
    Ok(Json(down))
}

async fn ports(context: Context, (): ()) -> Result<Json<Ports>, Failure> {
    Ok(Json(context.daemon.ports().await))
}

async fn description(_: Context, (): ()) -> Result<AnyJson, Failure> {
    Ok(AnyJson(openapi::describe(&operations())))
}

async fn health(context: Context, (): ()) -> Result<Json<Health>, Failure> {
    Ok(Json(context.daemon.health()))
}

async fn gauge(context: Context, (): ()) -> Result<Metrics, Failure> {
    let slots = context.daemon.slots().await;
    Ok(Metrics(metrics(&slots.slots, context.since.elapsed())))
}

fn one(slot: Result<SlotStatus, Failure>) -> Result<Json<OneSlot>, Failure> {
    slot.map(|slot| Json(OneSlot { v: VERSION, slot }))
}
