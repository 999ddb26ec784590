//! What `hookscope help filter` says. The fields are those of the table; a test parses every example.

use super::fields::FIELDS;

/// Queries to start from, with what they find.
const EXAMPLES: &[(&str, &str)] = &[
    ("acme billing", "both words, anywhere"),
    ("host:acme.com|globex.com -active:yes", "at one of two hosts, but not active"),
    ("event:=call.completed created:>2y", "hears the event, older than 2 years"),
    ("created:>=2024-06 created:<2025", "from June to December 2024"),
    (r#"-event:"""#, "hears no event"),
    (r#"-host:"""#, "its url is no url"),
    ("re:^http:", "not encrypted"),
    ("~acmcrm active:yes", "active; the best matches first"),
    ("finding:error|warning -event:test", "is to be repaired, and hears no test"),
];

const BEFORE_FIELDS: &str = r#"A filter says which webhooks are shown: in the explorer after /, elsewhere with
--filter. In a shell, put it in single quotes: --filter 'host:acme -active:yes'

A filter is terms with blanks between them. A webhook must match all of them.

  acme            in the url, the id or the name of an event
  "two words"     the same with blanks; \" is a quote, \\ a backslash
  ~acmcrm         fuzzy: these letters in this order; the best match comes first
  host:acme       only there: see the fields below
  a|b             either; b takes the field of a, as in host:acme|globex
  -host:acme      not that; !host:acme is the same. -a|b is neither of them

Case matters only for a word that has a capital letter. The case of a host never
does. A host with letters outside ASCII is compared in punycode. A url is looked
through as it was registered and as it is shown, where that is another spelling.

Fields:

"#;

const AFTER_FIELDS: &str = r#"
After host:, url:, id: and event: a = means the whole text, in this case and not
as a part: event:=call.completed. Quotes go behind it: event:="my event".

After created: stands an age or a date, after <, <=, > or >=.
  created:>30d          older than 30 days; < is younger. The units are m, h, d,
                        w, mo and y
  created:<2024-06-01   before that day; > is after it. Months (2024-06), years
                        (2024) and times (2024-06-01T10:00:00Z) work as well,
                        in UTC if they have no zone
  created:2024-06       in that month

finding: takes a rule that is about webhooks (hookscope audit --list-rules), a
severity or any. What is accepted in the config is not found. It works in the
explorer, in list and in audit.

A webhook that does not say whether it is active is neither active:yes nor
active:no; one without a time of creation matches no created: at all.

probe: asks what p and P found out in the explorer: dead, reachable, untried, or
unknown for what was not probed; tls-expiring; or why: dns, refused, timeout,
unreachable, reset, tls-expired, tls-untrusted, tls-name, tls, http, private,
invalid-url. The command probe prints the same words.

re: takes everything up to the next blank, | included; with blanks it stands in
quotes: re:"a b". Words like localhost:3000 need quotes too, urls do not.

Examples:

"#;

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
    use crate::analysis::query::Query;

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
