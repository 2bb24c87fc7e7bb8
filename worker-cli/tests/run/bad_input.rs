//! Input that cannot be meant changes nothing, and is answered with what would do.

use std::fmt::Write;
use std::path::Path;

use insta::assert_snapshot;

use crate::common::{OUT_OF_SIGHT, bare, run, script};

/// What is said to each command line, as in a terminal. Each ends with this exit code.
fn refusals(code: i32, command_lines: &[&[&str]]) -> String {
    let mut transcript = String::new();
    for words in command_lines {
        writeln!(transcript, "$ worker {}\n{}", words.join(" "), refused(words, code)).unwrap();
    }
    transcript
}

fn refused(words: &[&str], code: i32) -> String {
    let finished = bare(words).finish();
    finished.check_code(code);
    assert_eq!(finished.stdout(), "", "talk goes to stderr");
    finished.stderr
}

#[test]
fn usage_errors_end_with_2_and_name_option_value_and_mend() {
    assert_snapshot!(refusals(
        2,
        &[
            &[],
            &["rnu", "--", "true"],
            &["run"],
            &["run", "--"],
            &["run", "--prots", "1", "--", "true"],
            &["run", "node", "server.js"],
            &["run", "--max-failures", "0", "--", "true"],
            &["run", "--max-failures", "-1", "--", "true"],
            &["run", "--backoff", "5", "--", "true"],
            &["run", "--backoff", "5 parsecs", "--", "true"],
            &["run", "--backoff", "2m", "--backoff-max", "1m", "--", "true"],
            &["run", "--backoff", "0s", "--", "true"],
            &["run", "--window", "10s", "--", "true"],
            &["run", "--ready", "tcp", "--", "true"],
            &["run", "--ready", "htpt=/", "--", "true"],
            &["run", "--ready", "log=(", "--", "true"],
            &["run", "--restart", "sometimes", "--", "true"],
            &["run", "--stop-signal", "SIGSTOP", "--", "true"],
            &["run", "--env", "LOG", "--", "true"],
            &["run", "--ports", "0", "--", "true"],
            &["run", "--port-range", "9-1", "--", "true"],
            &["run", "--name", "a b", "--", "true"],
            &["run", "--json", "--backoff", "5", "--", "true"],
        ],
    ));
}

#[test]
fn an_option_of_the_command_is_not_one_of_ours() {
    let said = refused(&["run", "--backoff", "5", "--", "true", "--json"], 2);
    assert!(said.starts_with("worker: "), "{said}");
}

#[test]
fn folders_and_files_that_are_bad_end_with_8() {
    assert_snapshot!(refusals(
        8,
        &[
            &["run", "--dir", "/no/such/folder", "--", "true"],
            &["run", "--dir", "/dev/null", "--", "true"],
            &["run", "--env-file", "/no/.env", "--", "true"],
        ],
    ));
}

#[test]
fn a_bad_line_in_an_env_file_is_named_without_its_secret_and_nothing_is_spawned() {
    let folder = tempfile::tempdir().unwrap();
    let (file, spawned) = (folder.path().join(".env"), folder.path().join("spawned"));
    std::fs::write(&file, "A=1\nPASSWORD hunter2\n").unwrap();
    let words = ["run", "--env-file", file.to_str().unwrap(), "--", "touch"];
    let said = refused(&[&words[..], &[spawned.to_str().unwrap()]].concat(), 8);
    assert_snapshot!(said.replace(folder.path().to_str().unwrap(), "FOLDER"));
    assert!(!spawned.exists());
}

/// What is said about a spawn that fails, which ends it at once.
fn unspawned(command: &Path) -> String {
    let finished = run(&OUT_OF_SIGHT, &[command]).finish();
    finished.check_code(1);
    assert_eq!(finished.kinds(), ["starting", "error"], "no retry");
    finished.stderr
}

#[test]
fn a_program_that_cannot_be_executed_ends_with_1_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("plain"), "text").unwrap();
    std::fs::create_dir(at("folder")).unwrap();
    std::fs::write(script(folder.path(), "bad", ""), "#!/no/such/interpreter\n").unwrap();
    let said = ["missing", "plain", "folder", "bad"].map(|name| unspawned(&at(name))).concat();
    assert_snapshot!(said.replace(folder.path().to_str().unwrap(), "FOLDER"));
}

#[test]
fn a_program_that_is_in_no_folder_of_path_says_where_it_was_looked_up() {
    let options = ["--cgroup", "never", "--env", "PATH=/bin:/usr/bin"];
    let finished = run(&options, &["no-such-program"]).finish();
    finished.check_code(1);
    assert_snapshot!(finished.stderr);
}
