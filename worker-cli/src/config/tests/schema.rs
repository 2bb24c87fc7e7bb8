//! The schema and the parser agree.

use boon::{Compiler, Schemas};

use super::{EVERYTHING, parse};
use crate::config::schema;

/// Whether a text is one for the schema. What is not even TOML is none.
fn fits_schema(texts: &[&str]) -> Vec<bool> {
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.enable_format_assertions();
    compiler.add_resource("worker.json", schema()).unwrap();
    let compiled = compiler.compile("worker.json", &mut schemas).unwrap();
    let fits = |text: &&str| {
        let value = toml::from_str::<serde_json::Value>(text).unwrap();
        schemas.validate(&value, compiled).is_ok()
    };
    texts.iter().map(fits).collect()
}

fn check(texts: &[&str], expected: bool) {
    let texts: Vec<String> = texts.iter().map(|text| expanded(text)).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    for (text, fits) in texts.iter().zip(fits_schema(&texts)) {
        let parsed = parse(text);
        assert_eq!(fits, expected, "the schema on: {text}");
        assert_eq!(parsed.is_ok(), expected, "the parser on: {text}\n{parsed:?}");
    }
}

/// `key = value` is one of a slot that has a command.
fn expanded(text: &str) -> String {
    if text.contains('[') && text.starts_with('[') || text.starts_with("project") {
        return text.to_owned();
    }
    let command = if text.starts_with("command") { "" } else { "command = \"x\"" };
    format!(
        "[slots.a]\n{command}\n{text}\n[slots.db]\ncommand = \"db\"\n[templates.t]\ncommand = \"t\"\n"
    )
}

#[test]
fn what_the_parser_takes_fits_the_schema() {
    check(&[EVERYTHING], true);
    check(
        &[
            "project = \"x\"",
            "command = \"a 'b c'\"",
            "command = [\"a\"]",
            "dir = \"/x\"",
            "env = {}",
            "env = { A = \"\", a_b = \"x\" }",
            "env_file = []",
            "ports = 0",
            "ports = 256",
            "ports = [80, 81]",
            "start = \"on-demand\"",
            "depends_on = \"db\"",
            "depends_on = [\"t@x\", \"db\"]",
            "prepare = []",
            "ready = \"none\"",
            "ready = { tcp = \"3000\" }",
            "ready = { http = \":3000\" }",
            "ready = { log = \"a|b\" , timeout = \"1m 30s\", owner = \"own\" }",
            "alive = { exec = \"true\", failures = 1, every = \"250ms\" }",
            "stop = { signal = \"int\", grace = \"0s\" }",
            "restart = { when = \"never\", max_failures = 1, window = \"2s\" }",
            "restart = {}",
            "limits = { memory = \"1.5 GiB\", tasks = 1 }",
            "idle = \"1.5h\"",
            "on_clean_exit = \"reap\"",
        ],
        true,
    );
}

#[test]
fn what_the_schema_refuses_the_parser_refuses_too() {
    check(
        &[
            "project = \"a/b\"",
            "[nothing]\nx = 1",
            "[slots.\"a b\"]\ncommand = \"x\"",
            "comand = \"x\"",
            "command = []",
            "command = \"\"",
            "command = 5",
            "command = [\"a\", 5]",
            "dir = \"\"",
            "env = { A = 1 }",
            "env = { \"A=B\" = \"x\" }",
            "env = { WORKER_RUN = \"x\" }",
            "env_file = 1",
            "ports = -1",
            "ports = 257",
            "ports = \"3000\"",
            "ports = []",
            "ports = [0]",
            "ports = [65536]",
            "start = \"lazy\"",
            "depends_on = { a = 1 }",
            "ready = {http = \"/\", tcp = true}",
            "ready = {http = \"health\"}",
            "ready = {http = \"/a b\"}",
            "ready = {tcp = false}",
            "ready = {tcp = 0}",
            "ready = {log = \"\"}",
            "ready = {log = \"(\"}",
            "ready = {notify = false}",
            "ready = {notify = true, timeout = 5}",
            "ready = {notify = true, timeout = \"5\"}",
            "ready = {notify = true, timeout = \"5 parsecs\"}",
            "ready = {notify = true, owner = \"all\"}",
            "ready = \"off\"",
            "alive = {notify = true}",
            "alive = {exec = \"x\", failures = 0}",
            "stop = {signal = \"15\"}",
            "restart = {when = \"on-fail\"}",
            "restart = {max_failures = 0}",
            "restart = {max_failures = 4294967296}",
            "restart = {backof = \"1s\"}",
            "limits = {memory = \"2\"}",
            "limits = {memory = \"0G\"}",
            "limits = {memory = 2}",
            "limits = {tasks = 0}",
            "idle = 5",
            "idle = \"often\"",
            "on_clean_exit = \"kill\"",
        ],
        false,
    );
}

#[test]
fn the_schema_says_what_each_key_is_for() {
    insta::assert_snapshot!(format!("{:#}", schema()));
}
