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
fn run_in_short() {
    assert_snapshot!(help(&["run", "-h"]));
}

#[test]
fn run_in_full() {
    assert_snapshot!(help(&["run", "--help"]));
}
