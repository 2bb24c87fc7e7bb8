//! What `worker` says about itself, at 80 columns.

use insta::assert_snapshot;

use crate::common::bare;

fn help(words: &[&str]) -> String {
    let finished = bare(words).finish();
    finished.check_code(0);
    assert_eq!(finished.stderr, "", "data goes to stdout");
    let stdout = finished.stdout();
    let long: Vec<&str> = stdout.lines().filter(|line| line.chars().count() > 80).collect();
    assert_eq!(long, [""; 0], "longer than 80 columns");
    stdout
}

#[test]
fn the_overview() {
    assert_snapshot!(help(&["--help"]));
}

#[test]
fn each_verb_has_an_example_and_its_exit_codes() {
    for verb in [
        "up",
        "down",
        "start",
        "stop",
        "restart",
        "reset",
        "touch",
        "status",
        "ps",
        "logs",
        "why",
        "events",
        "wait",
        "env",
        "ports",
        "doctor",
        "completions",
    ] {
        let help = help(&[verb, "--help"]);
        assert!(
            help.contains(&format!("Usage: worker {}", verb.replace("ps", "status"))),
            "{help}"
        );
        assert!(help.contains("\nExample"), "{help}");
        assert!(help.contains("\nExit codes:\n  0 "), "{help}");
    }
}

#[test]
fn run_in_short() {
    assert_snapshot!(help(&["run", "-h"]));
}

#[test]
fn run_in_full() {
    assert_snapshot!(help(&["run", "--help"]));
}
