//! What holds for whatever is written.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// What happens to a log.
#[derive(Clone, Debug)]
enum Step {
    Output {
        run: u64,
        stream: Stream,
        bytes: Vec<u8>,
    },
    End {
        run: u64,
        stream: Stream,
    },
    /// The last run of the slot has ended.
    Rest,
    /// The daemon was killed, and there is another.
    Restart,
}

/// Mostly text of short lines, sometimes a lot of it.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let short = vec(prop::sample::select(b"ab\r\n\xff\0".as_slice()), 0..20);
    let long = (0..3 * LONGEST_LINE).prop_map(|length| vec![b'x'; length]);
    prop_oneof![20 => short, 1 => long]
}

fn stream() -> impl Strategy<Value = Stream> {
    prop::sample::select(Stream::ALL.as_slice())
}

fn step() -> impl Strategy<Value = Step> {
    let output = (1..4_u64, stream(), bytes());
    prop_oneof![
        20 => output.prop_map(|(run, stream, bytes)| Step::Output { run, stream, bytes }),
        2 => (1..4_u64, stream()).prop_map(|(run, stream)| Step::End { run, stream }),
        1 => Just(Step::Rest),
        1 => Just(Step::Restart),
    ]
}

fn carry_out(steps: &[Step], scene: &mut Scene) {
    for step in steps {
        match step {
            Step::Output { run, stream, bytes } => scene.log.append(*run, *stream, bytes),
            Step::End { run, stream } => scene.log.end_stream(*run, *stream),
            Step::Rest => scene.log.rest(),
            Step::Restart => scene.log = SlotLog::new(&scene.path(), scene.cap),
        }
    }
}

/// What these steps wrote to one stream.
fn written(steps: &[Step], origin: (u64, Stream)) -> Vec<u8> {
    let of = |step: &Step| match step {
        Step::Output { run, stream, bytes } if (*run, *stream) == origin => bytes.clone(),
        Step::Output { .. } | Step::End { .. } | Step::Rest | Step::Restart => Vec::new(),
    };
    steps.iter().flat_map(of).collect()
}

/// What these lines say of one stream.
fn said(lines: &[Line], origin: (u64, Stream)) -> Vec<u8> {
    let mut said = Vec::new();
    for line in lines.iter().filter(|line| (line.run, line.stream) == origin) {
        said.extend(&line.bytes);
        said.extend((line.end == LineEnd::Newline).then_some(b'\n'));
    }
    said
}

fn lines(log: &SlotLog, query: &Query) -> Vec<Line> {
    let line = |record: std::io::Result<Record>| match record.unwrap() {
        Record::Line(line) => line,
        Record::Mark(mark) => panic!("{mark:?}"),
    };
    log.records(query).unwrap().map(line).collect()
}

fn origins() -> impl Iterator<Item = (u64, Stream)> {
    (1..4).flat_map(|run| Stream::ALL.map(|stream| (run, stream)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_byte_comes_out_in_its_place(steps in vec(step(), 0..60)) {
        let mut scene = scene();
        carry_out(&steps, &mut scene);
        let lines = lines(&scene.log, &Query::default());
        for origin in origins() {
            prop_assert_eq!(said(&lines, origin), written(&steps, origin));
        }
        for line in &lines {
            prop_assert!(!line.headless && line.bytes.len() <= LONGEST_LINE);
            prop_assert!(!line.bytes.contains(&b'\n'));
            prop_assert!(line.end != LineEnd::Cut || line.bytes.len() == LONGEST_LINE);
        }
    }

    #[test]
    fn the_last_lines_are_the_end_of_all_lines(steps in vec(step(), 0..60), last in 0..30_usize) {
        let mut scene = scene();
        carry_out(&steps, &mut scene);
        for run in [None, Some(2)] {
            let all = lines(&scene.log, &Query { run, ..Query::default() });
            let query = Query { run, last: Some(last), ..Query::default() };
            let found = lines(&scene.log, &query);
            prop_assert_eq!(found.len(), last.min(all.len()));
            // One that has no end need not count if nothing was added to it lately.
            let counts = |line: &&Line| line.end != LineEnd::Output || found.contains(line);
            let counting: Vec<_> = all.iter().filter(counts).cloned().collect();
            prop_assert!(counting.ends_with(&found), "{:?} of {:?}", found, counting);
        }
    }

    #[test]
    fn under_a_small_cap_the_end_of_what_was_written_remains(steps in vec(step(), 0..60)) {
        let mut scene = scene_with_cap(1);
        carry_out(&steps, &mut scene);
        prop_assert!(scene.size() <= 64 * 1024);
        let lines = lines(&scene.log, &Query::default());
        for origin in origins() {
            prop_assert!(written(&steps, origin).ends_with(&said(&lines, origin)));
        }
    }

    #[test]
    fn a_torn_log_loses_its_end_and_nothing_else(
        steps in vec(step(), 1..40),
        torn in 0..2000_u64,
    ) {
        let mut scene = scene();
        carry_out(&steps, &mut scene);
        prop_assume!(!scene.segments().is_empty());
        let file = std::fs::OpenOptions::new().write(true).open(scene.latest()).unwrap();
        let length = file.metadata().unwrap().len();
        file.set_len(length.saturating_sub(torn)).unwrap();
        let log = scene.reopen();
        log.append(9, Stream::Stdout, b"next\n");
        let records = log.records(&Query::default()).unwrap().map(Result::unwrap);
        let lines = records.filter_map(|record| match record {
            Record::Line(line) => Some(line),
            Record::Mark(_) => None,
        });
        let lines: Vec<_> = lines.collect();
        prop_assert_eq!(said(&lines, (9, Stream::Stdout)), b"next\n");
        for origin in origins() {
            prop_assert!(written(&steps, origin).starts_with(&said(&lines, origin)));
        }
    }

    #[test]
    fn no_damage_makes_a_reader_or_a_writer_fail(
        steps in vec(step(), 1..20),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
    ) {
        let mut scene = scene();
        carry_out(&steps, &mut scene);
        prop_assume!(!scene.segments().is_empty());
        let mut bytes = std::fs::read(scene.latest()).unwrap();
        for (index, byte) in changes {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        std::fs::write(scene.latest(), bytes).unwrap();
        let log = scene.reopen();
        log.append(9, Stream::Stdout, b"next\n");
        prop_assert_eq!(log.health().error, None);
        let records = all(&log);
        prop_assert_eq!(records.last().unwrap(), "9 stdout: next");
    }
}
