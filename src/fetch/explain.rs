//! Explains the problems of a read in as few lines as possible.

use super::Problem;
use crate::base::text::{Safe, clean};
use crate::safe;

/// The most ranges of pages in a line.
const MAX_RANGES: usize = 10;

/// Returns one sentence per problem; pages that failed for the same reason share one.
pub fn explain(problems: &[Problem]) -> Vec<Safe> {
    let mut lines = Vec::new();
    let mut told = Vec::new();
    for problem in problems {
        let Problem::PageFailed { error, .. } = problem else {
            lines.push(problem.explain());
            continue;
        };
        if told.contains(&error.kind) {
            continue;
        }
        told.push(error.kind);
        let alike = problems.iter().filter_map(|other| match other {
            Problem::PageFailed { page, error: other } if other.kind == error.kind => Some(*page),
            _ => None,
        });
        let mut pages: Vec<_> = alike.collect();
        pages.sort_unstable();
        lines.push(match pages.as_slice() {
            [_] => problem.explain(),
            pages => {
                let error_words = clean(&error.to_string());
                safe!("pages {} could not be read: {}. {}", in_ranges(pages), error_words, error.advice())
            }
        });
    }
    lines
}

/// Formats sorted page numbers as `2, 5 to 9, 12`.
fn in_ranges(pages: &[u64]) -> Safe {
    let ranges: Vec<_> = pages.chunk_by(|before, after| before + 1 == *after).collect();
    let shown = ranges.iter().take(MAX_RANGES).filter_map(|range| match range {
        [only] => Some(only.to_string()),
        [first, .., last] => Some(format!("{first} to {last}")),
        [] => None,
    });
    let shown = clean(&shown.collect::<Vec<_>>().join(", "));
    match ranges.iter().skip(MAX_RANGES).map(|range| range.len()).sum::<usize>() {
        0 => shown,
        more => safe!("{} and {} more", shown, more),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{ApiError, ErrorKind};

    fn failed(page: u64, status: u16, detail: &'static str) -> Problem {
        Problem::PageFailed { page, error: ApiError::new(ErrorKind::Status(status)).with(detail.into()) }
    }

    #[test]
    fn pages_that_failed_alike_share_a_line() {
        let problems = [
            failed(9, 500, "id 1"),
            failed(2, 500, "id 2"),
            failed(8, 500, "id 3"),
            failed(5, 502, ""),
            failed(7, 500, ""),
            Problem::NotRead { from: 12 },
        ];
        let lines: Vec<_> = explain(&problems).iter().map(ToString::to_string).collect();
        let [first, second, third] = lines.as_slice() else { panic!("{lines:?}") };
        assert!(first.starts_with("pages 2, 7 to 9 could not be read: 500 Internal Server Error: id 1. "), "{first}");
        assert!(second.starts_with("page 5 could not be read: 502 Bad Gateway. "), "{second}");
        assert_eq!(third, "page 12 and later pages were not read");
    }

    #[test]
    fn many_pages_are_counted() {
        let pages: Vec<_> = (1..=15).map(|number| number * 2).collect();
        assert_eq!(in_ranges(&pages).as_str(), "2, 4, 6, 8, 10, 12, 14, 16, 18, 20 and 5 more");
    }
}
