//! Values as text; nothing of this machine is looked at.

use insta::assert_snapshot;

use super::super::diagnosis::{Daemon, Journal, Leftover, Process, Trees};
use super::*;

/// A server that systemd runs, where all is well.
fn healthy() -> Diagnosis {
    Diagnosis {
        trees: Trees {
            tier: Tier::Cgroup,
            folder: Some("/sys/fs/cgroup/user.slice/run-u12.scope".into()),
            no_cgroups: None,
            mend: None,
        },
        guardian: Guardian::Stands,
        journal: Journal {
            folder: Some("/home/ada/.local/state/worker/journal".into()),
            problem: None,
            put_aside: Vec::new(),
            supervisors: 2,
        },
        daemon: Daemon { pid: Some(4711), warnings: Vec::new() },
        leftovers: Vec::new(),
        kernel: Kernel {
            version: "Linux 6.18.44".to_owned(),
            processes: true,
            pidfd: true,
            pidfd_group: true,
            children_lists: true,
            subreaper: true,
            cgroup2: true,
            controllers: ["cpu", "memory", "pids"].map(str::to_owned).to_vec(),
            memory_pressure: true,
        },
        limits: Limits {
            processes: Limit { soft: Some(15_618), hard: Some(15_618) },
            open_files: Limit { soft: Some(1024), hard: Some(1_048_576) },
            pid_max: Some(4_194_304),
        },
    }
}

/// A container on an old kernel, with leftovers.
fn second_best() -> Diagnosis {
    let mut diagnosis = healthy();
    diagnosis.daemon = Daemon {
        pid: Some(4711),
        warnings: vec!["the output of shop/api cannot be kept: no space left".to_owned()],
    };
    diagnosis.trees = Trees {
        tier: Tier::Subreaper,
        folder: None,
        no_cgroups: Some(
            "no cgroup can be made below /sys/fs/cgroup: Read-only file system (os error 30)"
                .to_owned(),
        ),
        mend: Some("run it as root".to_owned()),
    };
    let process = |pid| Process { pid, description: format!("pid {pid} `node server.js`") };
    diagnosis.leftovers = vec![
        Leftover { supervisor: 4711, processes: vec![process(4720)] },
        Leftover { supervisor: 5000, processes: (5001..=5010).map(process).collect() },
    ];
    diagnosis.journal.put_aside =
        vec!["/home/ada/.local/state/worker/journal/1-2-3.damaged".into()];
    diagnosis.kernel.version = "Linux 5.4.0".to_owned();
    diagnosis.kernel.pidfd_group = false;
    diagnosis.kernel.controllers.clear();
    diagnosis.kernel.memory_pressure = false;
    diagnosis.limits.processes = Limit { soft: None, hard: None };
    diagnosis
}

/// macOS, with a home that cannot be written.
fn impossible() -> Diagnosis {
    let mut diagnosis = healthy();
    diagnosis.trees = Trees {
        tier: Tier::Group,
        folder: None,
        no_cgroups: Some("this system has no cgroups".to_owned()),
        mend: None,
    };
    diagnosis.guardian = Guardian::FindsNothing;
    diagnosis.journal.problem =
        Some("/Users/ada/.local/state/worker/journal: Read-only file system".to_owned());
    diagnosis.kernel = Kernel {
        version: "Darwin 25.1.0".to_owned(),
        processes: true,
        pidfd: false,
        pidfd_group: false,
        children_lists: false,
        subreaper: false,
        cgroup2: false,
        controllers: Vec::new(),
        memory_pressure: false,
    };
    diagnosis.limits.pid_max = None;
    diagnosis
}

fn text(diagnosis: &Diagnosis) -> String {
    let text = render(diagnosis);
    let long: Vec<&str> = text.lines().filter(|line| line.chars().count() > WIDTH).collect();
    assert_eq!(long, [""; 0], "longer than {WIDTH} columns");
    text
}

#[test]
fn where_all_is_well() {
    assert_snapshot!(text(&healthy()));
}

#[test]
fn where_the_next_best_has_to_do() {
    assert_snapshot!(text(&second_best()));
}

#[test]
fn where_promises_cannot_be_kept() {
    assert_snapshot!(text(&impossible()));
}

#[test]
fn as_pid_1_neither_guardian_nor_journal_is_needed() {
    let mut diagnosis = impossible();
    diagnosis.trees.tier = Tier::Subreaper;
    diagnosis.kernel.subreaper = true;
    diagnosis.guardian = Guardian::NotNeeded;
    assert_eq!(diagnosis.problems(), []);
    assert!(text(&diagnosis).contains("journal               not needed"));
}

#[test]
fn the_json_has_the_verdict_and_everything_that_was_found() {
    assert_snapshot!(second_best().to_json());
    let json: serde_json::Value = serde_json::from_str(&impossible().to_json()).unwrap();
    assert_eq!(json["ok"], false);
    assert_eq!(json["problems"].as_array().map(Vec::len), Some(2));
}
