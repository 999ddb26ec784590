//! Suggestions for misspelled words in messages.

/// Returns the name in `known` that `word` is a prefix of, or that differs from it by few typing errors. `None` if no name
/// is close, or several are equally close.
pub(crate) fn nearest<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    // A word much longer than every name cannot be a misspelling of one, and a comparison costs the product of the lengths.
    const MAX_LETTERS: usize = 24;
    let word: Vec<char> = word.chars().take(MAX_LETTERS + 1).flat_map(char::to_lowercase).collect();
    let mut best: Option<(usize, &str)> = None;
    let mut tied = false;
    for name in known {
        let letters: Vec<char> = name.chars().collect();
        let errors = if !word.is_empty() && letters.starts_with(&word) { 0 } else { typing_errors(&word, &letters) };
        if word.len() > MAX_LETTERS || errors > word.len().min(letters.len()).div_ceil(3) {
            continue;
        }
        match best {
            Some((fewest, _)) if errors > fewest => {}
            Some((fewest, _)) if errors == fewest => tied = true,
            _ => {
                best = Some((errors, name));
                tied = false;
            }
        }
    }
    best.filter(|_| !tied).map(|(_, name)| name)
}

/// The number of letters to insert, delete, replace or swap with their neighbor to turn one word into the other.
fn typing_errors(a: &[char], b: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut previous = None;
    for (i, &letter) in a.iter().enumerate() {
        let mut row = Vec::with_capacity(b.len() + 1);
        row.push(i + 1);
        for (j, &other) in b.iter().enumerate() {
            let at = |row: &[usize], place: usize| row.get(place).copied().unwrap_or(usize::MAX - 1);
            let mut errors = (at(&last, j) + usize::from(letter != other)).min(at(&last, j + 1) + 1).min(at(&row, j) + 1);
            let swapped = j.checked_sub(1).filter(|&left| previous == Some(other) && b.get(left) == Some(&letter));
            if let Some(left) = swapped {
                errors = errors.min(at(&before_last, left) + 1);
            }
            row.push(errors);
        }
        previous = Some(letter);
        before_last = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(a.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_the_one_that_was_meant() {
        let nearest = |word| nearest(word, ["host", "url", "id", "event", "active", "created"].into_iter());
        for (word, meant) in [("hots", "host"), ("HOST", "host"), ("evnt", "event"), ("events", "event"), ("cre", "created")]
        {
            assert_eq!(nearest(word), Some(meant), "{word}");
        }
        for word in ["", "localhost", "mailto", "xyz", &"h".repeat(1_000_000)] {
            assert_eq!(nearest(word), None, "{}", word.len());
        }
    }

    #[test]
    fn typing_errors_are_counted() {
        let errors = |a: &str, b: &str| typing_errors(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>());
        assert_eq!(errors("", "abc"), 3);
        assert_eq!(errors("abc", ""), 3);
        assert_eq!(errors("abc", "abc"), 0);
        assert_eq!(errors("acb", "abc"), 1);
        assert_eq!(errors("xabc", "abc"), 1);
        assert_eq!(errors("kitten", "sitting"), 3);
    }
}
