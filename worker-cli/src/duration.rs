//! Durations as people write and read them.

use std::time::Duration;

use jiff::fmt::friendly::SpanParser;

/// Reads `250ms`, `5s`, `2m` or `1h 30m`.
///
/// # Errors
///
/// A fragment that fits behind "invalid value: ", with what would do.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    if text.trim().parse::<f64>().is_ok() {
        return Err(format!("a duration needs a unit, such as {0}s or {0}ms", text.trim()));
    }
    let parsed = SpanParser::new()
        .parse_duration(text)
        .map_err(|_| "a duration is a number and a unit: 250ms, 5s, 2m or \"1h 30m\"".to_owned())?;
    Duration::try_from(parsed).map_err(|_| "a duration cannot be negative".to_owned())
}

/// `450 ms`, `2.1 s`, `32 s`, `5 min 3 s`, `2 h 5 min`.
#[must_use]
pub fn human(duration: Duration) -> String {
    let (millis, seconds) = (duration.as_millis(), duration.as_secs());
    match seconds {
        0 => format!("{millis} ms"),
        1..10 if millis % 1000 >= 100 => format!("{seconds}.{} s", millis % 1000 / 100),
        1..60 => format!("{seconds} s"),
        60..3600 => two_units(seconds / 60, "min", seconds % 60, "s"),
        _ => two_units(seconds / 3600, "h", seconds / 60 % 60, "min"),
    }
}

/// What [`parse_duration`] reads: `250ms`, `5s`, `1h 30m`.
#[must_use]
pub fn exact(duration: Duration) -> String {
    let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
    let parts = [
        (seconds / 3600, "h"),
        (seconds / 60 % 60, "m"),
        (seconds % 60, "s"),
        (u64::from(nanos / 1_000_000), "ms"),
        (u64::from(nanos / 1_000 % 1_000), "us"),
        (u64::from(nanos % 1_000), "ns"),
    ];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count}{unit}"))
        .collect();
    if parts.is_empty() { "0s".to_owned() } else { parts.join(" ") }
}

fn two_units(large: u64, large_unit: &str, small: u64, small_unit: &str) -> String {
    if small == 0 {
        format!("{large} {large_unit}")
    } else {
        format!("{large} {large_unit} {small} {small_unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_write_them() {
        for (text, millis) in [
            ("250ms", 250),
            ("5s", 5_000),
            ("2m", 120_000),
            ("1h 30m", 5_400_000),
            ("1h30m", 5_400_000),
            ("1.5s", 1_500),
            ("0s", 0),
            ("90 seconds", 90_000),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_duration_is_refused_with_what_would_do() {
        assert_eq!(
            parse_duration("5"),
            Err("a duration needs a unit, such as 5s or 5ms".to_owned())
        );
        for text in ["5 parsecs", "", "soon", "s", "5 s m", "1 year", "5s 5s"] {
            let refused = parse_duration(text);
            assert!(
                refused.as_ref().is_err_and(|why| why.contains("250ms")),
                "{text}: {refused:?}"
            );
        }
        assert_eq!(parse_duration("-5s"), Err("a duration cannot be negative".to_owned()));
    }

    #[test]
    fn an_exact_duration_reads_back() {
        for micros in [0, 1, 250, 5_000, 61_001_000, 5_400_000_000, 90_061_007_000_001] {
            let duration = Duration::from_nanos(micros * 1_000 + micros % 2);
            assert_eq!(parse_duration(&exact(duration)), Ok(duration));
        }
    }

    #[test]
    fn durations_print_with_the_digits_that_matter() {
        for (millis, text) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (2_149, "2.1 s"),
            (5_000, "5 s"),
            (32_900, "32 s"),
            (60_000, "1 min"),
            (303_000, "5 min 3 s"),
            (7_500_000, "2 h 5 min"),
        ] {
            assert_eq!(human(Duration::from_millis(millis)), text);
        }
    }
}
