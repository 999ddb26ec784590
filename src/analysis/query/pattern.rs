//! Regular expressions, `re:PATTERN`, with bounds on memory and nesting.

use regex::{Regex, RegexBuilder};

use super::needle::has_capital;
use crate::base::text::{Safe, clean_head};

/// The memory limit of a compiled expression, and of the cache of a search, in bytes.
const MAX_BYTES: usize = 1 << 20;

/// The deepest nesting of groups.
const MAX_NESTING: u32 = 64;

/// The most columns of an error message.
const MESSAGE: usize = 120;

/// Compiles a pattern. Smart case: a literal capital letter makes it case-sensitive.
pub(super) fn compile(pattern: &str) -> Result<Regex, Safe> {
    RegexBuilder::new(pattern)
        .case_insensitive(!has_capital(&literals(pattern)))
        .size_limit(MAX_BYTES)
        .dfa_size_limit(MAX_BYTES)
        .nest_limit(MAX_NESTING)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "the pattern is too large".into(),
            error => {
                // The lines before the last repeat the pattern, with a mark where it is wrong.
                let text = error.to_string();
                let last = text.lines().last().unwrap_or_default();
                clean_head(last.strip_prefix("error: ").unwrap_or(last), MESSAGE)
            }
        })
}

/// The literal characters of a pattern: without escapes, and without the names and flags of groups.
fn literals(pattern: &str) -> String {
    let mut kept = String::with_capacity(pattern.len());
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' => skip_escape(&mut rest),
            '(' if rest.as_str().starts_with('?') => {
                let _ended = rest.any(|c| matches!(c, ':' | '>' | ')'));
            }
            _ => kept.push(c),
        }
    }
    kept
}

/// Skips the rest of an escape after its backslash: `\S`, `\pL`, `\p{Lu}`, `\x4A`, `\x{4A}`, `\u004A`.
fn skip_escape(rest: &mut std::str::Chars<'_>) {
    let digits = match rest.next() {
        Some('p' | 'P') => 1,
        Some('x') => 2,
        Some('u') => 4,
        Some('U') => 8,
        _ => return,
    };
    if rest.as_str().starts_with('{') {
        let _ended = rest.any(|c| c == '}');
    } else if digits > 0 {
        rest.nth(digits - 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capital_that_stands_for_itself_makes_case_matter() {
        for (pattern, text, matches) in [
            ("acme", "ACME", true),
            ("Acme", "ACME", false),
            ("Acme", "Acme", true),
            (r"\Sacme", "/ACME", true),
            (r"\pLcme", "ACME", true),
            (r"\p{Lu}cme", "ACME", true),
            (r"\x41cme|\x{4A}|\u004A|\U0000004A", "aCME", true),
            ("(?P<Name>acme)|(?<Other>acme)", "ACME", true),
            ("(?U)a+", "A", true),
            (r"(?:Acme)", "ACME", false),
            (r"\\Acme", r"\ACME", false),
            ("(?i)Acme", "ACME", true),
            ("[A-Z]cme", "acme", false),
        ] {
            assert_eq!(compile(pattern).unwrap().is_match(text), matches, "{pattern}");
        }
    }

    #[test]
    fn a_wrong_pattern_says_why_in_one_line() {
        assert_eq!(compile("a(b").unwrap_err().as_str(), "unclosed group");
        assert_eq!(compile("a\n(b").unwrap_err().as_str(), "unclosed group");
        assert_eq!(compile("*").unwrap_err().as_str(), "repetition operator missing expression");
        for wrong in [r"\", r"\p", r"\p{", r"\x", "(?", "(?P<", "[", r"\p{\u{1b}[31m}", "\u{202e}("] {
            let why = compile(wrong).unwrap_err();
            assert!(why.width() <= MESSAGE && !why.is_empty(), "{why}");
        }
    }

    #[test]
    fn a_pattern_that_would_take_too_much_is_refused() {
        assert_eq!(compile(r"\w{9999}").unwrap_err().as_str(), "the pattern is too large");
        assert!(compile(&"(".repeat(4_000)).is_err());
        assert!(compile(&format!("{}a{}", "(".repeat(200), ")".repeat(200))).is_err());
    }
}
