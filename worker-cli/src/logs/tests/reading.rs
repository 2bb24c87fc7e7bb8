//! Which part of a log a query gives.

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
fn the_last_lines_are_found_from_the_end() {
    let scene = scene();
    for number in 0..1000 {
        scene.log.append(1, Stream::Stdout, format!("{number}\n").as_bytes());
    }
    let last = |last| read(&scene.log, &Query { last: Some(last), ..Query::default() });
    assert_eq!(last(2), ["1 stdout: 998", "1 stdout: 999"]);
    assert_eq!(last(0), [] as [&str; 0]);
    assert_eq!(last(5000).len(), 1000);
    assert_eq!(scene.log.tail(1, 1).unwrap()[0].bytes, b"999");
    assert_eq!(scene.log.tail(2, 1).unwrap(), []);
}

#[test]
fn the_oldest_is_deleted_so_that_all_stays_within_the_cap() {
    let cap = 100_000;
    let scene = scene_with_cap(cap);
    for number in 0..10_000 {
        scene.log.append(1, Stream::Stdout, format!("line {number}\n").as_bytes());
        if number % 500 == 0 {
            assert!(sizes(&scene.path()).iter().sum::<u64>() <= cap);
        }
    }
    let sizes = sizes(&scene.path());
    assert!(sizes.iter().sum::<u64>() <= cap && sizes.len() > 8, "{sizes:?}");
    let lines = all(&scene.log);
    let first = 10_000 - lines.len();
    assert!(first > 0 && lines.len() > 2_000, "{}", lines.len());
    let expected: Vec<_> = (first..10_000).map(|it| format!("1 stdout: line {it}")).collect();
    assert_eq!(lines, expected);
}
