//! State × input: which input was given to a slot in which state, and why some never are.

use worker_core::{Ask, Owner, Report, StateName};

use super::ledger::state_name;

pub(crate) const STATES: [Option<StateName>; 7] = [
    None,
    Some(StateName::Starting),
    Some(StateName::Running),
    Some(StateName::Restarting),
    Some(StateName::Stopping),
    Some(StateName::Error),
    Some(StateName::Failed),
];

/// Inputs as the coverage table tells them apart.
pub(crate) const INPUTS: [&str; 29] = [
    "early tick",
    "deadline",
    "start",
    "stop",
    "restart",
    "reset",
    "touch",
    "resume",
    "death",
    "shutdown",
    "shutdown now",
    "Reserved",
    "PortsBusy",
    "Spawned",
    "SpawnFailed",
    "Ready",
    "Ready stranger",
    "Alive",
    "not Alive",
    "Memory",
    "UseChecked",
    "Leased",
    "Returned",
    "Evict",
    "Flushed",
    "LeaderExited 0",
    "LeaderExited",
    "TreeGone",
    "an old run's",
];

/// The column for the supervisor's death.
pub(crate) const DEATH: usize = 8;

/// The column for an orderly shutdown; that for an immediate one is the next.
pub(crate) const SHUTDOWN: usize = 9;

/// The column for reports of runs that are history.
pub(crate) const OLD_RUN: usize = INPUTS.len() - 1;

/// How often each cell was entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Coverage {
    cells: [[u64; INPUTS.len()]; STATES.len()],
}

impl Coverage {
    pub(crate) fn new() -> Self {
        Self { cells: [[0; INPUTS.len()]; STATES.len()] }
    }

    pub(crate) fn enter(&mut self, state: Option<StateName>, column: usize) {
        let row = STATES.iter().position(|known| *known == state).unwrap_or(0);
        self.cells[row][column] += 1;
    }

    /// Cells entered, of those that can be.
    pub(crate) fn extent(&self) -> (usize, usize) {
        let entered = self.cells.iter().flatten().filter(|count| **count > 0).count();
        (entered, entered + self.gaps().len())
    }

    /// The table of state × input, with a reason for each cell that was never entered.
    pub(crate) fn table(&self) -> String {
        let mut text = format!("{:<15}", "");
        for state in STATES {
            text.push_str(&format!("{:>11}", state_name(state)));
        }
        text.push('\n');
        for (column, input) in INPUTS.iter().enumerate() {
            text.push_str(&format!("{input:<15}"));
            for (row, state) in STATES.iter().enumerate() {
                let count = self.cells[row][column];
                let cell =
                    if count > 0 { count.to_string() } else { reason(*state, column).into() };
                text.push_str(&format!("{cell:>11}"));
            }
            text.push('\n');
        }
        text.push_str(REASONS);
        text
    }

    /// Cells that were not entered although nothing forbids it.
    pub(crate) fn gaps(&self) -> Vec<String> {
        let mut gaps = Vec::new();
        for (row, state) in STATES.iter().enumerate() {
            for (column, input) in INPUTS.iter().enumerate() {
                if self.cells[row][column] == 0 && reason(*state, column) == GAP {
                    gaps.push(format!("{} × {input}", state_name(*state)));
                }
            }
        }
        gaps
    }
}

const GAP: &str = "GAP";
const REASONS: &str = "\
-run   without a run there is none that could be spoken of; what comes is an old run's
-none  such a state has no deadline
-spwn  a spawned run is past that, and a run at rest has no order of that kind open
-boot  readiness, use and liveness are asked for once it runs, or were asked for before
";

/// Why a cell cannot be entered.
fn reason(state: Option<StateName>, column: usize) -> &'static str {
    let report = (11..28).contains(&column);
    match state {
        None | Some(StateName::Restarting | StateName::Error | StateName::Failed) if report => {
            "-run"
        }
        None | Some(StateName::Error | StateName::Failed) if column == 1 => "-none",
        Some(StateName::Running) if matches!(column, 11 | 12 | 14 | 24) => "-spwn",
        Some(StateName::Stopping) if matches!(column, 11 | 12) => "-spwn",
        Some(StateName::Starting) if matches!(column, 17 | 18 | 19 | 20 | 24) => "-boot",
        None
        | Some(
            StateName::Starting
            | StateName::Running
            | StateName::Restarting
            | StateName::Stopping
            | StateName::Error
            | StateName::Failed,
        ) => GAP,
    }
}

pub(crate) const fn request_column(ask: &Ask) -> usize {
    match ask {
        Ask::Start(_) => 2,
        Ask::Stop => 3,
        Ask::Restart(_) => 4,
        Ask::Reset => 5,
        Ask::Touch => 6,
        Ask::Resume(..) => 7,
    }
}

pub(crate) const fn report_column(report: Report) -> usize {
    match report {
        Report::Reserved => 11,
        Report::PortsBusy => 12,
        Report::Spawned => 13,
        Report::SpawnFailed(_) => 14,
        Report::Ready(Owner::Own | Owner::Unknown) => 15,
        Report::Ready(Owner::Stranger) => 16,
        Report::Alive(true) => 17,
        Report::Alive(false) => 18,
        Report::Memory(_) => 19,
        Report::UseChecked { .. } => 20,
        Report::Leased => 21,
        Report::Returned => 22,
        Report::Evict => 23,
        Report::Flushed => 24,
        Report::LeaderExited(worker_core::Exit::Code(0)) => 25,
        Report::LeaderExited(_) => 26,
        Report::TreeGone { .. } => 27,
    }
}
