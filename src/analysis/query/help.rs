//! Text of `hookscope help filter`. The fields come from their table; a test parses every example.

use super::fields::FIELDS;

/// Example queries and their results.
const EXAMPLES: &[(&str, &str)] = &[
    ("acme billing", "both words, anywhere"),
    ("host:acme.com|globex.com -active:yes", "on either host, and not active"),
    ("event:=call.completed created:>2y", "subscribed to it, over 2 years old"),
    ("created:>=2024-06 created:<2025", "from June to December 2024"),
    (r#"-event:"""#, "subscribed to no events"),
    (r#"-host:"""#, "the URL is not valid"),
    ("re:^http:", "without TLS"),
    ("~acmcrm active:yes", "active; best matches first"),
    ("finding:error|warning -event:test", "has findings; no test events"),
];

const BEFORE_FIELDS: &str = r#"A filter selects webhooks: after / in the explorer, with --filter elsewhere.
In a shell, put it in single quotes: --filter 'host:acme -active:yes'

A filter is a list of terms separated by spaces. A webhook must match all terms.

  acme            in the URL, the id or the name of a subscribed event
  "two words"     the same with spaces; \" is a quote, \\ a backslash
  ~acmcrm         fuzzy: these letters in this order; best match first
  host:acme       in one field: see below
  a|b             a or b; b takes the field of a, as in host:acme|globex
  -host:acme      not; !host:acme is the same. -a|b is neither a nor b

A word with a capital letter is case-sensitive, except in a host. Hosts outside
ASCII are compared in punycode. URLs match as registered and as displayed.

Fields:

"#;

const AFTER_FIELDS: &str = r#"
host:, path:, url:, id: and event: match a part of the text. With = they match
all of it, in this case (host: in any case): event:=call.completed, id:="a b".

created: takes an age or a date, with <, <=, > or >=.
  created:>30d          older than 30 days; < is younger. The units are m, h, d,
                        w, mo and y
  created:<2024-06-01   before that day; > is after it. Months (2024-06), years
                        (2024) and times (2024-06-01T10:00:00Z) work too, in
                        UTC unless they have a zone
  created:2024-06       in that month

finding: takes a rule about webhooks (see hookscope audit --list-rules), a
severity, or any. Waived findings do not match. It works in the explorer, in
list and in audit.

A webhook without a valid is_active matches neither active:yes nor active:no;
one without a valid created_at matches no created: term.

probe: takes a result of p or P in the explorer: dead (unreachable), reachable,
untried, or unknown (not probed); tls-expiring; or an error: dns, refused,
timeout, unreachable, reset, tls-expired, tls-untrusted, tls-name, tls, http,
private, invalid-url. The probe command prints the same words.

re: takes everything up to the next space, including |; a pattern with spaces
needs quotes: re:"a b". So do words such as localhost:3000, but not URLs.

Examples:

"#;

/// The names of the fields, each with its help.
pub fn fields() -> impl Iterator<Item = (&'static str, &'static str)> {
    FIELDS.iter().map(|field| (field.name, field.help))
}

/// The explanation of the language: lines of at most 80 columns, each with its line break.
pub fn help() -> String {
    let mut text = String::from(BEFORE_FIELDS);
    for field in FIELDS {
        let form = format!("{}:{}", field.name, field.takes);
        text.push_str(&format!("  {form:<18}{}\n                    {}\n", field.help, field.example));
    }
    text.push_str(AFTER_FIELDS);
    for (query, meaning) in EXAMPLES {
        text.push_str(&format!("  {query:<38}{meaning}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::analysis::query::parsed::Query;

    #[test]
    fn every_example_is_a_query() {
        let examples = EXAMPLES.iter().map(|(query, _)| *query).chain(FIELDS.iter().map(|field| field.example));
        for example in examples {
            let query = Query::parse(example, Timestamp::UNIX_EPOCH).unwrap_or_else(|error| panic!("{example}: {error}"));
            assert!(!query.is_empty());
        }
    }

    #[test]
    fn the_help_knows_every_field_and_fits_a_terminal() {
        let help = help();
        assert!(help.ends_with('\n'));
        for line in help.lines() {
            assert!(line.len() <= 80 && line.is_ascii() && line.trim_end() == line, "{line}");
        }
        for field in FIELDS {
            assert!(help.contains(field.example), "{}", field.name);
        }
    }
}
