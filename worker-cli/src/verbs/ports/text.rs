//! Ports as a table.

use crate::api::Port;
use crate::verbs::screen::{Cell, Ink, Page, brief, clip, plain, table};

const TITLES: [&str; 5] = ["PORT", "SLOT", "FOR", "PID", "COMMAND"];

/// Who holds which port.
pub(super) fn render(ports: &[Port], page: &Page) -> String {
    let rows: Vec<_> = ports.iter().map(|port| row(port, page)).collect();
    let lines = table(TITLES, &rows, page.paint);
    lines.iter().map(|line| clip(line, page.width)).collect::<Vec<_>>().join("\n")
}

fn row(port: &Port, page: &Page) -> [Cell; 5] {
    let nobody = || Cell::new(Ink::Dim, "(nobody listens)");
    [
        Cell::plain(port.port.to_string()),
        Cell::plain(format!("{}#{}", plain(&port.slot), port.run)),
        Cell::plain(brief(page.clock.since(&port.since))),
        Cell::or_dash(port.pid),
        port.command.as_deref().map_or_else(nobody, |command| Cell::plain(plain(command))),
    ]
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn each_port_has_its_slot_and_who_listens() {
        let port = |port, pid, command: Option<&str>| Port {
            port,
            slot: "shop/web".to_owned(),
            run: 3,
            pid,
            command: command.map(str::to_owned),
            since: "2026-11-22T07:05:00.000Z".to_owned(),
        };
        let long = format!("node {}/vite --host", "deep/".repeat(20));
        let ports = [port(21_000, Some(812), Some(&long)), port(21_001, None, None)];
        assert_snapshot!(render(&ports, &Page::for_tests()));
    }
}
