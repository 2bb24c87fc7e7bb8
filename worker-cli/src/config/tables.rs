//! The tables of `worker.toml` as they are written: every key, what it is for and what it takes.

use super::name::Name;
use super::setting::table;
use super::slot::Start;
use super::text::Text;
use super::values::{
    Choice, Count, HttpTarget, Idle, List, LogPattern, Map, OptionalWords, OrNone, Owner, PathText,
    Ports, SignalName, Size, TcpTarget, Time, Variable, Words, Yes,
};
use crate::args::{Leftovers, When};

table! {
    /// The processes that `worker` keeps running for a project.
    File {
        /// The project's name. Default: the name of the folder.
        project: Name,
        /// What holds for every slot and template that does not say otherwise.
        defaults: SlotTable,
        /// The slots by their names.
        slots: Map<Name, SlotTable>,
        /// Templates of slots: `worker start agent@x` starts the template `agent` with the id `x`.
        templates: Map<Name, SlotTable>,
    }
}

table! {
    /// A slot, which is a named thing to keep running.
    SlotTable {
        /// The program and its arguments: a list, or one text that is split like a shell would, but no shell runs.
        command: Words,
        /// The folder to run in, from the folder of this file on. Default: that folder.
        dir: PathText,
        /// Environment variables. They win over `env_file`.
        env: Map<Variable, Text>,
        /// Files of KEY=VALUE lines, read at each start, from the folder of this file on.
        env_file: List<PathText>,
        /// How many free ports each run gets as PORT, PORT_1 and so on; or "auto" for one; or a list of fixed ports.
        ports: Ports,
        /// When to start: by `worker up`, or when asked for. Default: "eager", and "on-demand" for templates.
        start: Choice<Start>,
        /// Slots that must be ready before this one starts.
        depends_on: List<Text>,
        /// What to run once per slot and folder before the first start, for 10 minutes at most.
        prepare: OptionalWords,
        /// How to see that it is ready. Default: as soon as it is spawned.
        ready: OrNone<ReadyTable>,
        /// How to see that it is still well. Default: as long as it runs.
        alive: OrNone<AliveTable>,
        /// How to stop.
        stop: StopTable,
        /// When and how fast to restart, and when to give up.
        restart: RestartTable,
        /// How much of the machine it may take.
        limits: LimitsTable,
        /// Stop it when it was not used for so long. Default: "15m" for slots on demand, else never.
        idle: Idle,
        /// What becomes of processes that the command leaves behind when it ends cleanly. Default: "leave".
        on_clean_exit: Choice<Leftovers>,
    }
}

table! {
    /// Readiness. Exactly one probe.
    ReadyTable {
        /// A GET of this path is answered with a status of 2xx or 3xx: "/health", ":3000/health".
        http: HttpTarget,
        /// A port is listened on: true for PORT, or another one.
        tcp: TcpTarget,
        /// A line of the output matches this regular expression.
        log: LogPattern,
        /// This command exits with 0.
        exec: Words,
        /// It sends READY=1 to $NOTIFY_SOCKET, as for systemd.
        notify: Yes,
        /// How long it may take; longer is a failure. Default: "30s".
        timeout: Time,
        /// Whose answer counts. Default: "own".
        owner: Choice<Owner>,
    }
    one_of(http, tcp, log, exec, notify)
}

table! {
    /// Liveness. Exactly one probe.
    AliveTable {
        /// A GET of this path is answered with a status of 2xx or 3xx: "/health", ":3000/health".
        http: HttpTarget,
        /// A port is listened on: true for PORT, or another one.
        tcp: TcpTarget,
        /// This command exits with 0.
        exec: Words,
        /// How often to look. Default: "10s".
        every: Time,
        /// How long an answer may take. Default: "1s".
        timeout: Time,
        /// So many failed looks in a row are a failure. Default: 3.
        failures: Count,
    }
    one_of(http, tcp, exec)
}

table! {
    /// How to stop.
    StopTable {
        /// The signal that asks the processes to end. Default: "SIGTERM".
        signal: SignalName,
        /// How long the processes have to end before SIGKILL. Default: "5s".
        grace: Time,
    }
}

table! {
    /// When and how fast to restart, and when to give up.
    RestartTable {
        /// Which ends are followed by a restart. Default: "on-failure".
        when: Choice<When>,
        /// Give up after so many failures in a row. Default: 8.
        max_failures: Count,
        /// Failures further apart than this are not in a row. Default: "5m".
        window: Time,
        /// Being ready for so long forgets the failures before. Default: "60s".
        healthy_after: Time,
        /// The delay before the first restart; it doubles with each failure. Default: "1s".
        backoff: Time,
        /// No delay is longer than this. Default: "60s".
        backoff_max: Time,
    }
}

table! {
    /// How much of the machine a slot may take.
    LimitsTable {
        /// Memory of the whole tree; more is a failure: "512MiB" (1024²), "2G" (1000³).
        memory: OrNone<Size>,
        /// How many processes and threads the tree may have.
        tasks: OrNone<Count>,
    }
}
