//! Requests that cannot be meant: each is answered with why, and changes nothing.

use std::io::Write;

use crate::common::Scene;

#[test]
fn what_is_not_there_is_said_to_be_missing() {
    let scene = Scene::new();
    let _daemon = scene.daemon();
    scene.get("/v1/slots/shop%2Fapi").check_error(404, "no_such_slot", "shop/api");
    scene.post("/v1/slots/a%20%C3%A4%2Fb/start", "").check_error(404, "no_such_slot", "`a ä`");
    scene.get("/v1/nothing").check_error(404, "usage", "nothing at /v1/nothing");
    scene.get("/v1/slots/shop/api").check_error(404, "usage", "nothing at /v1/slots/shop/api");
    let reply = scene.ask("DELETE", "/v1/slots", &[], b"");
    reply.check_error(405, "usage", "DELETE cannot be asked of /v1/slots");
    assert_eq!(reply.header("allow"), Some("get,head"));
}

#[test]
fn what_cannot_be_understood_is_refused_with_the_place() {
    let scene = Scene::new();
    let _daemon = scene.daemon();
    let pid = scene.pid();
    let start = "/v1/slots/shop%2Fapi/start";
    scene.post(start, "{").check_error(400, "usage", "EOF while parsing an object at line 1");
    scene.post(start, "{\"a\":1}").check_error(400, "usage", "unknown field `a`");
    scene.post(start, "{\"env\":{\"A\":1}}").check_error(400, "usage", "env.A: invalid type");
    scene.post("/v1/projects/shop/up", "{}").check_error(400, "usage", "missing field `config`");
    scene.get("/v1/slots?prject=a").check_error(400, "usage", "unknown field `prject`");
    scene.get("/v1/events?follow=maybe").check_error(400, "usage", "follow");
    let reply = scene.ask("GET", "/v1/events", &[("Last-Event-ID", "x")], b"");
    reply.check_error(400, "usage", "Last-Event-ID is not the number of an event");
    let long = vec![b' '; (4 << 20) + 1];
    let reply = scene.ask("POST", start, &[], &long);
    reply.check_error(413, "usage", "the body is longer than 4194304 bytes");
    assert_eq!(scene.pid(), pid);
}

#[test]
fn an_environment_of_a_megabyte_is_not_too_large() {
    let scene = Scene::new();
    let _daemon = scene.daemon();
    let body = format!("{{\"env\":{{\"A\":\"{}\"}}}}", "x".repeat(1 << 20));
    scene.post("/v1/slots/shop%2Fapi/start", &body).check_error(404, "no_such_slot", "`shop`");
}

#[test]
fn what_is_not_http_is_sent_away() {
    let scene = Scene::new();
    let _daemon = scene.daemon();
    let mut stream = scene.connect();
    stream.write_all(b"\x16\x03\x01\x02\x00\r\n\r\n").unwrap();
    let answer = std::io::read_to_string(stream).unwrap_or_default();
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert_eq!(scene.get("/healthz").status, 200);
}
