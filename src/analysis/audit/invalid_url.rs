//! `invalid-url`: URL is not valid.

use url::Url;

use super::{Basis, Candidate, Check, Rule, Severity};
use crate::safe;
use crate::text::{Safe, clean_head};

pub(super) const RULE: Rule = Rule {
    id: "invalid-url",
    severity: Severity::Error,
    about: "URL is not valid",
    why: "Nothing can be delivered to it: every event it is subscribed to is lost.",
    advice: "Register the correct URL of the receiver; the message says what is wrong with this one.",
    check: Check::Webhook(check),
};

/// What the parser says of it; never the text, which may hold a password.
fn check(webhook: &Candidate<'_>, _: &Basis) -> Option<Safe> {
    if webhook.parsed.is_some() {
        return None;
    }
    Some(match Url::parse(webhook.url) {
        Err(error) => safe!("not a valid URL: {}", clean_head(&error.to_string(), 100)),
        Ok(_) => "URL has no host".into(),
    })
}

#[cfg(test)]
mod tests {
    use crate::analysis::audit::tests::messages;

    #[test]
    fn what_does_not_parse_is_found() {
        for (url, word) in [
            ("https//a.example.com/x", "relative URL"),
            ("a.example.com/x", "relative URL"),
            ("https://a.example.com:84430/x", "port"),
            ("https://front desk.example.com/", "domain"),
            ("https://", "empty host"),
            ("", "relative URL"),
            ("mailto:a@example.com", "no host"),
            ("https://1.2.3.4.5/", "IPv4"),
        ] {
            let found = messages("invalid-url", url);
            assert!(found.len() == 1 && found[0].contains(word), "{url}: {found:?}");
        }
    }

    #[test]
    fn what_a_parser_forgives_is_a_url() {
        for url in ["https://a.example.com", "http://a.example.com:1/x", " https://a.example.com/\t", "https:a.example.com"]
        {
            assert!(messages("invalid-url", url).is_empty(), "{url}");
        }
    }
}
