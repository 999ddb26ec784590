//! URLs in a short form for display.

use super::host;
use crate::base::redact;
use crate::base::text::{Safe, clean_head};

/// A URL for a narrow column, in at most about `columns` columns: without `https://`, and with the host as it is resolved
/// (in punycode) instead of a lookalike spelling. Credentials are masked unless `reveal`.
pub fn short_url(url: &str, reveal: bool, columns: usize) -> Safe {
    // Enough for any host name and a part of the path.
    let bytes = columns.saturating_add(512);
    let Some(head) = redact::head_to_show(url, bytes) else { return redact::MASK.into() };
    let without_scheme = |shown: &str| clean_head(shown.strip_prefix("https://").unwrap_or(shown), columns);
    if host::is_plain(head) {
        return if reveal { without_scheme(head) } else { without_scheme(&redact::mask_url(head)) };
    }
    match host::parse(head) {
        Some(url) if reveal => without_scheme(url.as_str()),
        Some(url) => without_scheme(&redact::mask_parsed(&url)),
        None if reveal => without_scheme(head),
        None => without_scheme(&redact::mask_url(head)),
    }
}

/// A path of this host for display, with credentials masked.
pub fn masked_path(host: &str, path: &str) -> String {
    let masked = redact::mask_url(&format!("https://{host}{path}"));
    let shown = masked.strip_prefix("https://").and_then(|rest| rest.strip_prefix(host));
    shown.unwrap_or(redact::MASK).to_owned()
}

/// The part of a path before its first credential; `None` without a credential.
pub fn public_path(host: &str, path: &str) -> Option<String> {
    let masked = masked_path(host, path);
    (masked != path).then(|| masked.split(redact::MASK).next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_destination_shows_the_host_that_is_resolved() {
        let short = |url: &str| short_url(url, false, 60).to_string();
        assert_eq!(short("https://hooks.acme.com/crm"), "hooks.acme.com/crm");
        assert_eq!(short("http://hooks.acme.com/crm"), "http://hooks.acme.com/crm");
        assert_eq!(short("https://good.com@evil.com/x"), "***@evil.com/x");
        assert_eq!(short("https://аpple.com/x"), "xn--pple-43d.com/x");
        assert_eq!(short("https://2130706433/x"), "127.0.0.1/x");
        assert_eq!(short("not a url \u{202e}"), "not a url <U+202E>");
    }

    #[test]
    fn a_huge_destination_is_not_read_to_its_end() {
        let url = format!("https://a.com/{}", "x".repeat(8 << 20));
        assert!(short_url(&url, false, 40).as_str().len() < 2000);
    }
}
