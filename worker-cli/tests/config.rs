//! `worker config` as a whole program.

use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

const GOOD: &str = "[slots.web]\ncommand = \"vite\"\nports = 1\n";
const BAD: &str = "[slots.web]\ncomand = \"vite\"\nports = true\n";

/// A folder with these files, in a folder whose name is a good one for a project.
fn folder(files: &[(&str, &str)]) -> (TempDir, std::path::PathBuf) {
    let outside = tempfile::tempdir().unwrap();
    let folder = outside.path().join("shop");
    std::fs::create_dir_all(folder.join("deep/down")).unwrap();
    for (name, text) in files {
        std::fs::write(folder.join(name), text).unwrap();
    }
    (outside, folder)
}

/// Exit code, stdout and stderr.
fn config(folder: &Path, words: &[&str]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("worker").unwrap();
    let output = command.current_dir(folder).arg("config").args(words).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_good_file_is_found_from_below_and_summed_up() {
    let (_outside, folder) = folder(&[("worker.toml", GOOD)]);
    let (code, stdout, stderr) = config(&folder.join("deep/down"), &["check"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert_eq!(stdout, "ok: shop: 1 slot (web), 0 templates\n");
    let (code, stdout, _) = config(&folder, &["check", "--json"]);
    let answer: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, &answer["ok"], &answer["slots"][0]), (0, &true.into(), &"web".into()));
}

#[test]
fn a_bad_file_ends_with_8_and_shows_every_place() {
    let (_outside, folder) = folder(&[("worker.toml", BAD)]);
    let (code, stdout, stderr) = config(&folder, &["check"]);
    assert_eq!((code, stdout.as_str()), (8, ""));
    insta::assert_snapshot!(stderr, @r#"
worker: there are 2 errors in worker.toml

error: there is no key `comand` here
 --> worker.toml:2:1
  |
2 | comand = "vite"
  | ^^^^^^
  |
  = help: did you mean `command`?

error: this is true or false, and it must be a number of ports such as 2, or
       "auto", or a list of ports such as [3000]
 --> worker.toml:3:9
  |
3 | ports = true
  |         ^^^^
"#);
}

#[test]
fn errors_as_json_hold_every_place() {
    let (_outside, folder) = folder(&[("worker.toml", GOOD), ("worker.local.toml", BAD)]);
    let (code, stdout, stderr) = config(&folder, &["show", "--json"]);
    assert_eq!((code, stdout.as_str()), (8, ""));
    let answer: Value = serde_json::from_str(&stderr).unwrap();
    insta::assert_snapshot!(format!("{answer:#}"), @r#"
{
  "error": {
    "code": "bad_config",
    "details": [
      {
        "column": 1,
        "file": "worker.local.toml",
        "hint": "did you mean `command`?",
        "line": 2,
        "message": "there is no key `comand` here"
      },
      {
        "column": 9,
        "file": "worker.local.toml",
        "hint": null,
        "line": 3,
        "message": "this is true or false, and it must be a number of ports such as 2, or \"auto\", or a list of ports such as [3000]"
      }
    ],
    "hint": null,
    "message": "there are 2 errors in worker.local.toml"
  },
  "v": 1
}
"#);
}

#[test]
fn local_settings_are_shown_as_they_hold() {
    let local = "[slots.web]\nports = 2\n";
    let (_outside, folder) = folder(&[("worker.toml", GOOD), ("worker.local.toml", local)]);
    let (code, stdout, _) = config(&folder, &["show", "--json"]);
    let answer: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, &answer["config"]["slots"]["web"]["ports"]), (0, &2.into()));
    let (_, shown, _) = config(&folder, &["show"]);
    std::fs::remove_file(folder.join("worker.local.toml")).unwrap();
    std::fs::write(folder.join("worker.toml"), &shown).unwrap();
    assert_eq!(config(&folder, &["show"]), (0, shown, String::new()), "it reads as it was shown");
}

#[test]
fn without_a_file_it_says_where_it_looked() {
    let (_outside, folder) = folder(&[]);
    let (code, _, stderr) = config(&folder, &["check"]);
    assert_eq!(code, 8);
    assert!(stderr.starts_with("worker: there is no worker.toml in /"), "{stderr}");
    let (code, _, stderr) = config(&folder, &["check", "other.toml"]);
    assert_eq!(code, 8);
    assert!(stderr.contains("other.toml: No such file"), "{stderr}");
    let (code, ..) = config(&folder, &["chekc"]);
    assert_eq!(code, 2);
}

#[test]
fn the_schema_is_json() {
    let (_outside, folder) = folder(&[]);
    let (code, stdout, _) = config(&folder, &["schema"]);
    let schema: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, &schema["title"]), (0, &"worker.toml".into()));
}

#[test]
fn help_shows_an_example_of_each() {
    let (_outside, folder) = folder(&[]);
    for (words, example) in [
        (&["--help"][..], "[slots.api]"),
        (&["check", "--help"], "worker config check --json"),
        (&["show", "--help"], "worker config show"),
        (&["schema", "--help"], "worker config schema >"),
    ] {
        let (code, stdout, _) = config(&folder, words);
        assert_eq!(code, 0);
        assert!(stdout.contains(example), "{stdout}");
    }
}
