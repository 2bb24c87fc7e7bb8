//! What a configuration means once it is read.

use std::ffi::OsString;
use std::time::Duration;

use worker_core::{Block, OnCleanExit, PortRequest, Signal, Spec};

use super::{EVERYTHING, good, parse_both};
use crate::config::{Config, Instance, Look, Name, Start};
use crate::probe::Probe;

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn instance(config: &Config, name: &str) -> Instance {
    config.instance(name).unwrap()
}

#[test]
fn a_slot_with_a_command_and_nothing_else_has_the_defaults_of_the_core() {
    let config = good("[slots.web]\ncommand = \"vite --host 'a b'\"");
    assert_eq!(config.project, name("shop"), "the folder's name");
    let slot = &config.slots[&name("web")];
    assert_eq!(slot.spec, Spec::default());
    assert_eq!(slot.start, Start::Eager);
    assert_eq!(slot.dir.to_string(), "/work/shop");
    let words: Vec<String> = slot.command.iter().map(ToString::to_string).collect();
    assert_eq!(words, ["vite", "--host", "a b"]);
}

#[test]
fn what_is_written_reaches_the_policies() {
    let config = good(EVERYTHING);
    let api = config.slots[&name("api")].spec.options();
    assert_eq!(api.ports, PortRequest::Auto(2));
    assert_eq!(api.ready.unwrap().timeout, Duration::from_secs(30));
    assert_eq!(api.alive.unwrap().failures, 3);
    assert_eq!(api.stop.signal, Signal::Term);
    assert_eq!(api.memory_limit, Some(2_000_000_000));
    assert_eq!(api.idle, Some(Duration::from_secs(900)), "from the defaults");
    let db = config.slots[&name("db")].spec.options();
    assert_eq!(db.ports, PortRequest::Fixed(Block::new(5432, 1).unwrap()));
    assert!(db.ready.unwrap().any_owner);
    assert!(db.prepare.is_some());
    assert_eq!(config.slots[&name("mail")].spec.options().idle, None);
    assert_eq!(config.templates[&name("cache")].start, Start::OnDemand);
    let cache = config.templates[&name("cache")].spec.options();
    assert_eq!(cache.on_clean_exit, OnCleanExit::Reap);
}

#[test]
fn a_slot_on_demand_is_stopped_when_idle_and_an_eager_one_is_not() {
    let config = good(
        "[slots.a]\ncommand = \"a\"\nstart = \"on-demand\"\n[slots.b]\ncommand = \"b\"\n\
         [templates.t]\ncommand = \"t\"",
    );
    let idle = |slot: &crate::config::Slot| slot.spec.options().idle;
    assert_eq!(idle(&config.slots[&name("a")]), Some(Duration::from_secs(900)));
    assert_eq!(idle(&config.slots[&name("b")]), None);
    assert_eq!(idle(&config.templates[&name("t")]), Some(Duration::from_secs(900)));
}

#[test]
fn local_settings_win_and_complete_the_others() {
    let shared = "[defaults]\nready = { timeout = \"9s\" }\n[slots.web]\ncommand = \"vite\"\nports = 1\n\
                  env = { A = \"1\", B = \"1\" }\nready = { http = \"/\" }\nstop = { grace = \"1s\" }\n";
    let local = "[slots.web]\nenv = { B = \"2\" }\nready = { tcp = true }\nstop.signal = \"INT\"\n\
                 [slots.extra]\ncommand = \"x\"";
    let config = parse_both(shared, local).unwrap();
    let web = &config.slots[&name("web")];
    let env: Vec<String> = web.env.iter().map(|(name, text)| format!("{name}={text}")).collect();
    assert_eq!(env, ["A=1", "B=2"]);
    assert_eq!(web.ready, Some(Look::Tcp(None)), "one probe takes the place of the other");
    let options = web.spec.options();
    assert_eq!(options.ready.unwrap().timeout, Duration::from_secs(9));
    assert_eq!(options.stop.grace, Duration::from_secs(1));
    assert_eq!(options.stop.signal, Signal::Int);
    let extra = &config.slots[&name("extra")];
    assert_eq!(extra.ready, None, "a timeout of the defaults is no probe");
    assert_eq!(extra.spec.options().ready, None);
}

#[test]
fn none_switches_off_what_the_defaults_switch_on() {
    let config = good(
        "[defaults]\nports = 1\nready = { tcp = true }\nalive = { tcp = true }\n\
         limits = { memory = \"1G\", tasks = 5 }\nprepare = \"make\"\n[slots.a]\ncommand = \"a\"\n\
         [slots.b]\ncommand = \"b\"\nports = 0\nready = \"none\"\nalive = \"none\"\nprepare = []\n\
         limits = { memory = \"none\", tasks = \"none\" }\n",
    );
    let (a, b) = (&config.slots[&name("a")], &config.slots[&name("b")]);
    assert!(a.ready.is_some() && a.alive.is_some() && a.task_limit == Some(5));
    assert_eq!(b.spec, Spec::default());
    assert_eq!((&b.ready, &b.alive, b.task_limit, b.prepare.len()), (&None, &None, None, 0));
}

#[test]
fn an_instance_of_a_template_has_its_id_in_everything() {
    let config = good(EVERYTHING);
    let agent = instance(&config, "agent@proj-42");
    assert_eq!(agent.full_name(), "shop/agent@proj-42");
    assert_eq!(agent.depends_on(), ["db", "queue", "cache@proj-42"]);
    let launch = agent.launch([("A".into(), "1".into())].into()).unwrap();
    assert_eq!(launch.dir.to_str(), Some("/home/ada/agents/proj-42"));
    assert_eq!(launch.prepare[3], "https://example.invalid/proj-42.git");
    let block = Block::new(21_000, 2);
    assert_eq!(launch.command(block), ["agent-runtime"]);
    let variables = [
        ("A", "1"),
        ("API_SERVER_PORT", "21001"),
        ("PROJECT_DIR", "/home/ada/agents/proj-42"),
        ("PROJECT_ID", "proj-42"),
    ];
    let variables = variables.map(|(name, value)| (OsString::from(name), OsString::from(value)));
    assert_eq!(launch.environment(block), variables);
    let ready = launch.ready(block).unwrap();
    assert!(matches!(ready, Some(Probe::Http { port: Some(21_001), path }) if path == "/health"));
    let cache = instance(&config, "cache@x").launch([].into()).unwrap();
    assert_eq!(cache.command(None), ["cache", "shop/cache@x"]);
}

#[test]
fn what_is_no_slot_is_no_instance() {
    let config = good(EVERYTHING);
    for text in ["agent", "api@x", "agent@", "agent@a/b", "nothing", "", "@", "shop/api"] {
        assert_eq!(config.instance(text), None, "{text}");
    }
}

#[test]
fn the_files_of_the_environment_are_read_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(".env");
    let text = format!(
        "[slots.a]\ncommand = \"a\"\nenv = {{ B = \"config\" }}\nenv_file = '{}'",
        file.display()
    );
    let config = good(&text);
    let refused = instance(&config, "a").launch([].into()).unwrap_err();
    assert!(refused.message.starts_with("env_file of shop/a: cannot read"), "{refused}");
    std::fs::write(&file, "A=file\nB=file\n").unwrap();
    let launch = instance(&config, "a").launch([("A".into(), "own".into())].into()).unwrap();
    let env = launch.environment(None);
    assert_eq!(env, [("A".into(), "file".into()), ("B".into(), "config".into())]);
}

#[test]
fn what_is_no_regular_file_is_not_read() {
    let config = good("[slots.a]\ncommand = \"a\"\nenv_file = '/dev/null'");
    let refused = instance(&config, "a").launch([].into()).unwrap_err();
    let said = "it is a pipe or a device, and no regular file";
    let text = format!("env_file of shop/a: cannot read /dev/null: {said}");
    assert_eq!(refused.message, text);
    let refused = crate::config::load_regular("/dev/null".as_ref()).unwrap_err();
    assert_eq!(refused.message, format!("cannot read /dev/null: {said}"));
    assert!(crate::config::load("/dev/null".as_ref()).unwrap().slots.is_empty(), "by hand it is");
}

#[test]
fn what_is_written_otherwise_and_means_the_same_is_the_same() {
    let one = good("[slots.a]\ncommand = \"a\"\n[slots.b]\ncommand = \"b\"");
    let other = good(
        "[slots.a]\ncommand = [\"a\"]\nstop = { grace = \"5s\" }\n[slots.b]\ncommand = \"b -v\"",
    );
    assert_eq!(one.slots[&name("a")], other.slots[&name("a")]);
    assert_ne!(one.slots[&name("b")], other.slots[&name("b")]);
}
