//! Hints for queries that are valid and hardly mean what they say: words and signs of other languages.

use super::fields::Field;
use super::parser::Value;
use crate::safe;
use crate::text::Safe;

/// What to say of a value without quotes, if it looks like a pattern of another language.
pub(super) fn of_value(field: Option<&Field>, value: &Value<'_>) -> Option<Safe> {
    let text = &*value.text;
    let name = field.map_or("", |field| field.name);
    // A regular expression means what it says, and a webhook may be subscribed to *.
    if name == "re" || !text.contains('*') || name == "event" && text == "*" {
        return None;
    }
    let shown = value.shown();
    let colon = if name.is_empty() { "" } else { ":" };
    let part = text.trim_matches('*');
    if part.is_empty() || part.contains('*') {
        return Some(safe!(
            "{}{}{}: * is no wildcard, it is searched for as it is; re:PATTERN takes patterns",
            name,
            colon,
            shown
        ));
    }
    let part = crate::text::clean_head(part, 40);
    Some(safe!("{}{}{}: * is no wildcard, and a part of the text is enough: {}{}{}", name, colon, shown, name, colon, part))
}

/// What to say of the words of a query, in their order, if one of them looks like an operator.
pub(super) fn of_words(words: &[Option<&str>]) -> Option<Safe> {
    let (_, rest) = words.split_first()?;
    let (_, between) = rest.split_last()?;
    let is_any =
        |names: &[&str]| between.iter().flatten().any(|word| names.iter().any(|name| word.eq_ignore_ascii_case(name)));
    if is_any(&["or"]) {
        return Some("OR is searched for as a word; alternatives are written a|b, without blanks".into());
    }
    if is_any(&["and", "&&", "&"]) {
        return Some("AND is searched for as a word; leave it out: all words must match".into());
    }
    let before_another = words.iter().take(words.len() - 1).flatten();
    before_another
        .into_iter()
        .any(|word| *word == "NOT")
        .then(|| "NOT is searched for as a word; a term is negated by a sign before it: -host:acme".into())
}
