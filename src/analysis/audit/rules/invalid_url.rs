//! `invalid-url`: URL is not valid.

use url::{ParseError, Url};

use crate::analysis::audit::{AuditContext, AuditInput, Check, Rule, Severity};
use crate::base::text::Safe;
use crate::safe;

pub(super) const RULE: Rule = Rule {
    id: "invalid-url",
    severity: Severity::Error,
    about: "URL is not valid",
    why: "Nothing can be delivered to it: every event it is subscribed to is lost.",
    advice: "Register the correct URL of the receiver; the message says what is wrong with this one.",
    check: Check::Webhook(check),
};

/// Describes the error of the parser, but not the URL, which may contain a password.
fn check(webhook: &AuditInput<'_>, _: &AuditContext) -> Option<Safe> {
    if webhook.parsed.is_some() {
        return None;
    }
    Some(match Url::parse(webhook.url()) {
        Err(error) => safe!("not a valid URL: {}", reason(error, webhook.url())),
        Ok(_) => "URL has no host".into(),
    })
}

/// The reason why a URL is not valid, without a part of it.
fn reason(error: ParseError, url: &str) -> &'static str {
    match error {
        ParseError::EmptyHost => "no host",
        ParseError::IdnaError | ParseError::InvalidDomainCharacter if has_space_in_host(url) => "space in the host",
        ParseError::IdnaError | ParseError::InvalidDomainCharacter => "not a valid host name",
        ParseError::InvalidPort => "not a valid port",
        ParseError::InvalidIpv4Address => "not a valid IPv4 address",
        ParseError::InvalidIpv6Address => "not a valid IPv6 address",
        ParseError::RelativeUrlWithoutBase
        | ParseError::RelativeUrlWithCannotBeABaseBase
        | ParseError::SetHostOnCannotBeABaseUrl => "does not start with https://",
        ParseError::Overflow => "too long",
        _ => "cannot be parsed",
    }
}

fn has_space_in_host(url: &str) -> bool {
    let rest = url.trim().split_once(':').map_or("", |(_, rest)| rest).trim_start_matches(['/', '\\']);
    let authority = rest.split(['/', '\\', '?', '#']).next().unwrap_or_default();
    authority.rsplit('@').next().is_some_and(|host| host.contains(' '))
}

#[cfg(test)]
mod tests {
    use crate::analysis::audit::tests::messages;

    #[test]
    fn a_url_that_does_not_parse_is_found() {
        for (url, word) in [
            ("https//a.example.com/x", "valid URL: does not start with https://"),
            ("a.example.com/x", "valid URL: does not start with https://"),
            ("https://a.example.com:84430/x", "not a valid port"),
            ("https://front desk.example.com/", "space in the host"),
            ("https://u:p w@front desk.example.com", "space in the host"),
            ("https://u:p w@a%00b.example.com/a b", "not a valid host name"),
            ("https://xn--a.example.com/a b", "not a valid host name"),
            ("https://[::g]/", "not a valid IPv6 address"),
            ("https://", "valid URL: no host"),
            ("", "valid URL: does not start with https://"),
            ("mailto:a@example.com", "no host"),
            ("https://1.2.3.4.5/", "not a valid IPv4 address"),
        ] {
            let found = messages("invalid-url", url);
            assert!(found.len() == 1 && found[0].contains(word), "{url}: {found:?}");
        }
    }

    #[test]
    fn a_url_that_parsers_correct_is_valid() {
        for url in ["https://a.example.com", "http://a.example.com:1/x", " https://a.example.com/\t", "https:a.example.com"]
        {
            assert!(messages("invalid-url", url).is_empty(), "{url}");
        }
    }
}
