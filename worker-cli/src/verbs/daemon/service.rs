//! The file that tells a service manager of the daemon.

use std::path::{Path, PathBuf};

/// What such a file says about who wrote it.
pub(super) const MARK: &str = "Written by `worker daemon install`";

/// A service manager of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manager {
    Systemd,
    Launchd,
}

/// What is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Service {
    pub(super) program: PathBuf,
    /// None for the default one.
    pub(super) state_dir: Option<PathBuf>,
}

impl Manager {
    /// The one of this system.
    pub(super) const fn of_this_system() -> Self {
        if cfg!(target_os = "macos") { Self::Launchd } else { Self::Systemd }
    }

    /// Where its files are, given the home folder and `$XDG_CONFIG_HOME`.
    pub(super) fn file(self, home: &Path, config: Option<PathBuf>) -> PathBuf {
        match self {
            Self::Systemd => {
                let config = config.filter(|path| path.is_absolute());
                let config = config.unwrap_or_else(|| home.join(".config"));
                config.join("systemd/user/worker.service")
            }
            Self::Launchd => home.join("Library/LaunchAgents/worker.daemon.plist"),
        }
    }

    /// What the file says.
    pub(super) fn text(self, service: &Service) -> String {
        match self {
            Self::Systemd => unit(&service.words()),
            Self::Launchd => agent(&service.words()),
        }
    }

    /// What to type next.
    pub(super) fn next(self, file: &Path) -> String {
        match self {
            Self::Systemd => "systemctl --user daemon-reload\n  \
                              systemctl --user enable --now worker.service"
                .to_owned(),
            Self::Launchd => {
                let file = file.to_string_lossy();
                let file = shlex::try_quote(&file).unwrap_or_else(|_| (&*file).into());
                format!("launchctl bootstrap gui/$(id -u) {file}")
            }
        }
    }
}

impl Service {
    fn words(&self) -> Vec<String> {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let mut words = vec![text(&self.program), "daemon".to_owned()];
        if let Some(state_dir) = &self.state_dir {
            words.extend(["--state-dir".to_owned(), text(state_dir)]);
        }
        words
    }
}

/// Only the main process is told to stop, which ends the rest in order. `Delegate` gives each run a
/// cgroup of its own.
fn unit(words: &[String]) -> String {
    let words: Vec<_> = words.iter().map(|word| for_systemd(word)).collect();
    format!(
        "# {MARK}\n\
         [Unit]\n\
         Description=worker: keeps process trees running\n\
         \n\
         [Service]\n\
         Type=notify\n\
         ExecStart={}\n\
         Restart=on-failure\n\
         KillMode=mixed\n\
         Delegate=yes\n\
         \n\
         [Install]\n\
         WantedBy=default.target\n",
        words.join(" ")
    )
}

/// Quoted as systemd.syntax(7) says; `%` and `$` would be expanded.
fn for_systemd(word: &str) -> String {
    let escaped = word.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", escaped.replace('%', "%%").replace('$', "$$"))
}

fn agent(words: &[String]) -> String {
    let words = words.iter().map(|word| format!("    <string>{}</string>\n", for_xml(word)));
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <!-- {MARK} -->\n\
         <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \
         \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
         <plist version=\"1.0\">\n\
         <dict>\n\
         \x20 <key>Label</key>\n\
         \x20 <string>worker.daemon</string>\n\
         \x20 <key>ProgramArguments</key>\n\
         \x20 <array>\n{}\
         \x20 </array>\n\
         \x20 <key>RunAtLoad</key>\n\
         \x20 <true/>\n\
         \x20 <key>KeepAlive</key>\n\
         \x20 <dict>\n\
         \x20   <key>SuccessfulExit</key>\n\
         \x20   <false/>\n\
         \x20 </dict>\n\
         </dict>\n\
         </plist>\n",
        words.collect::<String>()
    )
}

fn for_xml(word: &str) -> String {
    word.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service() -> Service {
        Service { program: "/opt/a b/worker".into(), state_dir: Some("/state/100%/$x\"<&".into()) }
    }

    #[test]
    fn a_unit_starts_the_daemon_with_its_words_as_they_are() {
        let line = "ExecStart=\"/opt/a b/worker\" \"daemon\" \"--state-dir\" \
                    \"/state/100%%/$$x\\\"<&\"";
        let text = Manager::Systemd.text(&service());
        assert!(text.lines().any(|it| it == line), "{text}");
    }

    #[test]
    fn an_agent_starts_the_daemon_with_its_words_as_they_are() {
        let text = Manager::Launchd.text(&service());
        for word in ["/opt/a b/worker", "daemon", "--state-dir", "/state/100%/$x\"&lt;&amp;"] {
            assert!(text.contains(&format!("    <string>{word}</string>\n")), "{text}");
        }
    }

    #[test]
    fn a_unit_is_where_systemd_looks() {
        let file = |config: Option<&str>| {
            let file = Manager::Systemd.file(Path::new("/home/a"), config.map(PathBuf::from));
            file.display().to_string()
        };
        assert_eq!(file(None), "/home/a/.config/systemd/user/worker.service");
        assert_eq!(file(Some("relative")), "/home/a/.config/systemd/user/worker.service");
        assert_eq!(file(Some("/config")), "/config/systemd/user/worker.service");
    }
}
