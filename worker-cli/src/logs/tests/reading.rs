//! Which part of a log a query gives.

use jiff::Timestamp;
use regex_lite::Regex;

use super::*;

#[test]
fn lines_come_out_in_the_order_in_which_they_ended() {
    let scene = scene();
    assert_eq!(all(&scene.log), [] as [&str; 0]);
    scene.log.append(1, Stream::Stdout, b"one\ntw");
    scene.log.append(1, Stream::Stderr, b"oops\r\n\nmore");
    scene.log.append(1, Stream::Stdout, b"o\n");
    let expected =
        ["1 stdout: one", "1 stderr: oops\r", "1 stderr: ", "1 stdout: two", "1 stderr: more∎"];
    assert_eq!(all(&scene.log), expected);
    assert_eq!(all(&scene.reopen()), expected);
}

#[test]
fn a_line_is_over_when_its_stream_is_or_when_another_writer_begins() {
    let scene = scene();
    scene.log.append(1, Stream::Stdout, b"a");
    scene.log.append(1, Stream::Stderr, b"b");
    scene.log.end_stream(1, Stream::Stdout);
    scene.log.append(2, Stream::Stdout, b"c\n");
    let next = scene.reopen();
    next.append(1, Stream::Stderr, b"d\n");
    let expected = ["1 stdout: a∎", "2 stdout: c", "1 stderr: b∎", "1 stderr: d"];
    assert_eq!(all(&next), expected);
}

#[test]
fn the_last_lines_are_found_from_the_end() {
    let scene = scene();
    for number in 0..1000 {
        scene.log.append(1, Stream::Stdout, format!("{number}\n").as_bytes());
    }
    let last = |last| read(&scene.log, &Query { last: Some(last), ..Query::default() });
    assert_eq!(last(2), ["1 stdout: 998", "1 stdout: 999"]);
    assert_eq!(last(0), [] as [&str; 0]);
    assert_eq!(last(5000).len(), 1000);
    assert_eq!(last(usize::MAX).len(), 1000);
}

#[test]
fn a_line_among_the_last_ones_has_its_beginning_however_long_ago_that_was() {
    let scene = scene();
    scene.log.append(1, Stream::Stderr, b"long ");
    for _ in 0..1000 {
        scene.log.append(1, Stream::Stdout, b"x\n");
    }
    scene.log.append(1, Stream::Stderr, b"ago\n");
    let query = Query { last: Some(2), ..Query::default() };
    assert_eq!(read(&scene.log, &query), ["1 stdout: x", "1 stderr: long ago"]);
}

#[test]
fn a_run_is_read_alone() {
    let scene = scene();
    for run in [1, 2, 1, 3] {
        scene.log.append(run, Stream::Stdout, format!("of {run}\n").as_bytes());
    }
    let query = Query { run: Some(1), ..Query::default() };
    assert_eq!(read(&scene.log, &query), ["1 stdout: of 1", "1 stdout: of 1"]);
    assert_eq!(scene.log.tail(2, 5).unwrap().len(), 1);
    assert_eq!(scene.log.tail(9, 5).unwrap(), []);
}

#[test]
fn only_lines_since_a_time_are_read() {
    let scene = scene();
    scene.log.append(1, Stream::Stdout, b"before\n");
    let lines = scene.log.tail(1, 1).unwrap();
    let since = Query { since: Some(lines[0].time), ..Query::default() };
    assert_eq!(read(&scene.log, &since), ["1 stdout: before"], "equal counts");
    let later = Timestamp::now() + std::time::Duration::from_secs(60);
    let since = Query { since: Some(later), ..Query::default() };
    assert_eq!(read(&scene.log, &since), [] as [&str; 0]);
}

#[test]
fn only_lines_that_match_are_read_colours_aside() {
    let scene = scene();
    scene.log.append(1, Stream::Stdout, b"\x1b[31mERR\x1b[0mOR 1\r\nfine\nERROR 2\r\nERROR \xff\n");
    let query = Query { grep: Some(Regex::new("^ERROR .$").unwrap()), ..Query::default() };
    assert_eq!(read(&scene.log, &query).len(), 3);
    let last = read(&scene.log, &Query { last: Some(1), ..query });
    assert_eq!(last, ["1 stdout: ERROR \u{fffd}"]);
}

#[test]
fn a_line_is_cut_only_where_it_is_too_long() {
    let scene = scene();
    let long = vec![b'x'; LONGEST_LINE];
    scene.log.append(1, Stream::Stdout, &long);
    scene.log.append(1, Stream::Stdout, b"\n");
    scene.log.append(1, Stream::Stdout, &long);
    scene.log.append(1, Stream::Stdout, b"yz\n");
    let lines = scene.log.tail(1, 9).unwrap();
    let ends: Vec<_> = lines.iter().map(|line| (line.bytes.len(), line.end)).collect();
    let full = LONGEST_LINE;
    assert_eq!(ends, [(full, LineEnd::Newline), (full, LineEnd::Cut), (2, LineEnd::Newline)]);
}

#[test]
fn a_record_is_a_line_of_json() {
    let scene = scene();
    scene.log.append(3, Stream::Stderr, b"caf\xc3\xa9 \xff\n");
    let record = Record::Line(Line {
        time: Timestamp::from_millisecond(1_795_330_800_007).unwrap(),
        ..scene.log.tail(3, 1).unwrap().remove(0)
    });
    let line = LogLine::new("shop/api", &record);
    let json = serde_json::to_string(&line).unwrap();
    let head = r#"{"slot":"shop/api","time":"2026-11-22T07:00:00.007Z","#;
    assert_eq!(json, format!(r#"{head}"run":3,"stream":"stderr","line":"café {}"}}"#, '\u{fffd}'));
    assert_eq!(serde_json::from_str::<LogLine>(&json).unwrap(), line);

    let mark = Mark { time: record.time(), kind: MarkKind::Gone { bytes: 7 } };
    let line = LogLine::new("shop/api", &Record::Mark(mark));
    let json = serde_json::to_string(&line).unwrap();
    assert_eq!(json, format!(r#"{head}"mark":"gone","bytes":7}}"#));
    assert_eq!(serde_json::from_str::<LogLine>(&json).unwrap(), line);
}

/// So much has this thread read from anywhere.
#[cfg(target_os = "linux")]
fn bytes_read() -> u64 {
    let io = std::fs::read_to_string("/proc/thread-self/io").unwrap();
    let read = io.lines().find_map(|line| line.strip_prefix("rchar: ")).unwrap();
    read.parse().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn for_the_tail_of_a_run_nothing_of_the_runs_before_is_read() {
    let scene = scene();
    let line = [[b'x'; 999].as_slice(), b"\n"].concat();
    (0..1_000).for_each(|_| scene.log.append(1, Stream::Stdout, &line));
    let from = scene.log.end().unwrap();
    scene.log.append(2, Stream::Stdout, b"last words\n");
    let before = bytes_read();
    assert_eq!(scene.log.tail_from(Some(from), 2, 10).unwrap().len(), 1);
    let read = bytes_read() - before;
    assert!(read < 100_000, "{read} bytes for a tail of 11");
}
