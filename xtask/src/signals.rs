//! What we start ignores no signal that was ignored at our start. The tests of `worker` see to it in the
//! same way, for those who start them with `cargo test`.

#[path = "../../platform-unix/tests/support/dispositions.rs"]
mod dispositions;

pub(crate) use self::dispositions::let_none_be_ignored_by_children;

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::Command;

    use signal_hook::consts::{SIGHUP, SIGINT};

    use super::*;

    #[test]
    fn what_nohup_has_ignored_ends_our_children() {
        let itself = std::env::current_exe().unwrap();
        let mut nohup = Command::new("sh");
        nohup.args(["-c", "trap '' HUP INT; exec \"$0\" \"$@\""]).arg(itself);
        let status = nohup.args(["--exact", "signals::tests::in_nohup", "--ignored"]).status();
        assert!(status.unwrap().success());
    }

    #[test]
    #[ignore = "a part of the test above"]
    fn in_nohup() {
        let end = |name| {
            let status = Command::new("sh").args(["-c", &format!("kill -{name} $$")]).status();
            status.unwrap().signal()
        };
        assert_eq!([end("HUP"), end("INT")], [None; 2], "they are ignored");
        let_none_be_ignored_by_children();
        assert_eq!([end("HUP"), end("INT")], [Some(SIGHUP), Some(SIGINT)]);
    }
}
