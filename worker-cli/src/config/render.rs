//! Problems as people read them: the place, the line itself, a caret, and what to do.

use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};

use super::problem::Problem;
use super::source::{Place, Source};
use crate::colour;

/// Fits the narrowest terminal in use.
const WIDTH: usize = 80;
/// What stands before a hint.
const HINT_INDENT: usize = 14;

/// With colours or without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Plain,
    Coloured,
}

impl Look {
    pub(super) fn for_stderr() -> Self {
        if colour::is_on(&std::io::stderr()) { Self::Coloured } else { Self::Plain }
    }
}

/// The problem at its place.
pub(super) fn render(problem: &Problem, sources: &[Source], look: Look) -> String {
    let title = wrapped(&problem.message, "error: ".len());
    let mut group = Level::ERROR.primary_title(title).elements(snippets(problem, sources));
    if let Some(hint) = &problem.hint {
        group = group.element(Level::HELP.message(wrapped(hint, HINT_INDENT)));
    }
    let report: &[Group<'_>] = &[group];
    let renderer = match look {
        Look::Plain => Renderer::plain(),
        Look::Coloured => Renderer::styled(),
    };
    renderer.term_width(WIDTH).render(report)
}

fn snippets<'a>(problem: &'a Problem, sources: &'a [Source]) -> Vec<Snippet<'a, Annotation<'a>>> {
    let snippet = |place: &Place| {
        let source = &sources[place.file];
        Snippet::source(&source.text).path(source.path.to_string_lossy())
    };
    let primary = AnnotationKind::Primary.span(in_line(&problem.place, sources));
    let first = snippet(&problem.place).annotation(primary);
    let Some((place, what)) = &problem.also else { return vec![first] };
    let also = AnnotationKind::Context.span(in_line(place, sources)).label(what);
    if place.file == problem.place.file {
        return vec![first.annotation(also)];
    }
    vec![first, snippet(place).annotation(also)]
}

/// The part of a place that lies on its first line.
fn in_line(place: &Place, sources: &[Source]) -> Range<usize> {
    let text = &sources[place.file].text;
    let start = text.floor_char_boundary(place.span.start);
    let line_end = text[start..].find(['\n', '\r']).map_or(text.len(), |length| start + length);
    start..text.floor_char_boundary(place.span.end.clamp(start, line_end))
}

fn wrapped(text: &str, indent: usize) -> String {
    textwrap::wrap(text, WIDTH - indent).join("\n")
}
