//! Who holds a port, in words. Reads the whole process table, so it is for error messages.

/// ``21000 is held by pid 812 `node server.js` ``, as far as it can be read.
#[cfg(target_os = "linux")]
pub(crate) fn describe(port: u16) -> String {
    let listener = linux::listener(port).map(crate::processes::describe);
    let claimant = || linux::claimant(port).map(crate::processes::describe);
    match (listener, claimant) {
        (Some(listener), _) => format!("{port} is held by {listener}"),
        (None, claimant) => match claimant() {
            Some(claimant) => format!("{port} is kept for a command of {claimant}"),
            None => format!("{port} is in use"),
        },
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn describe(port: u16) -> String {
    format!("{port} is in use")
}

/// The process that listens on the port; none where it cannot be read.
#[cfg(target_os = "linux")]
pub(crate) fn listener(port: u16) -> Option<i32> {
    linux::listener(port)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn listener(_: u16) -> Option<i32> {
    None
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;

    use crate::ports::claim;

    /// The state of a socket that listens, in the tables of the kernel: `include/net/tcp_states.h`.
    const LISTEN: &str = "0A";

    /// The process that listens on the port.
    pub(super) fn listener(port: u16) -> Option<i32> {
        let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
        tables
            .iter()
            .find_map(|table| {
                let table = fs::read_to_string(table).ok()?;
                table.lines().skip(1).find_map(|line| listening_inode(line, port))
            })
            .and_then(owner)
    }

    /// The supervisor that claimed the port.
    pub(super) fn claimant(port: u16) -> Option<i32> {
        let name = format!("@{}", claim::name(port));
        let table = fs::read_to_string("/proc/net/unix").ok()?;
        let line = table.lines().find(|line| line.ends_with(&name))?;
        owner(line.split_whitespace().nth(6)?.to_owned())
    }

    /// `sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode …`
    fn listening_inode(line: &str, port: u16) -> Option<String> {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (_, local) = fields.get(1)?.rsplit_once(':')?;
        let is_it = u16::from_str_radix(local, 16) == Ok(port) && *fields.get(3)? == LISTEN;
        is_it.then(|| fields.get(9).map(|inode| (*inode).to_owned())).flatten()
    }

    /// The first process that has the socket open.
    fn owner(inode: String) -> Option<i32> {
        let link = format!("socket:[{inode}]");
        fs::read_dir("/proc").ok()?.filter_map(Result::ok).find_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let fds = fs::read_dir(entry.path().join("fd")).ok()?;
            let mut links = fds.filter_map(|fd| fs::read_link(fd.ok()?.path()).ok());
            links.any(|target| target.as_os_str() == link.as_str()).then_some(pid)
        })
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_line_of_the_table_names_the_socket_that_listens() {
            let line = "   0: 0100007F:5208 00000000:0000 0A 00000000:00000000 00:00000000 \
                        00000000     0        0 12345 1 0000000000000000 100 0 0 10 0";
            assert_eq!(listening_inode(line, 21_000).as_deref(), Some("12345"));
            assert_eq!(listening_inode(line, 21_001), None);
            assert_eq!(listening_inode(&line.replace(" 0A ", " 01 "), 21_000), None);
        }

        #[test]
        fn a_claim_leads_to_its_process() {
            let port = 9;
            let claim = claim::Claim::take(port).expect("nobody hands out port 9");
            assert_eq!(claimant(port), i32::try_from(std::process::id()).ok());
            drop(claim);
            assert_eq!(claimant(port), None);
        }
    }
}
