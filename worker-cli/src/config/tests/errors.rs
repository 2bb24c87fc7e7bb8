//! Every error as people see it, at 80 columns.

use super::{files, home, parse, parse_both, read};
use crate::config::Invalid;
use crate::config::resolve::Home;

/// Shows what is wrong with a `worker.toml`, or with what `result` stands for.
macro_rules! check {
    ($text:expr, @$expected:literal) => {
        insta::assert_snapshot!(shown(&parse($text).unwrap_err()), @$expected)
    };
}

fn shown(invalid: &Invalid) -> String {
    let shown = invalid.to_string();
    for line in shown.lines() {
        assert!(line.chars().count() <= 80, "wider than 80 columns: {line}");
    }
    shown
}

#[test]
fn an_unknown_key_comes_with_what_was_meant() {
    check!(
        "[slots.api]\ncomand = \"x\"\ncwd = \".\"\nstop = { garce = \"5s\" }\ncolour = 1\n",
        @r#"
error: there is no key `comand` here
 --> worker.toml:2:1
  |
2 | comand = "x"
  | ^^^^^^
  |
  = help: did you mean `command`?

error: there is no key `cwd` here
 --> worker.toml:3:1
  |
3 | cwd = "."
  | ^^^
  |
  = help: did you mean `dir`?

error: there is no key `garce` here
 --> worker.toml:4:10
  |
4 | stop = { garce = "5s" }
  |          ^^^^^
  |
  = help: did you mean `grace`?

error: there is no key `colour` here
 --> worker.toml:5:1
  |
5 | colour = 1
  | ^^^^^^
  |
  = help: these are known: command, dir, env, env_file, ports, start,
          depends_on, prepare, ready, alive, stop, restart, limits, idle,
          on_clean_exit
"#
    );
}

#[test]
fn all_errors_come_at_once_and_each_once() {
    check!(
        "[defaults]\nidle = 5\n[slots.api]\ncommand = 1\nports = true\n[slots.web]\nenv = { A = 1 }\n",
        @r#"
error: this is a whole number, and it must be a duration in quotes, such as
       "15m", or 0, or "never"
 --> worker.toml:2:8
  |
2 | idle = 5
  |        ^

error: this is a whole number, and it must be a list of texts such as ["node",
       "server.js"], or one text
 --> worker.toml:4:11
  |
4 | command = 1
  |           ^

error: this is true or false, and it must be a number of ports such as 2, or
       "auto", or a list of ports such as [3000]
 --> worker.toml:5:9
  |
5 | ports = true
  |         ^^^^

error: this is a whole number, and it must be a text
 --> worker.toml:7:13
  |
7 | env = { A = 1 }
  |             ^
  |
  = help: put it in quotes: "1"
"#
    );
}

#[test]
fn a_key_that_is_there_twice() {
    check!("[slots.api]\ncommand = \"a\"\ncommand = \"b\"\nprots = 1\n[slots.api]\n", @r#"
error: `command` is there twice
 --> worker.toml:3:1
  |
3 | command = "b"
  | ^^^^^^^
  |
  = help: keep one of the two

error: there is no key `prots` here
 --> worker.toml:4:1
  |
4 | prots = 1
  | ^^^^^
  |
  = help: did you mean `ports`?

error: `api` is there twice
 --> worker.toml:5:8
  |
5 | [slots.api]
  |        ^^^
  |
  = help: keep one of the two
"#);
}

#[test]
fn broken_syntax_is_told_without_what_follows_from_it() {
    check!("[slots.api\ncommand = \"a\"\nports = \nname = \"x\n", @r#"
error: this is not TOML: unclosed table, expected `]`
 --> worker.toml:1:11
  |
1 | [slots.api
  |           ^
"#);
}

#[test]
fn bad_durations_and_sizes() {
    check!(
        "[slots.a]\ncommand = \"a\"\nidle = \"soon\"\nstop = { grace = \"5\" }\n\
         restart = { backoff = \"-1s\", window = 5 }\nlimits = { memory = \"2 gigs\", tasks = 0 }\n\
         [slots.b]\ncommand = \"b\"\nlimits = { memory = \"512\" }\n",
        @r#"
error: a duration is a number and a unit: 250ms, 5s, 2m or "1h 30m"
 --> worker.toml:3:8
  |
3 | idle = "soon"
  |        ^^^^^^

error: a duration needs a unit, such as 5s or 5ms
 --> worker.toml:4:18
  |
4 | stop = { grace = "5" }
  |                  ^^^

error: a duration cannot be negative
 --> worker.toml:5:23
  |
5 | restart = { backoff = "-1s", window = 5 }
  |                       ^^^^^

error: this is a whole number, and it must be a duration in quotes, such as "5s"
 --> worker.toml:5:39
  |
5 | restart = { backoff = "-1s", window = 5 }
  |                                       ^

error: a size is a number and a unit: 512MiB (1024²), 2G (1000³)
 --> worker.toml:6:21
  |
6 | limits = { memory = "2 gigs", tasks = 0 }
  |                     ^^^^^^^^

error: the least is 1 and the most is 4294967295
 --> worker.toml:6:39
  |
6 | limits = { memory = "2 gigs", tasks = 0 }
  |                                       ^

error: a size needs a unit, such as 512M or 512MiB
 --> worker.toml:9:21
  |
9 | limits = { memory = "512" }
  |                     ^^^^^
"#
    );
}

#[test]
fn words_that_are_not_among_the_known_ones() {
    check!(
        "[slots.a]\ncommand = \"a\"\nstart = \"eagre\"\nrestart = { when = \"on-fail\" }\n\
         on_clean_exit = \"kill\"\nstop = { signal = \"SIGKIL\" }\n",
        @r#"
error: `eagre` is not one of "eager", "on-demand"
 --> worker.toml:3:9
  |
3 | start = "eagre"
  |         ^^^^^^^
  |
  = help: did you mean "eager"?

error: `on-fail` is not one of "on-failure", "never", "always"
 --> worker.toml:4:20
  |
4 | restart = { when = "on-fail" }
  |                    ^^^^^^^^^
  |
  = help: did you mean "on-failure"?

error: `kill` is not one of "leave", "reap"
 --> worker.toml:5:17
  |
5 | on_clean_exit = "kill"
  |                 ^^^^^^

error: give a signal by its name, such as SIGTERM, SIGINT or QUIT
 --> worker.toml:6:19
  |
6 | stop = { signal = "SIGKIL" }
  |                   ^^^^^^^^
"#
    );
}

#[test]
fn a_circle_of_dependencies() {
    check!(
        "[slots.a]\ncommand = \"a\"\ndepends_on = [\"b\"]\n[slots.b]\ncommand = \"b\"\n\
         depends_on = [\"c\"]\n[slots.c]\ncommand = \"c\"\ndepends_on = [\"a\"]\n\
         [slots.d]\ncommand = \"d\"\ndepends_on = [\"d\"]\n\
         [templates.t]\ncommand = \"t\"\ndepends_on = [\"t@{id}\"]\n",
        @r#"
error: none of these could ever start: a → b → c → a
 --> worker.toml:9:15
  |
3 | depends_on = ["b"]
  |               --- a waits for b
...
9 | depends_on = ["a"]
  |               ^^^
  |
  = help: remove one of these dependencies

error: `d` waits for itself
  --> worker.toml:12:15
   |
12 | depends_on = ["d"]
   |               ^^^
   |
   = help: remove one of these dependencies

error: `t` waits for itself
  --> worker.toml:15:15
   |
15 | depends_on = ["t@{id}"]
   |               ^^^^^^^^
   |
   = help: remove one of these dependencies
"#
    );
}

#[test]
fn a_dependency_that_is_not_there() {
    check!(
        "[slots.a]\ncommand = \"a\"\ndepends_on = [\"dbb\", \"other/db\", \"t\", \"db@x\", \"t@ \", \"db\", \"db\"]\n\
         [slots.db]\ncommand = \"db\"\ndepends_on = [\"a{port}\"]\n[templates.t]\ncommand = \"t\"\n",
        @r#"
error: there is no slot `dbb`
 --> worker.toml:3:15
  |
3 | depends_on = ["dbb", "other/db", "t", "db@x", "t@ ", "db", "db"]
  |               ^^^^^
  |
  = help: did you mean `db`?

error: there is no slot `other/db`
 --> worker.toml:3:22
  |
3 | depends_on = ["dbb", "other/db", "t", "db@x", "t@ ", "db", "db"]
  |                      ^^^^^^^^^^
  |
  = help: a slot can only wait for those of its own file

error: there is no slot `t`
 --> worker.toml:3:34
  |
3 | depends_on = ["dbb", "other/db", "t", "db@x", "t@ ", "db", "db"]
  |                                  ^^^
  |
  = help: it is a template: name an instance: "t@…"

error: there is no template `db`
 --> worker.toml:3:39
  |
3 | depends_on = ["dbb", "other/db", "t", "db@x", "t@ ", "db", "db"]
  |                                       ^^^^^^
  |
  = help: it is a slot: write "db"

error: bad id behind the @ of `t@ `
 --> worker.toml:3:47
  |
3 | depends_on = ["dbb", "other/db", "t", "db@x", "t@ ", "db", "db"]
  |                                               ^^^^^
  |
  = help: a name has 1 to 64 letters (a-z, A-Z), digits and the signs - _ .
          and begins with a letter or a digit

error: `db` is named twice
 --> worker.toml:3:60
  |
3 | depends_on = ["dbb", "other/db", "t", "db@x", "t@ ", "db", "db"]
  |                                                      ----  ^^^^
  |                                                      |
  |                                                      here, too

error: the name of a slot can have no placeholder but {id}
 --> worker.toml:6:17
  |
6 | depends_on = ["a{port}"]
  |                 ^^^^^^
"#
    );
}

#[test]
fn two_slots_with_one_fixed_port() {
    check!(
        "[slots.web]\ncommand = \"a\"\nports = [3000, 3001]\n\n[slots.api]\ncommand = \"b\"\nports = [3001]\n\
         [templates.t]\ncommand = \"t\"\nports = [4000]\n",
        @r#"
error: port 3001 is that of two slots: web and api
 --> worker.toml:7:9
  |
3 | ports = [3000, 3001]
  |         ------------ web has it here
...
7 | ports = [3001]
  |         ^^^^^^
  |
  = help: give one of them another port, or let worker choose one by "auto"

error: the instances of a template cannot all have the same port
  --> worker.toml:10:9
   |
10 | ports = [4000]
   |         ^^^^^^
   |
   = help: say how many ports each one gets, such as ports = 1
"#
    );
    check!("[defaults]\nports = [80]\n[slots.a]\ncommand = \"a\"\n[slots.b]\ncommand = \"b\"\n", @r#"
error: port 80 is that of two slots: a and b
 --> worker.toml:2:9
  |
2 | ports = [80]
  |         ^^^^
  |
  = help: give one of them another port, or let worker choose one by "auto"
"#);
}

#[test]
fn ports_that_cannot_be_meant() {
    check!(
        "[slots.a]\ncommand = \"a\"\nports = 3000\n[slots.b]\ncommand = \"b\"\nports = [3000, 3002]\n\
         [slots.c]\ncommand = \"c\"\nports = [0]\n[slots.d]\ncommand = \"d\"\nports = 1\nenv = { PORT = \"3000\" }\n",
        @r#"
error: a slot can have 256 ports, and 3000 are more
 --> worker.toml:3:9
  |
3 | ports = 3000
  |         ^^^^
  |
  = help: this is how many; for port 3000 itself write [3000]

error: the ports of a slot follow each other, and 256 is the most
 --> worker.toml:6:9
  |
6 | ports = [3000, 3002]
  |         ^^^^^^^^^^^^

error: a port is a number from 1 to 65535
 --> worker.toml:9:10
  |
9 | ports = [0]
  |          ^

error: worker itself sets PORT, since the slot has ports
  --> worker.toml:13:16
   |
13 | env = { PORT = "3000" }
   |                ^^^^^^
   |
   = help: leave it out, or choose another name: NAME = "{port}"
"#
    );
}

#[test]
fn placeholders_without_a_value() {
    check!(
        "[slots.a]\ncommand = \"a {prot} {print}\"\n[slots.b]\ncommand = \"b {port} {id}\"\n\
         [slots.c]\ncommand = \"c {port+2}\"\nports = 2\ndir = \"x/{dir}/{port}\"\nprepare = \"p {port}\"\n",
        @r#"
error: there is no placeholder {prot}
 --> worker.toml:2:14
  |
2 | command = "a {prot} {print}"
  |              ^^^^^^
  |
  = help: did you mean {port}? To have it as it is: {{prot}}

error: there is no placeholder {print}
 --> worker.toml:2:21
  |
2 | command = "a {prot} {print}"
  |                     ^^^^^^^
  |
  = help: did you mean {port}? To have it as it is: {{print}}

error: the slot has no ports: add ports = 1
 --> worker.toml:4:14
  |
4 | command = "b {port} {id}"
  |              ^^^^^^

error: only an instance of a template has an {id}
 --> worker.toml:4:21
  |
4 | command = "b {port} {id}"
  |                     ^^^^

error: the slot has 2 ports, and the last is {port+1}
 --> worker.toml:6:14
  |
6 | command = "c {port+2}"
  |              ^^^^^^^^

error: {dir} is what this very text says, so it cannot stand in it
 --> worker.toml:8:10
  |
8 | dir = "x/{dir}/{port}"
  |          ^^^^^

error: ports are chosen later than this is needed
 --> worker.toml:8:16
  |
8 | dir = "x/{dir}/{port}"
  |                ^^^^^^

error: ports are chosen later than this is needed
 --> worker.toml:9:14
  |
9 | prepare = "p {port}"
  |              ^^^^^^
"#
    );
}

#[test]
fn options_that_do_not_hold_together() {
    check!(
        "[slots.a]\ncommand = \"a\"\nready = { notify = true, timeout = \"10m\" }\n\
         restart = { backoff = \"2m\", backoff_max = \"1m\", window = \"5m\" }\n\
         [slots.b]\ncommand = \"b\"\nready = { notify = true, timeout = \"0s\" }\n\
         alive = { exec = \"x\", every = \"0s\" }\n\
         [slots.c]\ncommand = \"c\"\nrestart = { backoff = \"0s\", backoff_max = \"0s\" }\n\
         [slots.d]\ncommand = \"d\"\nrestart = { backoff_max = \"0s\" }\n",
        @r#"
error: `backoff` (2m) is longer than `backoff_max` (1m)
 --> worker.toml:4:23
  |
4 | restart = { backoff = "2m", backoff_max = "1m", window = "5m" }
  |                       ^^^^
  |
  = help: make `backoff_max` at least as long as `backoff`

error: two failures can lie 12m apart, and `window` is 5m, so it would never
       give up
 --> worker.toml:4:58
  |
4 | restart = { backoff = "2m", backoff_max = "1m", window = "5m" }
  |                                                          ^^^^
  |
  = help: make `window` at least 12m, or the delays shorter

error: `ready.timeout` is 0, so the slot could never be ready
 --> worker.toml:7:36
  |
7 | ready = { notify = true, timeout = "0s" }
  |                                    ^^^^

error: this must be longer than 0
 --> worker.toml:8:31
  |
8 | alive = { exec = "x", every = "0s" }
  |                               ^^^^

error: `backoff` is 0, so a program that cannot start would be tried without a
       pause: use 1ms or more
  --> worker.toml:11:23
   |
11 | restart = { backoff = "0s", backoff_max = "0s" }
   |                       ^^^^

error: `backoff` (1s) is longer than `backoff_max` (0s)
  --> worker.toml:14:27
   |
14 | restart = { backoff_max = "0s" }
   |                           ^^^^
   |
   = help: make `backoff_max` at least as long as `backoff`
"#
    );
}

#[test]
fn probes_are_exactly_one_and_have_a_port_to_look_at() {
    check!(
        "[slots.a]\ncommand = \"a\"\nready = { http = \"/\", tcp = true }\n\
         [slots.b]\ncommand = \"b\"\nready = { timeout = \"5s\" }\n\
         [slots.c]\ncommand = \"c\"\nready = { http = \"/\" }\nalive = { tcp = true }\n\
         [slots.d]\ncommand = \"d\"\nready = { log = \"(\" }\n",
        @r#"
error: there can be only one of http, tcp, log, exec, notify
 --> worker.toml:3:29
  |
3 | ready = { http = "/", tcp = true }
  |                  ---        ^^^^
  |                  |
  |                  the other one
  |
  = help: remove one of them

error: there is no probe in here
 --> worker.toml:6:9
  |
6 | ready = { timeout = "5s" }
  |         ^^^^^^^^^^^^^^^^^^
  |
  = help: add one of http, tcp, log, exec, notify, or write "none"

error: this looks at the slot's first port, and it has no ports
 --> worker.toml:9:18
  |
9 | ready = { http = "/" }
  |                  ^^^
  |
  = help: add ports = 1 to the slot, or name the port here

error: this looks at the slot's first port, and it has no ports
  --> worker.toml:10:17
   |
10 | alive = { tcp = true }
   |                 ^^^^
   |
   = help: add ports = 1 to the slot, or name the port here

error: found open group without closing ')'; to match signs such as ( or * as
       they are, put \ before
  --> worker.toml:13:17
   |
13 | ready = { log = "(" }
   |                 ^^^
"#
    );
}

#[test]
fn commands_that_are_none() {
    check!(
        "[slots.a]\n[slots.b]\ncommand = []\n[slots.c]\ncommand = \"a && b\"\n[slots.d]\ncommand = \"a 'b\"\n\
         [slots.e]\ncommand = [\"\", \"x\"]\n[slots.f]\ncommand = [\"a\\u0000\"]\n[templates.t]\nstart = \"eager\"\n",
        @r#"
error: the slot `a` has no command
 --> worker.toml:1:1
  |
1 | [slots.a]
  | ^^^^^^^^^
  |
  = help: add one, such as command = ["node", "server.js"]

error: there is no program to run in here
 --> worker.toml:3:11
  |
3 | command = []
  |           ^^

error: no shell runs, so `&&` would be a mere argument
 --> worker.toml:5:14
  |
5 | command = "a && b"
  |              ^^
  |
  = help: run one: ["sh", "-c", "…"]. If it is meant as an argument, write a
          list

error: a quote in this command is not closed
 --> worker.toml:7:11
  |
7 | command = "a 'b"
  |           ^^^^^^

error: the program's name, which comes first, is empty
 --> worker.toml:9:11
  |
9 | command = ["", "x"]
  |           ^^^^^^^^^

error: there is a NUL in this text, which no program can be given
  --> worker.toml:11:12
   |
11 | command = ["a\u0000"]
   |            ^^^^^^^^^

error: the template `t` has no command
  --> worker.toml:12:1
   |
12 | [templates.t]
   | ^^^^^^^^^^^^^
   |
   = help: add one, such as command = ["node", "server.js"]

error: a template has no id to start with, so it cannot be "eager"
  --> worker.toml:13:9
   |
13 | start = "eager"
   |         ^^^^^^^
   |
   = help: write "on-demand"
"#
    );
}

#[test]
fn names_that_cannot_stand_in_a_path() {
    check!(
        "project = \"a/b\"\n[slots.\"a b\"]\ncommand = \"x\"\n[templates.\"../x\"]\ncommand = \"x\"\n\
         [slots.c]\ncommand = \"c\"\nenv = { \"A=B\" = \"x\", WORKER_RUN = \"1\" }\ndir = \"~bob/x\"\n",
        @r#"
error: a name has 1 to 64 letters (a-z, A-Z), digits and the signs - _ . and
       begins with a letter or a digit
 --> worker.toml:1:11
  |
1 | project = "a/b"
  |           ^^^^^

error: bad name `a b`
 --> worker.toml:2:8
  |
2 | [slots."a b"]
  |        ^^^^^
  |
  = help: a name has 1 to 64 letters (a-z, A-Z), digits and the signs - _ .
          and begins with a letter or a digit

error: bad name `../x`
 --> worker.toml:4:12
  |
4 | [templates."../x"]
  |            ^^^^^^
  |
  = help: a name has 1 to 64 letters (a-z, A-Z), digits and the signs - _ .
          and begins with a letter or a digit

error: bad name `A=B`
 --> worker.toml:8:9
  |
8 | env = { "A=B" = "x", WORKER_RUN = "1" }
  |         ^^^^^
  |
  = help: the name of a variable holds letters, digits, `_`, `.` and `-`,
          and begins with no digit

error: bad name `WORKER_RUN`
 --> worker.toml:8:22
  |
8 | env = { "A=B" = "x", WORKER_RUN = "1" }
  |                      ^^^^^^^^^^
  |
  = help: worker itself sets this variable
"#
    );
}

#[test]
fn an_error_names_the_file_that_it_is_in() {
    let invalid = parse_both(
        "[slots.a]\ncommand = \"a\"\nports = [3000]\n",
        "[slots.b]\ncommand = \"b\"\nports = [3000]\nx = 1\n",
    );
    insta::assert_snapshot!(shown(&invalid.unwrap_err()), @r#"
error: port 3000 is that of two slots: a and b
 --> worker.local.toml:3:9
  |
3 | ports = [3000]
  |         ^^^^^^
  |
 ::: worker.toml:3:9
  |
3 | ports = [3000]
  |         ------ a has it here
  |
  = help: give one of them another port, or let worker choose one by "auto"

error: there is no key `x` here
 --> worker.local.toml:4:1
  |
4 | x = 1
  | ^
  |
  = help: these are known: command, dir, env, env_file, ports, start,
          depends_on, prepare, ready, alive, stop, restart, limits, idle,
          on_clean_exit
"#);
}

#[test]
fn a_file_that_is_not_text() {
    let invalid = read(files(&[b"project = \"x\"\n# \xff\n"]), &home()).unwrap_err();
    insta::assert_snapshot!(shown(&invalid), @r#"
error: this is not UTF-8 text
 --> worker.toml:2:3
  |
2 | # �
  |   ^
  |
  = help: save the file as UTF-8
"#);
}

#[test]
fn a_home_folder_is_that_of_the_user_and_no_other() {
    check!("[slots.a]\ncommand = \"a\"\ndir = \"~bob/x\"\nenv_file = \"~.env\"\n", @r#"
error: `~` can only stand alone or before a `/`
 --> worker.toml:3:7
  |
3 | dir = "~bob/x"
  |       ^^^^^^^^
  |
  = help: write the whole path

error: `~` can only stand alone or before a `/`
 --> worker.toml:4:12
  |
4 | env_file = "~.env"
  |            ^^^^^^^
  |
  = help: write the whole path
"#);
}

#[test]
fn a_folder_whose_name_cannot_be_the_name_of_the_project() {
    let home = Home { folder: "/work/My Shop (2)".into(), ..home() };
    let invalid = read(files(&[b"[slots.a]\ncommand = \"a\"\n"]), &home).unwrap_err();
    insta::assert_snapshot!(shown(&invalid), @r#"
error: the folder's name "My Shop (2)" cannot be the project's name: a name has
       1 to 64 letters (a-z, A-Z), digits and the signs - _ . and begins with a
       letter or a digit
 --> worker.toml:1:1
  |
1 | [slots.a]
  | ^
  |
  = help: name the project here: project = "my-shop-2"
"#);
}

#[test]
fn what_the_defaults_get_wrong_for_a_slot_names_the_slot() {
    check!(
        "[defaults]\nenv = { URL = \"http://localhost:{port}\" }\nready = { tcp = true }\n\
         restart = { window = \"1s\" }\n[slots.a]\ncommand = \"a\"\nports = 1\n\
         [slots.b]\ncommand = \"b\"\nrestart = { window = \"1h\" }\n",
        @r#"
error: the slot has no ports: add ports = 1
 --> worker.toml:2:33
  |
2 | env = { URL = "http://localhost:{port}" }
  |                                 ^^^^^^
...
8 | [slots.b]
  | --------- it is inherited here

error: this looks at the slot's first port, and it has no ports
 --> worker.toml:3:17
  |
3 | ready = { tcp = true }
  |                 ^^^^
...
8 | [slots.b]
  | --------- it is inherited here
  |
  = help: add ports = 1 to the slot, or name the port here

error: two failures can lie 1m 30s apart, and `window` is 1s, so it would never
       give up
 --> worker.toml:4:22
  |
4 | restart = { window = "1s" }
  |                      ^^^^
5 | [slots.a]
  | --------- it is inherited here
  |
  = help: make `window` at least 1m 30s, or the delays shorter
"#
    );
}
