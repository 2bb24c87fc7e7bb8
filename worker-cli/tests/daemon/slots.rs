//! A project with real slots, by the API alone.

use std::fs;

use serde_json::{Value, json};
use worker_cli::api::{EventsQuery, LogsQuery, StartRequest, State, StopRequest, UpRequest};
use worker_cli::client::{Client, Lines, block_on};
use worker_cli::error::Failure;

use crate::common::Scene;

/// `shop` with this in its file.
fn up(scene: &Scene, text: &str) -> UpRequest {
    let config = scene.scratch().join("worker.toml");
    fs::write(&config, format!("project = \"shop\"\n{text}")).unwrap();
    let path = std::env::var("PATH").unwrap();
    let env = [("PATH".to_owned(), path)].into();
    UpRequest { config, env: Some(env), no_wait: false }
}

const SPEAKER: &str = r#"
[slots.api]
command = ["sh", "-c", "echo one; echo two >&2; exec sleep 1000"]
start = "eager"
"#;

async fn next(lines: &mut Lines) -> Result<Value, Failure> {
    Ok(serde_json::from_str(&lines.next().await?.expect("a line")).unwrap())
}

/// Waits for an event of this kind of this slot.
async fn await_event(client: &Client, slot: &str, kind: &str) -> Result<Value, Failure> {
    let query = EventsQuery { slot: Some(slot.to_owned()), ..EventsQuery::default() };
    let mut events = client.events(&query, Some(0)).await?;
    loop {
        let event = events.next().await?.expect("an event");
        let line: Value = serde_json::from_str(&event.line).unwrap();
        assert_eq!(line["seq"], event.seq);
        if line["event"] == kind {
            return Ok(line);
        }
    }
}

#[test]
fn a_slot_is_started_looked_at_and_stopped_by_the_client() {
    let scene = Scene::new();
    let _daemon = scene.daemon();
    let client = scene.client().without_start();
    let request = up(&scene, SPEAKER);
    let outcome: Result<(), Failure> = block_on(async {
        let up = client.up("shop", &request).await?;
        assert_eq!(up.slots[0].status.as_ref().unwrap().state, State::Running);
        let slots = client.slots(Some("shop")).await?.slots;
        assert_eq!((slots.len(), slots[0].slot.as_str()), (1, "shop/api"));
        assert!(client.slots(Some("sho")).await?.slots.is_empty());
        assert_eq!(client.env("shop/api").await?.env["WORKER_SLOT"], "shop/api");
        let metrics = client.metrics().await?;
        assert!(metrics.contains("worker_slots{state=\"running\"} 1\n"), "{metrics}");
        assert!(metrics.contains("worker_slot_up{slot=\"shop/api\"} 1\n"), "{metrics}");
        assert_eq!(await_event(&client, "shop/api", "ready").await?["slot"], "shop/api");
        let first = client.slot("shop/api").await?;
        let second = client.restart("shop/api", &StartRequest::default()).await?;
        assert_eq!((first.run, second.run), (1, 2));
        let stopped = client.stop("shop/api", StopRequest::default()).await?;
        assert_eq!((stopped.state, stopped.pid), (State::Stopped, None));
        assert_eq!(client.down("shop", StopRequest::default()).await?.stopped, [] as [&str; 0]);
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn output_is_read_by_line_and_followed_to_its_end() {
    let scene = Scene::new();
    let daemon = scene.daemon();
    let client = scene.client().without_start();
    let request = up(&scene, SPEAKER);
    let outcome: Result<(), Failure> = block_on(async {
        client.up("shop", &request).await?;
        let follow = LogsQuery { follow: true, ..LogsQuery::default() };
        let mut lines = client.logs("shop/api", &follow).await?;
        let mut said = [next(&mut lines).await?, next(&mut lines).await?];
        said.sort_by_key(|line| line["stream"].to_string());
        for (line, (text, stream)) in said.iter().zip([("two", "stderr"), ("one", "stdout")]) {
            assert_eq!((&line["line"], &line["stream"]), (&json!(text), &json!(stream)));
            assert_eq!((&line["slot"], &line["run"]), (&json!("shop/api"), &json!(1)));
        }
        let grep = LogsQuery { grep: Some("^tw".to_owned()), ..LogsQuery::default() };
        let mut found = client.logs("shop/api", &grep).await?;
        assert_eq!(next(&mut found).await?["line"], "two");
        assert_eq!(found.next().await?, None);
        let previous = LogsQuery { previous: true, ..LogsQuery::default() };
        assert_eq!(client.logs("shop/api", &previous).await?.next().await?, None);
        let bad = LogsQuery { since: Some("yesterday".to_owned()), ..LogsQuery::default() };
        let refused = client.logs("shop/api", &bad).await.unwrap_err();
        assert_eq!(refused.code, worker_cli::error::Code::Usage);
        client.shutdown().await?;
        assert_eq!(lines.next().await?, None, "it ends with the daemon");
        Ok(())
    });
    outcome.unwrap();
    assert_eq!(daemon.finish().0, Some(0));
}

#[test]
fn what_was_asked_for_goes_on_when_its_client_goes_away() {
    let scene = Scene::new();
    let _daemon = scene.daemon();
    let client = scene.client().without_start();
    let request = up(
        &scene,
        r#"
        [slots.db]
        command = ["sh", "-c", "until test -e gate; do sleep 0.01; done; echo open; exec sleep 1000"]
        ready = { log = "open" }
        [slots.web]
        command = ["sleep", "1000"]
        depends_on = ["db"]
        start = "eager"
        "#,
    );
    let outcome: Result<State, Failure> = block_on(async {
        let asking = tokio::spawn({
            let client = client.clone();
            async move { client.up("shop", &request).await.map(drop) }
        });
        await_event(&client, "shop/db", "spawned").await?;
        asking.abort();
        drop(asking.await);
        client.health().await?; // By then the daemon has seen the other one go.
        fs::write(scene.scratch().join("gate"), "").unwrap();
        await_event(&client, "shop/web", "ready").await?;
        client.slot("shop/web").await.map(|slot| slot.state)
    });
    assert_eq!(outcome, Ok(State::Running));
}

#[test]
fn what_is_wrong_with_a_configuration_is_told_with_the_place() {
    let scene = Scene::new();
    let _daemon = scene.daemon();
    let request = up(&scene, "[slots.api]\ncomand = \"sh\"\n");
    let failure = block_on(scene.client().without_start().up("shop", &request)).unwrap_err();
    assert_eq!(failure.code, worker_cli::error::Code::BadConfig);
    assert!(failure.message.contains("comand = \"sh\""), "{failure}");
}

#[test]
fn slots_that_ran_when_the_daemon_was_ended_by_a_signal_run_again() {
    let scene = Scene::new();
    let daemon = scene.daemon();
    let request = up(&scene, SPEAKER);
    block_on(scene.client().without_start().up("shop", &request)).unwrap();
    crate::common::send_signal(daemon.guardian(), "TERM");
    let (code, said) = daemon.finish();
    assert_eq!(code, Some(0), "{said}");
    let _daemon = scene.daemon();
    let client = scene.client().without_start();
    let outcome = block_on(async {
        await_event(&client, "shop/api", "ready").await?;
        client.slot("shop/api").await
    });
    let slot = outcome.unwrap();
    assert_eq!((slot.state, slot.run), (State::Running, 2));
}
