//! "Did you mean …?"

/// Below this likeness a suggestion would be a riddle.
const ALIKE: f64 = 0.75;

/// Words that people bring along from elsewhere, and what they are called here.
const ELSEWHERE: [(&str, &str); 12] = [
    ("cmd", "command"),
    ("run", "command"),
    ("exec", "command"),
    ("cwd", "dir"),
    ("workdir", "dir"),
    ("working_dir", "dir"),
    ("environment", "env"),
    ("port", "ports"),
    ("autostart", "start"),
    ("after", "depends_on"),
    ("healthcheck", "alive"),
    ("name", "project"),
];

/// The one of `known` that was probably meant.
pub(crate) fn closest<'a>(
    written: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let known: Vec<&str> = known.into_iter().collect();
    let elsewhere = ELSEWHERE.iter().find(|(foreign, _)| *foreign == written);
    if let Some(own) = elsewhere.and_then(|(_, own)| known.iter().find(|key| *key == own)) {
        return Some(own);
    }
    let written = written.to_lowercase();
    let scored = known.into_iter().map(|key| (likeness(&written, key), key));
    let best = scored.max_by(|(one, _), (other, _)| one.total_cmp(other));
    best.filter(|(likeness, _)| *likeness > ALIKE).map(|(_, key)| key)
}

/// From 0 to 1. Long words are given more letters to err in, and a wrong beginning is forgiven.
fn likeness(written: &str, known: &str) -> f64 {
    let known = known.to_lowercase();
    // Two letters that changed places weigh too much in a short word.
    let are_swapped = strsim::damerau_levenshtein(written, &known) == 1
        && strsim::levenshtein(written, &known) == 2;
    if are_swapped {
        return 1.0;
    }
    strsim::jaro_winkler(written, &known)
        .max(strsim::normalized_damerau_levenshtein(written, &known))
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn what_was_probably_meant_is_found_and_nothing_else() {
        let keys = ["command", "dir", "env", "ports", "depends_on", "restart", "ready"];
        for (written, meant) in [
            ("comand", Some("command")),
            ("Command", Some("command")),
            ("cwd", Some("dir")),
            ("depend_on", Some("depends_on")),
            ("dependsOn", Some("depends_on")),
            ("restrat", Some("restart")),
            ("dri", Some("dir")),
            ("zzz", None),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(closest(written, keys), meant, "{written}");
        }
    }
}
