//! Parses the text of a query into terms. Every error has the bytes of the text that it is about.

use std::borrow::Cow;

use jiff::Timestamp;

use super::condition::{Condition, Term};
use super::error::QueryError;
use super::fields::{FIELDS, FilterField};
use super::fuzzy::{self, Fuzzy};
use super::hint;
use super::needle::Needle;
use super::value::{FieldValue, SHOWN, problem, quote};
use crate::analysis::words::nearest;
use crate::base::text::{Safe, clean_head, grouped};
use crate::safe;

/// The largest query in bytes: more than is ever typed, and enough for the ids of 200 webhooks.
const MAX_BYTES: usize = 4_096;

/// The most alternatives of all terms together. Each is searched for in every webhook.
const MAX_ALTERNATIVES: usize = 256;

/// The most regular expressions of all terms together, since each may take a MiB.
const MAX_PATTERNS: usize = 16;

/// Parses a query; ages are counted from `now`.
pub(super) fn parse(text: &str, now: Timestamp) -> Result<(Vec<Term>, Option<Safe>), QueryError> {
    if text.len() > MAX_BYTES {
        let message = safe!("the filter is longer than {} bytes", grouped(MAX_BYTES as u64));
        return Err(problem(text.floor_char_boundary(MAX_BYTES)..text.len(), message, None));
    }
    let mut parser = Parser { text, at: 0, now, alternatives: 0, patterns: 0, hint: None };
    let mut terms = Vec::new();
    let mut words = Vec::new();
    loop {
        parser.take_while(char::is_whitespace);
        if parser.rest().is_empty() {
            let hint = parser.hint.take();
            return Ok((terms, hint.or_else(|| hint::of_words(&words))));
        }
        let start = parser.at;
        terms.push(parser.term()?);
        words.push(text.get(start..parser.at));
    }
}

struct Parser<'q> {
    text: &'q str,
    /// The next byte.
    at: usize,
    now: Timestamp,
    alternatives: usize,
    patterns: usize,
    hint: Option<Safe>,
}

impl<'q> Parser<'q> {
    fn rest(&self) -> &'q str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'q str {
        let rest = self.rest();
        let end = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    fn eat(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    /// Parses a term up to the space after it.
    fn term(&mut self) -> Result<Term, QueryError> {
        let start = self.at;
        let negated = self.eat("-") || self.eat("!");
        if negated && self.rest().chars().next().is_none_or(char::is_whitespace) {
            let advice = "Write the term right after the sign, as in -host:acme. To search for the sign, quote it.";
            return Err(self.problem(start, "nothing to negate".into(), Some(advice.into())));
        }
        let mut field = None;
        let mut any = Vec::new();
        loop {
            any.push(self.alternative(&mut field)?);
            if !self.eat("|") {
                return Ok(Term { negated, any });
            }
        }
    }

    /// Parses one alternative of a term. `field` is the last one that the term named.
    fn alternative(&mut self, field: &mut Option<&'static FilterField>) -> Result<Condition, QueryError> {
        let start = self.at;
        let named = self.field()?;
        let condition = if named.is_none() && self.eat("~") {
            let Some(value) = self.value(&[], false)? else {
                return Err(self.problem(start, "missing word after ~".into(), Some("For example: ~acmcrm".into())));
            };
            if value.text.len() > fuzzy::MAX_BYTES {
                let message = safe!("a fuzzy word is at most {} bytes long", fuzzy::MAX_BYTES);
                return Err(value.wrong(message, Some("Without the ~ it may be longer.".into())));
            }
            Condition::Fuzzy(Fuzzy::new(&value.text))
        } else {
            *field = named.or(*field);
            let (operators, takes_bars) = field.map_or((&[][..], false), |field| (field.operators, field.takes_bars));
            let before = self.at;
            let Some(value) = self.value(operators, takes_bars)? else { return Err(self.nothing(start, named)) };
            let is_quoted = self.text.get(before..self.at).is_some_and(|spelled| spelled.ends_with('"'));
            if self.hint.is_none() && !is_quoted {
                self.hint = hint::of_value(*field, &value);
            }
            match field {
                Some(field) => (field.read)(&value, self.now)?,
                None => Condition::Anywhere(Needle::part(&value.text)),
            }
        };
        self.alternatives += 1;
        if self.alternatives > MAX_ALTERNATIVES {
            let message = safe!("more than {} words, counting alternatives", MAX_ALTERNATIVES);
            return Err(self.problem(start, message, None));
        }
        self.patterns += usize::from(matches!(condition, Condition::Pattern(_)));
        if self.patterns > MAX_PATTERNS {
            let message = safe!("more than {} regular expressions", MAX_PATTERNS);
            return Err(self.problem(start, message, Some("Combine them: re:a|b".into())));
        }
        Ok(condition)
    }

    /// Parses the name of a field, if one is next. The start of a URL is none, nor is a host before its port:
    /// `acme.com:443`.
    fn field(&mut self) -> Result<Option<&'static FilterField>, QueryError> {
        let rest = self.rest();
        let Some((name, value)) = rest.split_once(':') else { return Ok(None) };
        if name.strip_prefix(['-', '!']).is_some_and(|name| FIELDS.iter().any(|field| field.name == name)) {
            let advice = "The sign negates all alternatives: -id:a|b matches neither a nor b.";
            let sign = self.at..self.at + 1;
            return Err(problem(sign, "a term can only be negated at its start".into(), Some(advice.into())));
        }
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_') {
            return Ok(None);
        }
        let start = self.at;
        if let Some(field) = FIELDS.iter().find(|field| field.name == name) {
            self.at += name.len() + 1;
            return Ok(Some(field));
        }
        if value.starts_with("//") {
            return Ok(None);
        }
        self.at += name.len() + 1;
        let span = start..self.at;
        let message = safe!("unknown field {}:", clean_head(name, SHOWN));
        let word = rest.split(|c: char| c.is_whitespace() || matches!(c, '|' | '"')).next().unwrap_or_default();
        let as_text = clean_head(&quote(word), SHOWN);
        let advice = match nearest(name, FIELDS.iter().map(|field| field.name)) {
            Some(meant) => safe!("Did you mean {}:? To search for the text, quote it: {}", meant, as_text),
            None => safe!("To search for the text, quote it: {}", as_text),
        };
        Err(problem(span, message, Some(advice)))
    }

    /// Parses a value with its operator; `None` when there is nothing.
    fn value(&mut self, operators: &'static [&'static str], takes_bars: bool) -> Result<Option<FieldValue<'q>>, QueryError> {
        let start = self.at;
        let operator = operators.iter().copied().find(|operator| self.eat(operator)).unwrap_or_default();
        let text = if self.rest().starts_with('"') {
            self.quoted()?
        } else {
            let bare = self.take_while(|c| !c.is_whitespace() && (takes_bars || c != '|'));
            if bare.is_empty() {
                return Ok(None);
            }
            Cow::Borrowed(bare)
        };
        Ok(Some(FieldValue { operator, text, span: start..self.at }))
    }

    /// Parses a quoted text. A backslash before anything but a quote or a backslash is itself: `re:"\d+ \d+"`.
    fn quoted(&mut self) -> Result<Cow<'q, str>, QueryError> {
        let start = self.at;
        self.eat("\"");
        let mut text = Cow::Borrowed("");
        loop {
            let plain = self.take_while(|c| !matches!(c, '"' | '\\'));
            if text.is_empty() {
                text = Cow::Borrowed(plain);
            } else {
                text.to_mut().push_str(plain);
            }
            if self.eat("\"") {
                break;
            }
            let letter = if self.eat("\\\"") {
                '"'
            } else if self.eat("\\\\") || self.eat("\\") {
                '\\'
            } else {
                let advice = r#"Inside quotes, \" is a quote and \\ a backslash."#;
                return Err(problem(start..start + 1, "missing closing quote".into(), Some(advice.into())));
            };
            text.to_mut().push(letter);
        }
        let end = self.at;
        let glued = self.take_while(|c| !c.is_whitespace() && c != '|');
        if glued.is_empty() {
            return Ok(text);
        }
        let message = safe!("missing space before {}", clean_head(glued, SHOWN));
        let advice = r#"Put a space after the closing quote, or write \" for a quote inside quotes."#;
        Err(self.problem(end, message, Some(advice.into())))
    }

    /// Returns the error of a missing value in an alternative that began at `start` and named this field.
    fn nothing(&self, start: usize, named: Option<&FilterField>) -> QueryError {
        if let Some(field) = named {
            let message = safe!("missing value after {}:", field.name);
            return self.problem(start, message, Some(safe!("For example: {}", field.example)));
        }
        if self.at > start {
            let message =
                safe!("missing value after {}", clean_head(self.text.get(start..self.at).unwrap_or_default(), SHOWN));
            return self.problem(start, message, None);
        }
        // Point at the bar before it, or at the one here.
        let bar = if self.rest().starts_with('|') { start..start + 1 } else { start.saturating_sub(1)..start };
        let advice = "Write alternatives without spaces: a|b. To search for the sign, quote it: \"|\"";
        problem(bar, "missing alternative beside the |".into(), Some(advice.into()))
    }

    /// Returns an error about the text from `start` to here.
    fn problem(&self, start: usize, message: Safe, advice: Option<Safe>) -> QueryError {
        problem(start..self.at, message, advice)
    }
}
