//! One slot: what it lacks, and what of it does not hold together.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Checks, Draft, Kind};
use crate::config::problem::Problem;
use crate::config::setting::At;
use crate::config::slot::{Liveness, Look, Slot, Start};
use crate::config::source::Place;
use crate::config::tables::{AliveTable, ReadyTable, SlotTable};
use crate::config::text::Text;
use crate::config::values::{HttpTarget, OrNone, TcpTarget, Words};

const ALIVE_EVERY: Duration = Duration::from_secs(10);
const ALIVE_TIMEOUT: Duration = Duration::from_secs(1);

impl Checks<'_> {
    /// The slot. None if it is of no use; then it was said why.
    pub(super) fn slot(&mut self, draft: &Draft<'_>) -> Option<Slot> {
        if !draft.sound {
            return None;
        }
        self.check_placeholders(draft);
        self.check_ports(draft);
        let table = &draft.table;
        let (start, ready, alive) = (self.start(draft), self.ready(draft), self.alive(draft));
        let spec = self.spec(draft, start, ready.is_some(), alive.is_some());
        let command = self.command(draft);
        let (dir, env_files) =
            (self.dir(table.dir.as_deref()), self.files(table.env_file.as_deref()));
        Some(Slot {
            command: command?,
            dir: dir?,
            env: env(table),
            env_files: env_files?,
            prepare: table.prepare.as_ref().map(|it| texts(&it.value.0)).unwrap_or_default(),
            start,
            depends_on: table.depends_on.as_ref().map(|it| texts(&it.value.0)).unwrap_or_default(),
            ready,
            alive,
            task_limit: task_limit(table),
            spec: spec?,
        })
    }

    fn command(&mut self, draft: &Draft<'_>) -> Option<Vec<Text>> {
        if let Some(command) = &draft.table.command {
            return Some(texts(&command.value.0));
        }
        let message = format!("the {} `{}` has no command", draft.kind.name(), draft.name);
        self.add(
            Problem::new(draft.place, message)
                .hint("add one, such as command = [\"node\", \"server.js\"]"),
        );
        None
    }

    fn start(&mut self, draft: &Draft<'_>) -> Start {
        let start = draft.table.start.as_ref().map_or(Start::Eager, |start| start.value.0);
        if draft.kind == Kind::Slot {
            return start;
        }
        if let Some(own) = draft.own.start.as_ref().filter(|own| own.value.0 == Start::Eager) {
            let message = "a template has no id to start with, so it cannot be \"eager\"";
            self.add(Problem::new(&own.place, message).hint("write \"on-demand\""));
        }
        Start::OnDemand
    }

    fn ready(&mut self, draft: &Draft<'_>) -> Option<Look> {
        let ready = draft.table.ready.as_ref()?;
        let OrNone::Some(table) = &ready.value else { return None };
        let look = ready_look(table);
        // The defaults may hold a mere timeout for whoever has a probe.
        if look.is_none() && draft.own.ready.is_some() {
            self.no_probe(&ready.place, ReadyTable::ONE_OF);
        }
        self.check_look(
            draft,
            draft.own.ready.is_some(),
            table.http.as_deref(),
            table.tcp.as_deref(),
        );
        look
    }

    fn alive(&mut self, draft: &Draft<'_>) -> Option<Box<Liveness>> {
        let alive = draft.table.alive.as_ref()?;
        let OrNone::Some(table) = &alive.value else { return None };
        let look = alive_look(table);
        if look.is_none() && draft.own.alive.is_some() {
            self.no_probe(&alive.place, AliveTable::ONE_OF);
        }
        self.check_look(
            draft,
            draft.own.alive.is_some(),
            table.http.as_deref(),
            table.tcp.as_deref(),
        );
        for time in [&table.every, &table.timeout].into_iter().flatten() {
            if time.value.0.is_zero() {
                self.add(Problem::new(&time.place, "this must be longer than 0"));
            }
        }
        let liveness = Liveness {
            look: look?,
            every: table.every.as_ref().map_or(ALIVE_EVERY, |every| every.value.0),
            timeout: table.timeout.as_ref().map_or(ALIVE_TIMEOUT, |timeout| timeout.value.0),
        };
        Some(Box::new(liveness))
    }

    fn no_probe(&mut self, place: &Place, keys: &[&str]) {
        self.add(
            Problem::new(place, "there is no probe in here")
                .hint(format!("add one of {}, or write \"none\"", keys.join(", "))),
        );
    }

    /// What looks at the slot's first port needs one.
    fn check_look(
        &mut self,
        draft: &Draft<'_>,
        is_own: bool,
        http: Option<&At<HttpTarget>>,
        tcp: Option<&At<TcpTarget>>,
    ) {
        let http = http.filter(|http| http.value.needs_ports()).map(|http| &http.place);
        let tcp = tcp.filter(|tcp| tcp.value.0.is_none()).map(|tcp| &tcp.place);
        if draft.port_count() > 0 {
            return;
        }
        for place in http.into_iter().chain(tcp) {
            let problem =
                Problem::new(place, "this looks at the slot's first port, and it has no ports")
                    .hint("add ports = 1 to the slot, or name the port here");
            self.add(draft.problem(problem, is_own));
        }
    }
}

impl Kind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Slot => "slot",
            Self::Template => "template",
        }
    }
}

fn ready_look(table: &ReadyTable) -> Option<Look> {
    let log = table.log.as_ref().map(|log| Look::Log(log.value.0.as_str().to_owned()));
    let notify = table.notify.as_ref().map(|_| Look::Notify);
    http(table.http.as_deref())
        .or_else(|| tcp(table.tcp.as_deref()))
        .or_else(|| exec(table.exec.as_deref()))
        .or(log)
        .or(notify)
}

fn alive_look(table: &AliveTable) -> Option<Look> {
    http(table.http.as_deref())
        .or_else(|| tcp(table.tcp.as_deref()))
        .or_else(|| exec(table.exec.as_deref()))
}

fn http(target: Option<&At<HttpTarget>>) -> Option<Look> {
    target.map(|target| Look::Http(target.value.0.clone()))
}

fn tcp(target: Option<&At<TcpTarget>>) -> Option<Look> {
    target.map(|target| Look::Tcp(target.value.0.clone()))
}

fn exec(words: Option<&At<Words>>) -> Option<Look> {
    words.map(|words| Look::Exec(texts(&words.value.0)))
}

fn texts(words: &[At<Text>]) -> Vec<Text> {
    words.iter().map(|word| word.value.clone()).collect()
}

fn env(table: &SlotTable) -> BTreeMap<String, Text> {
    let variables = table.env.iter().flat_map(|env| &env.value.0);
    variables.map(|(name, text)| (name.0.clone(), text.value.clone())).collect()
}

fn task_limit(table: &SlotTable) -> Option<u32> {
    match table.limits.as_ref()?.value.tasks.as_ref()?.value {
        OrNone::Some(count) => Some(count.0),
        OrNone::None => None,
    }
}
