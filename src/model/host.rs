//! The host of a destination, extracted without a full URL parser if possible.

use std::borrow::Cow;

use url::{Host, Position, Url};

/// The host of a URL in normalized form: lower case and punycode for known schemes, IP addresses in their canonical
/// spelling, IPv6 in brackets, without a final dot and without the port. `None` if the URL does not parse. A borrowed result
/// is a part of the URL.
pub fn host(url: &str) -> Option<Cow<'_, str>> {
    if let Some((host, _)) = plain(url) {
        return Some(Cow::Borrowed(host));
    }
    parse(url)?.host_str().map(|host| Cow::Owned(without_final_dot(host).to_owned()))
}

/// As [`host`], with the path, query and fragment.
pub fn host_and_path(url: &str) -> Option<(Cow<'_, str>, Cow<'_, str>)> {
    if let Some((host, path)) = plain(url) {
        return Some((Cow::Borrowed(host), Cow::Borrowed(path)));
    }
    let url = parse(url)?;
    let host = without_final_dot(url.host_str()?).to_owned();
    let path = url[Position::BeforePath..].to_owned();
    Some((Cow::Owned(host), Cow::Owned(path)))
}

/// Normalizes a host written by a person, as [`host`] does. `None` if it is not a valid host.
pub fn normal_host(text: &str) -> Option<String> {
    let host = Host::parse(text.trim()).ok()?.to_string();
    Some(without_final_dot(&host).to_owned())
}

/// A host without its final dots: `example.com.` is `example.com`, looked up without search domains.
pub fn without_final_dot(host: &str) -> &str {
    match host.trim_end_matches('.') {
        "" => host,
        name => name,
    }
}

/// Longer URLs are not respelled, in bytes.
const MAX_RESPELLED: usize = 1 << 14;

/// As [`host`], with the URL as software parses and a list shows it, if its spelling differs from the registered one: a host
/// in punycode, a path with escapes, no default port.
pub(super) fn host_and_respelled(url: &str) -> (Option<Cow<'_, str>>, Option<String>) {
    let plain = plain(url).map(|(host, _)| Cow::Borrowed(host));
    if plain.is_some() && url.bytes().all(is_usual_anywhere) {
        return (plain, None);
    }
    let parsed = parse(url);
    let host = plain.or_else(|| Some(Cow::Owned(without_final_dot(parsed.as_ref()?.host_str()?).to_owned())));
    let respelled = parsed.filter(|_| url.len() <= MAX_RESPELLED).map(String::from);
    (host, respelled.filter(|respelled| !url.contains(&**respelled)))
}

/// The path of the URL as registered, without the query: queries hold ids and credentials, which do not distinguish
/// destinations.
pub fn path(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let start = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let path = rest.get(start..).unwrap_or_default();
    path.split(['?', '#']).next().unwrap_or_default()
}

/// Parses a URL that has a host.
pub(super) fn parse(url: &str) -> Option<Url> {
    Url::parse(url).ok().filter(Url::has_host)
}

/// Returns true if the URL is spelled so plainly that a parser would not change it.
pub(super) fn is_plain(url: &str) -> bool {
    let Some((_, rest)) = plain(url) else { return false };
    let (path, query) = rest.split_at(rest.bytes().position(|byte| byte == b'?').unwrap_or(rest.len()));
    let mut before = 0;
    let is_usual = |byte: u8| {
        // `.` and `..` segments would be resolved, so no segment may start with a dot.
        let is_usual = usual(byte) && !(before == b'/' && byte == b'.');
        before = byte;
        is_usual
    };
    let is_usual_in_query = |byte| usual(byte) || matches!(byte, b'?' | b'=' | b'&' | b'%');
    path.starts_with('/') && path.bytes().all(is_usual) && query.bytes().all(is_usual_in_query)
}

/// A byte that is common in URLs and that parsers never change.
const fn is_usual_anywhere(byte: u8) -> bool {
    usual(byte) || matches!(byte, b':' | b'?' | b'=' | b'&' | b'%' | b'@' | b'#' | b'+')
}

/// A byte that is literal in paths and queries, and never part of an escape.
const fn usual(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.' | b'~')
}

/// The host and the rest of a URL that is spelled so plainly that a parser would not change the host. This covers most URLs
/// at a fraction of the parser's cost. `None` if the parser is needed.
fn plain(url: &str) -> Option<(&str, &str)> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let mut end = 0;
    let mut before = b'.';
    // A last label that starts with a digit may be part of an IP address.
    let mut is_named = false;
    for byte in rest.bytes() {
        match byte {
            b'/' | b'?' | b'#' => break,
            // `xn--` may be invalid.
            b'-' if before == b'-' => return None,
            b'a'..=b'z' if before == b'.' => is_named = true,
            b'a'..=b'z' | b'-' => {}
            b'0'..=b'9' if before != b'.' => {}
            b'0'..=b'9' | b'.' => is_named = false,
            _ => return None,
        }
        before = byte;
        end += 1;
    }
    rest.split_at_checked(end).filter(|_| is_named)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn host_of(url: &str) -> Option<String> {
        host(url).map(Cow::into_owned)
    }

    #[test]
    fn the_path_ends_where_the_query_begins() {
        for (url, expected) in [
            ("https://a.com/x/y?z=/1#f", "/x/y"),
            ("https://a.com?z=/1", ""),
            ("https://a.com", ""),
            ("https://a.com/#f", "/"),
            ("no url/at all", "/at all"),
        ] {
            assert_eq!(path(url), expected, "{url}");
        }
    }

    #[test]
    fn most_urls_are_plain() {
        for (url, plain) in [
            ("https://hooks.acme.com/crm/v1.2/~x_y-z", true),
            ("https://hooks.acme.com/crm?token=a%20b&c", true),
            ("https://hooks.acme.com", false),
            ("https://hooks.acme.com/a/../b", false),
            ("https://hooks.acme.com/a%2fb", false),
            ("https://hooks.acme.com:443/", false),
            ("https://a@hooks.acme.com/", false),
            ("https://HOOKS.acme.com/", false),
        ] {
            assert_eq!(is_plain(url), plain, "{url}");
        }
    }

    #[test]
    fn the_host_is_the_one_that_is_resolved() {
        for (url, host) in [
            ("https://hooks.acme.com/crm", Some("hooks.acme.com")),
            ("https://HOOKS.Acme.com/crm", Some("hooks.acme.com")),
            ("https://good.com@evil.com/x", Some("evil.com")),
            ("https://good.com\\@evil.com", Some("good.com")),
            ("https://a.com:8443/x", Some("a.com")),
            ("https://bücher.de/x", Some("xn--bcher-kva.de")),
            ("https://2130706433/x", Some("127.0.0.1")),
            ("https://a.0x7f", None),
            ("http://[::1]:80/", Some("[::1]")),
            (" https://a\t.com/", Some("a.com")),
            ("https://A.com./x", Some("a.com")),
            ("https://a.com.:8443/x", Some("a.com")),
            ("https://a.com ", Some("a.com")),
            ("https://a%2Ecom/", Some("a.com")),
            ("https://", None),
            ("mailto:a@b.com", None),
            ("no url", None),
            ("", None),
        ] {
            assert_eq!(host_of(url).as_deref(), host, "{url}");
        }
    }

    #[test]
    fn a_host_as_it_is_written_is_the_host_of_urls() {
        for (text, host) in [
            ("OLD.example.com", Some("old.example.com")),
            ("old.example.com.", Some("old.example.com")),
            (" old.example.com ", Some("old.example.com")),
            ("köln.example.com", Some("xn--kln-sna.example.com")),
            ("old%2Eexample.com", Some("old.example.com")),
            ("127.1", Some("127.0.0.1")),
            ("[0::1]", Some("[::1]")),
            (".", Some(".")),
            ("", None),
            ("a b", None),
        ] {
            assert_eq!(normal_host(text).as_deref(), host, "{text}");
        }
    }

    #[test]
    fn a_path_is_what_follows_the_host() {
        let path_of = |url: &str| host_and_path(url).map(|(_, path)| path.into_owned());
        assert_eq!(path_of("https://a.com/x?y#z").as_deref(), Some("/x?y#z"));
        assert_eq!(path_of("https://a.com:1/x?y#z").as_deref(), Some("/x?y#z"));
        assert_eq!(path_of("nonsense"), None);
    }

    proptest! {
        #[test]
        fn the_short_way_says_what_the_parser_says(url in "https?://[a-z0-9x.-]{0,12}([/?#:@\\\\%A-Z\\t é][a-z0-9.@:/]{0,8})?") {
            let parsed = parse(&url).and_then(|url| url.host_str().map(|host| without_final_dot(host).to_owned()));
            prop_assert_eq!(host(&url).map(Cow::into_owned), parsed, "{}", url);
        }

        #[test]
        fn a_plain_url_is_its_own_spelling(url in "https?://[a-z0-9x.-]{0,12}/[/.?a-z#:@%2eA-Z\\t é~_-]{0,8}[?&=%a-z]{0,8}") {
            if is_plain(&url) {
                prop_assert_eq!(parse(&url).map(String::from), Some(url));
            }
        }
    }
}
