//! What holds for every file.

use proptest::prelude::*;

use super::{EVERYTHING, good, home, parse, read};
use crate::config::{to_json, to_toml};

/// Pieces of which something near a configuration can be made.
const PIECES: [&str; 34] = [
    "\n",
    "\n",
    " = ",
    "{",
    "}",
    "[",
    "]",
    ",",
    "\"",
    "'",
    "[slots.a]\n",
    "[slots.b]\n",
    "[templates.t]\n",
    "[defaults]\n",
    "command = \"x\"\n",
    "ports",
    "[80, 81]",
    "ready",
    "http",
    "\"/{port+1}\"",
    "depends_on = [\"a\", \"b\", \"t@x\"]\n",
    "depends_on = [\"a\"]\n",
    "env",
    "\"5s\"",
    "\"2G\"",
    "restart",
    "window",
    "5",
    "-1",
    "\u{feff}",
    "\u{0}",
    "é",
    "\r",
    "#",
];

fn check_no_panic(files: &[&[u8]]) {
    match read(super::files(files), &home()) {
        Ok(config) => drop(to_toml(&config).unwrap()),
        Err(invalid) => assert!(!invalid.to_string().is_empty(), "an error says something"),
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(one: Vec<u8>, other: Vec<u8>) {
        check_no_panic(&[&one, &other]);
    }

    #[test]
    fn nothing_that_is_nearly_a_configuration_makes_it_panic(
        pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..24),
    ) {
        check_no_panic(&[pieces.concat().as_bytes()]);
    }

    #[test]
    fn no_damage_to_a_good_file_makes_it_panic(at in 0..EVERYTHING.len(), byte: u8) {
        let mut bytes = EVERYTHING.as_bytes().to_vec();
        bytes[at] = byte;
        check_no_panic(&[&bytes]);
    }
}

#[test]
fn what_is_shown_reads_as_the_same_configuration() {
    let config = good(EVERYTHING);
    let shown = to_toml(&config).unwrap();
    assert_eq!(parse(&shown).unwrap_or_else(|invalid| panic!("{invalid}")), config);
}

#[test]
fn the_effective_configuration_shows_every_default() {
    insta::assert_snapshot!(to_toml(&good(EVERYTHING)).unwrap());
    let small = good("[slots.web]\ncommand = \"vite\"");
    insta::assert_snapshot!(format!("{:#}", to_json(&small)));
}
