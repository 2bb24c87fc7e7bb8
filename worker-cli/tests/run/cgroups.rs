//! Cgroups of runs, as `--cgroup` says.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::common::{Running, bare, eventually, run_sh, send_signal, state};

/// The cgroup of this process in `/sys/fs/cgroup`, where one can be made below it. Says why not
/// else, and the test has nothing to see.
fn writable_cgroup() -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let mount = mounts.lines().find(|line| line.contains(" - cgroup2 "));
    let point = mount.and_then(|mount| mount.split(' ').nth(4));
    let home = point.map(|point| Path::new(point).join(cgroup_of("self").trim_start_matches('/')));
    let trial = home.as_ref()?.join(format!("test-{}", std::process::id()));
    let made = fs::create_dir_all(&trial); // Another test may be at it.
    let _ = fs::remove_dir(&trial);
    if let Err(error) = &made {
        println!("skipped: no cgroup can be made here: {error}");
    }
    home.filter(|_| made.is_ok())
}

fn cgroup_of(pid: &str) -> String {
    let cgroup = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
    cgroup.lines().find_map(|line| line.strip_prefix("0::")).unwrap_or_default().to_owned()
}

/// The folders of a supervisor in our process namespace.
fn folders_of(home: &Path, supervisor: i32) -> Vec<String> {
    let names = fs::read_dir(home).unwrap().map(|entry| entry.unwrap().file_name());
    let names = names.map(|name| name.into_string().unwrap());
    let namespace = fs::metadata("/proc/self/ns/pid").unwrap().ino();
    let part = format!(".{namespace}.{supervisor}.");
    names.filter(|name| name.starts_with("worker.") && name.contains(&part)).collect()
}

fn own_cgroup_of_the_command(options: &[&str]) -> String {
    let finished = run_sh(options, "cat /proc/self/cgroup").finish();
    finished.check_code(0);
    let stdout = finished.stdout();
    stdout.lines().find_map(|line| line.strip_prefix("0::")).unwrap_or_default().to_owned()
}

#[test]
fn a_command_has_a_cgroup_of_its_own_unless_it_is_not_to_have_one() {
    if writable_cgroup().is_none() {
        return;
    }
    let own = own_cgroup_of_the_command(&[]);
    assert!(own.contains("/worker.") && own.ends_with("/run-1"), "{own}");
    assert_eq!(own_cgroup_of_the_command(&["--cgroup", "never"]), cgroup_of("self"));
}

/// Beyond reach without its cgroup, once all that is above it is gone: no group, no session, no
/// parent, no environment. Holds stdout, so that its end is seen.
const UNTRACEABLE: &str = "(setsid env -i sh -c 'echo hidden $$; exec sleep 600' &); sleep 600";

fn hidden(running: &Running) -> i32 {
    running.await_stdout("hidden").rsplit(' ').next().unwrap().parse().unwrap()
}

#[test]
fn a_guardian_removes_the_cgroups_of_a_supervisor_that_was_killed() {
    let Some(home) = writable_cgroup() else { return };
    let running = run_sh(&[], UNTRACEABLE).start();
    hidden(&running);
    let supervisor = running.supervisor();
    assert_eq!(folders_of(&home, supervisor).len(), 1);
    send_signal(supervisor, "KILL");
    running.finish().check_code(137);
    assert_eq!(folders_of(&home, supervisor), [""; 0]);
}

#[test]
fn the_next_start_ends_what_was_left_when_guardian_and_supervisor_were_killed() {
    let Some(home) = writable_cgroup() else { return };
    // Apart from other tests, each start of which is the next one for its cgroup and those beside.
    let outer = home.join(format!("test-{}-both", std::process::id()));
    let home = outer.join("home");
    fs::create_dir_all(&home).unwrap();
    let script = format!("echo 0 > {}/cgroup.procs && exec \"$@\"", home.display());
    let apart = ["sh", "-c", &script, "sh"];
    let running = run_sh(&[], UNTRACEABLE).under(&apart).start();
    let hidden = hidden(&running);
    let supervisor = running.supervisor();
    send_signal(running.pid(), "STOP"); // So that it cannot do its duty in between.
    send_signal(supervisor, "KILL");
    send_signal(running.pid(), "KILL");
    eventually("the end of both", || matches!(state(supervisor), Some('Z') | None));
    assert!(matches!(state(hidden), Some('R' | 'S' | 'D')), "it lives");

    let next = run_sh(&[], "true").under(&apart).finish();
    next.check_code(0).check_stderr("had left behind");
    assert_eq!(folders_of(&home, supervisor), [""; 0]);
    running.finish(); // Its end proves that nobody holds stdout.
    fs::remove_dir(&home).and_then(|()| fs::remove_dir(&outer)).unwrap();
}

#[test]
fn a_scope_needs_systemd() {
    if Path::new("/run/systemd/system").exists() {
        println!("skipped: systemd runs this system");
        return;
    }
    let finished = bare(&["run", "--cgroup", "scope", "--", "true"]).finish();
    finished.check_code(1).check_stderr("systemd does not run this system");
    finished.check_stderr("hint: use --cgroup auto");
}
