//! The trees, as scripts of `worker-fixture`.

/// A tree.
pub(super) struct Specimen {
    pub(super) name: &'static str,
    /// What the leader does before it says that it is up. `PORT` and `MARKER` are filled in.
    pub(super) script: &'static str,
    /// How many processes say that they are up, the leader included.
    pub(super) says_up: usize,
    /// What must be seen in `/proc` before an end may come.
    pub(super) proof: Proof,
    /// What is peculiar about how it is run.
    pub(super) trait_: Trait,
    /// A few that stand for all, where there is little time.
    pub(super) is_small: bool,
}

/// A tree is complete when it has at least so many of these.
pub(super) struct Proof {
    pub(super) members: usize,
    /// In another session than the leader.
    pub(super) own_session: usize,
    /// In another group than the leader.
    pub(super) own_group: usize,
    pub(super) stopped: usize,
}

/// What else there is to a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trait {
    Nothing,
    /// `worker` reads the output, so that a pipe of its own is held.
    OutputIsRead,
    /// The next run binds the same port.
    PortIsReused,
    /// A neighbour lives beside it, and one of the processes carries its marker.
    HasNeighbour,
}

const fn proof(members: usize, own_session: usize, own_group: usize, stopped: usize) -> Proof {
    Proof { members, own_session, own_group, stopped }
}

const fn tree(
    name: &'static str,
    script: &'static str,
    says_up: usize,
    proof: Proof,
    trait_: Trait,
) -> Specimen {
    Specimen { name, script, says_up, proof, trait_, is_small: false }
}

const fn small(tree: Specimen) -> Specimen {
    Specimen { is_small: true, ..tree }
}

/// Every tree, in the order of the table.
pub(super) const SPECIMENS: [Specimen; 16] = [
    tree("plain", "fork { up c sleep }", 2, proof(2, 0, 0, 0), Trait::Nothing),
    tree(
        "three deep",
        "fork { fork { up c sleep } up b sleep }",
        3,
        proof(3, 0, 0, 0),
        Trait::Nothing,
    ),
    small(tree(
        "ignores TERM, INT and HUP",
        "fork { ignore TERM ignore INT ignore HUP fork { up c sleep } up b sleep }",
        3,
        proof(3, 0, 0, 0),
        Trait::Nothing,
    )),
    tree(
        "setsid grandchild",
        "fork { fork { setsid up c sleep } up b sleep }",
        3,
        proof(3, 1, 1, 0),
        Trait::Nothing,
    ),
    small(tree(
        "double-fork daemon",
        "daemon { ignore TERM ignore INT ignore HUP up d sleep }",
        2,
        proof(2, 1, 1, 0),
        Trait::Nothing,
    )),
    tree("setpgid child", "fork { setpgid up c sleep }", 2, proof(2, 0, 1, 0), Trait::Nothing),
    tree(
        "child holds stdout",
        "fork { ignore TERM up c sleep }",
        2,
        proof(2, 0, 0, 0),
        Trait::OutputIsRead,
    ),
    tree(
        "holds stdout, own session",
        "fork { setsid ignore TERM up c sleep }",
        2,
        proof(2, 1, 1, 0),
        Trait::OutputIsRead,
    ),
    small(tree(
        "child listens on a port",
        "daemon { listen PORT up d sleep }",
        2,
        proof(2, 1, 1, 0),
        Trait::PortIsReused,
    )),
    tree(
        "stopped child",
        "fork { up c stop sleep } daemon { up d stop sleep }",
        3,
        proof(3, 1, 1, 2),
        Trait::Nothing,
    ),
    tree("pair that re-forks", "fork { respawn-pair }", 2, proof(3, 0, 0, 0), Trait::Nothing),
    small(tree(
        "re-forks, in own sessions",
        "fork { respawn-pair-setsid }",
        2,
        proof(3, 1, 1, 0),
        Trait::Nothing,
    )),
    // One forks from the beginning, the other when it is asked to end.
    tree(
        "200 forks while being killed",
        "fork { on TERM { ignore TERM fork-many 200 } up c sleep } \
         daemon { up d fork-many 200 sleep }",
        3,
        proof(3, 1, 1, 0),
        Trait::Nothing,
    ),
    small(tree(
        "env wiped, argv overwritten",
        "fork { clear-env { wipe up c sleep } } daemon { clear-env { wipe up d sleep } }",
        3,
        proof(3, 1, 1, 0),
        Trait::Nothing,
    )),
    tree(
        "marker of another slot",
        "daemon { with-env WORKER_MARKER=MARKER { up d sleep } }",
        2,
        proof(2, 1, 1, 0),
        Trait::HasNeighbour,
    ),
    tree("500 processes, half escaped", "swarm 500", 501, proof(501, 250, 250, 0), Trait::Nothing),
];
