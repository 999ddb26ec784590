//! Hints for queries that are valid but probably do not mean what they say: operators and wildcards of other languages.

use super::fields::FilterField;
use super::value::FieldValue;
use crate::base::text::Safe;
use crate::safe;

/// The hint for a value without quotes that looks like a glob.
pub(super) fn of_value(field: Option<&FilterField>, value: &FieldValue<'_>) -> Option<Safe> {
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
            "{}{}{}: * is not a wildcard and is searched for literally; use re:PATTERN for patterns",
            name,
            colon,
            shown
        ));
    }
    let part = crate::base::text::clean_head(part, 40);
    Some(safe!("{}{}{}: * is not a wildcard; part of the text is enough: {}{}{}", name, colon, shown, name, colon, part))
}

/// The hint for the terms of a query, in their order, if one of them looks like an operator.
pub(super) fn of_words(words: &[Option<&str>]) -> Option<Safe> {
    let (_, rest) = words.split_first()?;
    let (_, between) = rest.split_last()?;
    let is_any =
        |names: &[&str]| between.iter().flatten().any(|word| names.iter().any(|name| word.eq_ignore_ascii_case(name)));
    if is_any(&["or"]) {
        return Some("OR is searched for as a word; write alternatives as a|b, without spaces".into());
    }
    if is_any(&["and", "&&", "&"]) {
        return Some("AND is searched for as a word; leave it out: terms are ANDed".into());
    }
    let before_another = words.iter().take(words.len() - 1).flatten();
    before_another
        .into_iter()
        .any(|word| *word == "NOT")
        .then(|| "NOT is searched for as a word; negate a term with a leading -, as in -host:acme".into())
}
