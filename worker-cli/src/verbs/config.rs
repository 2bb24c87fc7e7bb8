//! `worker config check`, `show` and `schema`.

use std::env;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;

use crate::config::{self, Config};
use crate::error::{Code, Failure};
use crate::exit_code;

/// The options of `worker config`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ConfigArgs {
    /// What to do.
    #[command(subcommand)]
    pub verb: ConfigVerb,
}

const EXAMPLES: &str = "\
A small worker.toml:
  [slots.api]
  command = \"node server.js\"
  ports = 1
  ready = { http = \"/health\" }

Settings of your own go into worker.local.toml beside it, and win.";

/// The verbs of `worker config`.
#[derive(Debug, Subcommand)]
pub enum ConfigVerb {
    /// Say whether it can be used, or all that is wrong with it
    #[command(after_help = CHECK_EXAMPLES)]
    Check(FileArgs),

    /// Print what holds after defaults and local settings, as TOML
    #[command(after_help = SHOW_EXAMPLES)]
    Show(FileArgs),

    /// Print the JSON Schema of worker.toml, for editors
    #[command(after_help = SCHEMA_EXAMPLES)]
    Schema(SchemaArgs),
}

const CHECK_EXAMPLES: &str = "\
Examples:
  worker config check
  worker config check --json ../shop/worker.toml

Exit codes:
  0 it can be used    8 it cannot, or there is none";

const SHOW_EXAMPLES: &str = "\
Examples:
  worker config show
  worker config show --json | jq .config.slots.api";

const SCHEMA_EXAMPLES: &str = "\
Example:
  worker config schema > worker.schema.json
  Then write this into the first line of worker.toml:
  #:schema ./worker.schema.json";

/// Which file, and how to answer.
#[derive(Debug, Args)]
pub struct FileArgs {
    /// The file [default: the nearest worker.toml, from here upwards]
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,

    /// Answer as JSON, also when something is wrong
    #[arg(long)]
    pub json: bool,
}

/// The schema is JSON in any case.
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// Answer as JSON, as without this option
    #[arg(long)]
    pub json: bool,
}

/// Runs the verb; answers the exit code.
///
/// # Errors
///
/// [`Failure`] says what is wrong with the configuration.
pub(crate) fn run(args: &ConfigArgs) -> Result<u8, Failure> {
    let answer = match &args.verb {
        ConfigVerb::Check(args) => check(args),
        ConfigVerb::Show(args) => show(args),
        ConfigVerb::Schema(_) => Ok(format!("{:#}", config::schema())),
    };
    print(&answer?)
}

fn check(args: &FileArgs) -> Result<String, Failure> {
    let file = file(args.file.as_deref())?;
    let config = config::load(&file)?;
    if args.json {
        let slots: Vec<&str> = config.slots.keys().map(config::Name::as_str).collect();
        let templates: Vec<&str> = config.templates.keys().map(config::Name::as_str).collect();
        let project = config.project.as_str();
        let answer = json!({
            "v": 1, "ok": true, "file": file, "project": project,
            "slots": slots, "templates": templates,
        });
        return Ok(answer.to_string());
    }
    Ok(format!("ok: {}: {}", config.project, summary(&config)))
}

/// `2 slots (api, web), 1 template (agent)`.
fn summary(config: &Config) -> String {
    let kinds = [("slot", &config.slots), ("template", &config.templates)];
    let kinds = kinds.map(|(kind, slots)| {
        let names: Vec<&str> = slots.keys().map(config::Name::as_str).collect();
        let ending = if names.len() == 1 { "" } else { "s" };
        let listed =
            if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
        format!("{} {kind}{ending}{listed}", names.len())
    });
    kinds.join(", ")
}

fn show(args: &FileArgs) -> Result<String, Failure> {
    let file = file(args.file.as_deref())?;
    let config = config::load(&file)?;
    if args.json {
        return Ok(json!({"v": 1, "config": config::to_json(&config)}).to_string());
    }
    let shown = config::to_toml(&config)
        .map_err(|error| Failure::new(Code::Failed, format!("it cannot be shown: {error}")))?;
    Ok(shown.trim_end().to_owned())
}

/// The file that is asked for, absolute.
fn file(given: Option<&Path>) -> Result<PathBuf, Failure> {
    let here = env::current_dir().map_err(|error| {
        Failure::new(Code::BadConfig, format!("the current folder cannot be used: {error}"))
            .hint("change to a folder that exists")
    })?;
    match given {
        Some(file) => Ok(here.join(file)),
        None => config::find(&here),
    }
}

fn print(answer: &str) -> Result<u8, Failure> {
    match writeln!(io::stdout().lock(), "{answer}") {
        // A reader that has seen enough is not an error.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(Code::Failed, format!("stdout cannot be written: {error}")))
        }
        Ok(()) | Err(_) => Ok(exit_code::DONE),
    }
}
