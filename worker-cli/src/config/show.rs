//! The configuration as it holds, in the words of `worker.toml`: it can be read again.

use serde_json::{Value, json};
use worker_core::{OnCleanExit, PortRequest, RestartOptions, RestartWhen, SlotOptions};

use super::slot::{Config, Liveness, Look, Slot, Start};
use super::text::Text;
use crate::duration::exact;

/// As TOML.
///
/// # Errors
///
/// None that is known; a value that TOML cannot hold.
pub fn to_toml(config: &Config) -> Result<String, toml::ser::Error> {
    toml::to_string_pretty(&to_json(config))
}

/// As a JSON object.
#[must_use]
pub fn to_json(config: &Config) -> Value {
    let mut shown = json!({"project": config.project.as_str()});
    for (key, slots) in [("slots", &config.slots), ("templates", &config.templates)] {
        if !slots.is_empty() {
            let slots = slots.iter().map(|(name, slot)| (name.to_string(), shown_slot(slot)));
            shown[key] = Value::Object(slots.collect());
        }
    }
    shown
}

fn shown_slot(slot: &Slot) -> Value {
    let options = slot.spec.options();
    let mut shown = json!({
        "command": texts(&slot.command),
        "dir": slot.dir.to_string(),
        "ports": ports(options.ports),
        "start": match slot.start { Start::Eager => "eager", Start::OnDemand => "on-demand" },
        "idle": options.idle.map_or_else(|| "never".to_owned(), exact),
        "ready": slot.ready.as_ref().map_or_else(|| json!("none"), |look| ready(look, options)),
        "alive": slot.alive.as_ref().map_or_else(|| json!("none"), |it| alive(it, options)),
        "stop": {"signal": options.stop.signal.to_string(), "grace": exact(options.stop.grace)},
        "restart": restart(&options.restart),
        "limits": {
            "memory": options.memory_limit.map_or_else(|| "none".to_owned(), |it| format!("{it}B")),
            "tasks": slot.task_limit.map_or_else(|| json!("none"), Value::from),
        },
        "on_clean_exit": match options.on_clean_exit {
            OnCleanExit::Leave => "leave",
            OnCleanExit::Reap => "reap",
        },
    });
    let lists = [
        ("env_file", &slot.env_files),
        ("depends_on", &slot.depends_on),
        ("prepare", &slot.prepare),
    ];
    for (key, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
        shown[key] = texts(list);
    }
    if !slot.env.is_empty() {
        let env = slot.env.iter().map(|(name, text)| (name.clone(), text.to_string().into()));
        shown["env"] = Value::Object(env.collect());
    }
    shown
}

fn texts(texts: &[Text]) -> Value {
    texts.iter().map(Text::to_string).collect()
}

fn ports(request: PortRequest) -> Value {
    match request {
        PortRequest::None => json!(0),
        PortRequest::Auto(count) => json!(count),
        PortRequest::Fixed(block) => block.ports().collect(),
    }
}

fn ready(look: &Look, options: &SlotOptions) -> Value {
    let mut shown = probe(look);
    let ready = options.ready.unwrap_or_default();
    shown["timeout"] = exact(ready.timeout).into();
    shown["owner"] = if ready.any_owner { "any" } else { "own" }.into();
    shown
}

fn alive(liveness: &Liveness, options: &SlotOptions) -> Value {
    let mut shown = probe(&liveness.look);
    shown["every"] = exact(liveness.every).into();
    shown["timeout"] = exact(liveness.timeout).into();
    shown["failures"] = options.alive.unwrap_or_default().failures.into();
    shown
}

fn probe(look: &Look) -> Value {
    match look {
        Look::Http(target) => json!({"http": target.to_string()}),
        Look::Tcp(None) => json!({"tcp": true}),
        Look::Tcp(Some(port)) => json!({"tcp": port.to_string()}),
        Look::Log(pattern) => json!({"log": pattern}),
        Look::Exec(words) => json!({"exec": texts(words)}),
        Look::Notify => json!({"notify": true}),
    }
}

fn restart(options: &RestartOptions) -> Value {
    json!({
        "when": match options.when {
            RestartWhen::Never => "never",
            RestartWhen::OnFailure => "on-failure",
            RestartWhen::Always => "always",
        },
        "max_failures": options.max_failures,
        "window": exact(options.window),
        "healthy_after": exact(options.healthy_after),
        "backoff": exact(options.backoff),
        "backoff_max": exact(options.backoff_max),
    })
}
