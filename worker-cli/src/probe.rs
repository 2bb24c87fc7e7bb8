//! How to see that a run is ready, as a value.

use regex_lite::Regex;

/// How to see that a run is ready.
#[derive(Clone, Debug)]
pub enum Probe {
    /// A GET of this path is answered with a status of 2xx or 3xx.
    Http {
        /// Where; the first port of the run's block if none is given.
        port: Option<u16>,
        /// The path, which begins with `/`.
        path: String,
    },
    /// Somebody listens.
    Tcp {
        /// Where; the first port of the run's block if none is given.
        port: Option<u16>,
    },
    /// A line of the output matches.
    Log(Regex),
    /// This program with its arguments exits with code 0.
    Exec(Vec<String>),
    /// `READY=1` arrives at the notify socket.
    Notify,
}

const KINDS: &str = "use http=/PATH, tcp, log=REGEX, exec=CMD, notify or none";

impl Probe {
    /// Reads `http=/path`, `tcp`, `log=REGEX`, `exec=CMD` or `notify`.
    ///
    /// # Errors
    ///
    /// What would do.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            None if text == "tcp" => Ok(Self::Tcp { port: None }),
            None if text == "notify" => Ok(Self::Notify),
            Some(("tcp", port)) => Ok(Self::Tcp { port: Some(parse_port(port)?) }),
            Some(("http", target)) => parse_http(target),
            Some(("log", pattern)) => parse_log(pattern).map(Self::Log),
            Some(("exec", command)) => parse_exec(command),
            _ => Err(KINDS.to_owned()),
        }
    }

    /// Whether it looks at the run's own ports.
    #[must_use]
    pub fn needs_block(&self) -> bool {
        matches!(self, Self::Http { port: None, .. } | Self::Tcp { port: None })
    }
}

/// Reads `/path`, `:port` or `:port/path`.
pub(crate) fn parse_http(target: &str) -> Result<Probe, String> {
    let (port, path) = match target.strip_prefix(':') {
        Some(rest) => {
            let slash = rest.find('/').unwrap_or(rest.len());
            (Some(parse_port(&rest[..slash])?), &rest[slash..])
        }
        None => (None, target),
    };
    let path = if path.is_empty() && port.is_some() { "/" } else { path };
    if !path.starts_with('/') || path.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err("the path begins with / and has no blanks: /health, or :3000/health".to_owned());
    }
    Ok(Probe::Http { port, path: path.to_owned() })
}

/// Reads `3000` or `:3000`.
pub(crate) fn parse_port(text: &str) -> Result<u16, String> {
    let port = text.trim_start_matches(':').parse::<u16>().ok().filter(|port| *port > 0);
    port.ok_or_else(|| {
        "a port is a number from 1 to 65535, such as 3000, or :3000/health for http".to_owned()
    })
}

/// Reads the pattern of a line.
pub(crate) fn parse_log(pattern: &str) -> Result<Regex, String> {
    if pattern.is_empty() {
        return Err(
            "an empty pattern matches every line: give one such as 'listening on'".to_owned()
        );
    }
    let bad = |error| format!("{error}; to match signs such as ( or * as they are, put \\ before");
    Regex::new(pattern).map_err(bad)
}

fn parse_exec(command: &str) -> Result<Probe, String> {
    match shlex::split(command) {
        Some(words) if !words.is_empty() => Ok(Probe::Exec(words)),
        Some(_) => Err("give the command to run: exec='pg_isready -q'".to_owned()),
        None => Err("a quote is not closed".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(format!("{:?}", Probe::parse(text).unwrap()), expected, "{text}");
    }

    #[test]
    fn every_kind_of_probe_is_read() {
        check("http=/health", r#"Http { port: None, path: "/health" }"#);
        check("http=:3000/a?b=c", r#"Http { port: Some(3000), path: "/a?b=c" }"#);
        check("http=:3000", r#"Http { port: Some(3000), path: "/" }"#);
        check("tcp", "Tcp { port: None }");
        check("tcp=3000", "Tcp { port: Some(3000) }");
        check("tcp=:3000", "Tcp { port: Some(3000) }");
        check("exec=pg_isready -h 'a b'", r#"Exec(["pg_isready", "-h", "a b"])"#);
        check("notify", "Notify");
        assert!(
            matches!(Probe::parse("log=a=b"), Ok(Probe::Log(regex)) if regex.as_str() == "a=b")
        );
    }

    #[test]
    fn what_is_no_probe_is_refused_with_what_would_do() {
        for (text, mend) in [
            ("", "http=/PATH"),
            ("yes", "http=/PATH"),
            ("none=1", "http=/PATH"),
            ("http", "http=/PATH"),
            ("http=health", "begins with /"),
            ("http=/a b", "no blanks"),
            ("http=:0/", "1 to 65535"),
            ("tcp=http", "1 to 65535"),
            ("log=", "listening on"),
            ("log=(", "put \\ before"),
            ("exec=", "pg_isready"),
            ("exec='a", "quote"),
        ] {
            let refused = Probe::parse(text).map(|_| ()).unwrap_err();
            assert!(refused.contains(mend), "{text}: {refused}");
        }
    }
}
