//! What makes a slot ready, in a few words.

use crate::config::{Config, Look, Name, Slot};

/// What a slot of this configuration waits for, by its name within the project.
pub(in crate::verbs) fn hope(config: &Config, name: &str) -> Option<String> {
    let (table, name) = match name.split_once('@') {
        Some((template, _)) => (&config.templates, template),
        None => (&config.slots, name),
    };
    in_words(table.get(&Name::parse(name).ok()?)?)
}

fn in_words(slot: &Slot) -> Option<String> {
    let probe = match slot.ready.as_ref()? {
        Look::Http(target) => format!("http {target}"),
        Look::Tcp(None) => "its port".to_owned(),
        Look::Tcp(Some(port)) => format!("port {port}"),
        Look::Log(pattern) => format!("/{pattern}/ in its output"),
        Look::Exec(words) => {
            let words: Vec<String> = words.iter().map(ToString::to_string).collect();
            format!("`{}`", words.join(" "))
        }
        Look::Notify => "READY=1".to_owned(),
    };
    let before: Vec<String> = slot.depends_on.iter().map(ToString::to_string).collect();
    Some(if before.is_empty() { probe } else { format!("{}, then {probe}", before.join(", ")) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_probe_has_its_words() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("worker.toml");
        let toml = "project = \"shop\"\n\
            [slots.db]\ncommand = \"db\"\nports = 1\nready = { tcp = true }\n\
            [slots.api]\ncommand = \"api\"\nports = 1\nready = { http = \"/health\" }\n\
            depends_on = [\"db\"]\n\
            [slots.cron]\ncommand = \"cron\"\n\
            [templates.agent]\ncommand = \"agent\"\nready = { log = \"up\" }\n";
        std::fs::write(&file, toml).unwrap();
        let config = crate::config::load(&file).unwrap();
        for (name, words) in [
            ("db", Some("its port")),
            ("api", Some("db, then http /health")),
            ("cron", None),
            ("agent@7", Some("/up/ in its output")),
            ("nope", None),
        ] {
            assert_eq!(hope(&config, name).as_deref(), words, "{name}");
        }
    }
}
