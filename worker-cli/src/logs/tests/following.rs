//! A reader that goes on.

use std::time::Duration;

use tokio::time::timeout;

use super::*;

/// Never reached.
const LONG: Duration = Duration::from_secs(60);

fn follow(log: &SlotLog, query: Query) -> LogStream {
    log.stream(query, Follow::Yes)
}

async fn next(stream: &mut LogStream) -> Vec<String> {
    let batch = timeout(LONG, stream.next()).await.unwrap().unwrap();
    batch.unwrap().iter().map(text).collect()
}

#[tokio::test]
async fn a_follower_gets_what_is_there_and_then_what_comes() {
    let scene = scene();
    scene.log.append(1, Stream::Stdout, b"one\ntwo\npart");
    let mut stream = follow(&scene.log, Query { last: Some(1), ..Query::default() });
    assert_eq!(next(&mut stream).await, ["1 stdout: two"]);
    let log = scene.log.clone();
    let writer = std::thread::spawn(move || log.append(1, Stream::Stdout, b"ly\n"));
    assert_eq!(next(&mut stream).await, ["1 stdout: partly"]);
    writer.join().unwrap();
}

#[tokio::test]
async fn a_follower_of_a_log_that_is_not_there_yet_waits_for_it() {
    let scene = scene();
    let mut stream = follow(&scene.log, Query::default());
    let waiting = tokio::spawn(async move { next(&mut stream).await });
    tokio::task::yield_now().await;
    scene.log.append(1, Stream::Stderr, b"x\n");
    assert_eq!(timeout(LONG, waiting).await.unwrap().unwrap(), ["1 stderr: x"]);
}

#[tokio::test]
async fn a_call_that_is_given_up_loses_nothing() {
    let scene = scene();
    let mut stream = follow(&scene.log, Query::default());
    for number in 0..100 {
        scene.log.append(1, Stream::Stdout, format!("{number}\n").as_bytes());
        // Polls it once.
        if let Ok(batch) = timeout(Duration::ZERO, stream.next()).await {
            let last = batch.unwrap().unwrap().last().map(text).unwrap();
            assert!(last.starts_with("1 stdout: "), "{last}");
        }
    }
    scene.log.append(1, Stream::Stdout, b"the end\n");
    let mut lines = next(&mut stream).await;
    while lines.last().unwrap() != "1 stdout: the end" {
        lines = next(&mut stream).await;
    }
}

#[tokio::test]
async fn a_follower_that_is_too_slow_is_told_how_much_it_missed() {
    let scene = scene_with_cap(100_000);
    scene.log.append(1, Stream::Stdout, b"first\n");
    let mut stream = follow(&scene.log, Query::default());
    assert_eq!(next(&mut stream).await, ["1 stdout: first"]);
    for number in 0..10_000 {
        scene.log.append(1, Stream::Stdout, format!("{number:099}\n").as_bytes());
    }
    let mut lines = Vec::new();
    while !lines.last().is_some_and(|line: &String| line.ends_with("9999")) {
        lines.extend(next(&mut stream).await);
    }
    let marks: Vec<_> = lines.iter().filter(|line| line.starts_with("--")).collect();
    assert!(marks.len() == 1 && marks[0].contains("bytes gone"), "{marks:?}");
    let after = lines.iter().position(|line| line.starts_with("--")).unwrap() + 1;
    let numbers = lines[after..].iter().map(|line| line[10..].parse::<usize>().unwrap());
    assert!(numbers.rev().eq((10_000 - (lines.len() - after)..10_000).rev()));
}

#[tokio::test]
async fn a_follower_goes_on_across_files_and_misses_nothing() {
    let scene = scene_with_cap(1_000_000);
    let mut stream = follow(&scene.log, Query::default());
    let log = scene.log.clone();
    let writer = std::thread::spawn(move || {
        (0..5_000).for_each(|it| log.append(1, Stream::Stdout, format!("{it:099}\n").as_bytes()));
    });
    let mut lines = Vec::new();
    while lines.len() < 5_000 {
        lines.extend(next(&mut stream).await);
    }
    writer.join().unwrap();
    assert!(scene.segments().len() > 5);
    let expected = (0..5_000).map(|it| format!("1 stdout: {it:099}"));
    assert!(lines.into_iter().eq(expected));
}

#[tokio::test]
async fn a_reader_that_does_not_follow_ends_where_the_log_ended_when_it_began() {
    let scene = scene();
    let lines: String = (0..3_000).map(|it| format!("{it}\n")).collect();
    scene.log.append(1, Stream::Stdout, lines.as_bytes());
    let mut stream = scene.log.stream(Query::default(), Follow::No);
    let mut read = Vec::new();
    while let Some(batch) = stream.next().await.unwrap() {
        read.extend(batch.iter().map(text));
        assert!(read.len() <= 3_000, "{:?}", read.last());
        scene.log.append(1, Stream::Stdout, b"more\n");
    }
    assert_eq!(read.len(), 3_000);
}

#[tokio::test]
async fn several_logs_are_read_by_time() {
    let scenes = [scene(), scene()];
    for number in 0..3000 {
        let line = format!("{number}\n");
        scenes[number % 3 % 2].log.append(1, Stream::Stdout, line.as_bytes());
        // The clock counts in microseconds, and equal times have no order.
        let before = jiff::Timestamp::now().as_microsecond();
        while jiff::Timestamp::now().as_microsecond() == before {}
    }
    let streams = scenes.iter().map(|scene| follow(&scene.log, Query::default()));
    let mut merged = Merged::new(streams.collect());
    let mut lines = Vec::new();
    while lines.len() < 3000 {
        lines.extend(timeout(LONG, merged.next()).await.unwrap().unwrap().unwrap());
    }
    for (number, (log, record)) in lines.iter().enumerate() {
        assert_eq!((*log, text(record)), (number % 3 % 2, format!("1 stdout: {number}")));
    }
    scenes[1].log.append(2, Stream::Stdout, b"more\n");
    let more = timeout(LONG, merged.next()).await.unwrap().unwrap().unwrap();
    assert_eq!((more[0].0, text(&more[0].1)), (1, "2 stdout: more".to_owned()));
}

#[tokio::test]
async fn several_logs_end_when_all_have_ended() {
    let scenes = [scene(), scene(), scene()];
    scenes[1].log.append(1, Stream::Stdout, b"one\ntwo");
    let streams = scenes.iter().map(|scene| scene.log.stream(Query::default(), Follow::No));
    let mut merged = Merged::new(streams.collect());
    let batch = merged.next().await.unwrap().unwrap();
    let lines: Vec<_> = batch.iter().map(|(_, record)| text(record)).collect();
    assert_eq!(lines, ["1 stdout: one", "1 stdout: two∎"]);
    assert_eq!(merged.next().await.unwrap(), None);
}
