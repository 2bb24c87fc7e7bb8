//! A log stays within its cap, and remains one sequence.

use super::*;

const CAP: u64 = 100_000;

#[test]
fn the_oldest_is_deleted_so_that_all_stays_within_the_cap() {
    let scene = scene_with_cap(CAP);
    for number in 0..10_000 {
        scene.log.append(1, Stream::Stdout, format!("line {number}\n").as_bytes());
        assert!(number % 500 > 0 || scene.size() <= CAP);
    }
    let lines = all(&scene.log);
    let first = 10_000 - lines.len();
    assert!(first > 0 && scene.size() > CAP * 9 / 10, "{first}");
    let expected: Vec<_> = (first..10_000).map(|it| format!("1 stdout: line {it}")).collect();
    assert_eq!(lines, expected);
}

#[test]
fn a_chunk_that_is_larger_than_the_cap_leaves_its_end() {
    let scene = scene_with_cap(CAP);
    let text: String = (0..100_000).map(|number| format!("{number}\n")).collect();
    scene.log.append(1, Stream::Stdout, text.as_bytes());
    assert!(scene.size() <= CAP);
    let lines = all(&scene.log);
    assert_eq!(lines.last().unwrap(), "1 stdout: 99999");
    assert!(lines[0].starts_with("1 stdout: …") && !lines[1].contains('…'), "{}", lines[0]);
}

#[test]
fn a_smaller_cap_counts_from_the_next_output_on() {
    let scene = scene();
    (0..40).for_each(|_| scene.log.append(1, Stream::Stdout, &[b'x'; 10_000]));
    let next = SlotLog::new(&scene.path(), CAP);
    next.append(2, Stream::Stdout, b"y\n");
    assert!(scene.size() <= CAP, "{}", scene.size());
}

#[test]
fn many_starts_do_not_make_many_files() {
    let scene = scene();
    for run in 1..=50 {
        let log = scene.reopen();
        log.append(run, Stream::Stdout, b"hello");
        log.end_stream(run, Stream::Stdout);
        log.rest();
        log.append(run, Stream::Stdout, b"again\n");
    }
    assert_eq!(scene.segments().len(), 1);
    assert_eq!(all(&scene.log).len(), 100);
}

#[test]
fn a_log_whose_folder_was_deleted_begins_anew() {
    let scene = scene();
    scene.log.append(1, Stream::Stdout, b"one\n");
    let mut records = scene.log.records(&Query::default()).unwrap();
    std::fs::remove_dir_all(scene.path()).unwrap();
    let gone = text(&records.next().unwrap().unwrap());
    assert!(gone.starts_with("-- ") && gone.contains("gone"), "{gone}");
    scene.log.rest();
    scene.log.append(2, Stream::Stdout, b"two\n");
    assert_eq!(all(&scene.log), ["2 stdout: two"]);
}

#[test]
fn nobody_else_reads_what_a_run_says() {
    use std::os::unix::fs::PermissionsExt;
    let scene = scene();
    scene.log.append(1, Stream::Stdout, b"secret\n");
    let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(scene.path()), mode(scene.latest())), (0o700, 0o600));
}

#[test]
fn a_log_that_is_deleted_while_it_is_written_goes_on_with_the_next_output() {
    let scene = scene();
    scene.log.append(1, Stream::Stdout, b"lost\npar");
    std::fs::remove_dir_all(scene.path()).unwrap();
    scene.log.append(1, Stream::Stdout, b"tly\nfound\n");
    let lines = all(&scene.log);
    assert_eq!(lines.last().map(String::as_str), Some("1 stdout: found"), "{lines:?}");
    let again = scene.log.clone();
    again.append(1, Stream::Stdout, b"more\n");
    assert_eq!(scene.segments().len(), 1, "one that is there is kept to");
    assert_eq!(all(&scene.log).last().map(String::as_str), Some("1 stdout: more"));
}
