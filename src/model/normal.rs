//! Normalizes URLs, so that destinations can be compared.

use url::Url;

use super::host::{parse, without_final_dot};

/// The normalized URL: its host in lower case and without a final dot; without the default port, the fragment, an empty
/// query and a trailing slash; without unnecessary percent-encoding, and with the rest of it in upper case.
///
/// Few servers distinguish `/hooks` from `/hooks/`, so two webhooks that differ only in that have the same destination.
pub fn normalized(url: &Url) -> String {
    let mut out = String::with_capacity(url.as_str().len());
    out.push_str(url.scheme());
    out.push_str("://");
    if !url.username().is_empty() || url.password().is_some() {
        out.push_str(url.username());
        if let Some(password) = url.password() {
            out.push(':');
            out.push_str(password);
        }
        out.push('@');
    }
    push_place(&mut out, url, url.path().trim_end_matches('/'));
    out
}

/// As [`normalized`], for a URL as registered. A text that is not a URL with a host is only trimmed.
pub fn normalized_text(url: &str) -> String {
    parse(url).map_or_else(|| url.trim().to_owned(), |url| normalized(&url))
}

/// As [`normalized`], without scheme and userinfo, and with a trailing slash, since patterns may name it.
pub fn normalized_place(url: &Url) -> String {
    let mut out = String::with_capacity(url.as_str().len());
    push_place(&mut out, url, url.path());
    out
}

fn push_place(out: &mut String, url: &Url, path: &str) {
    out.push_str(without_final_dot(url.host_str().unwrap_or_default()));
    if let Some(port) = url.port() {
        out.push(':');
        out.push_str(&port.to_string());
    }
    push_plain(out, path);
    if let Some(query) = url.query().filter(|query| !query.is_empty()) {
        out.push('?');
        push_plain(out, query);
    }
}

/// Normalizes the percent-encoding of a text (RFC 3986, 6.2.2).
fn push_plain(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        let code = after.get(..2).filter(|code| code.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let byte = code.and_then(|code| u8::from_str_radix(code, 16).ok());
        match (byte, code) {
            (Some(byte @ (b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~')), _) => {
                out.push(char::from(byte));
                rest = after.get(2..).unwrap_or_default();
            }
            (_, Some(code)) => {
                out.push('%');
                out.push_str(&code.to_ascii_uppercase());
                rest = after.get(2..).unwrap_or_default();
            }
            // A literal percent sign is encoded, so that it does not form an escape with the decoded text after it.
            (_, None) => {
                out.push_str("%25");
                rest = after;
            }
        }
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(url: &str) -> String {
        normalized(&Url::parse(url).unwrap())
    }

    #[test]
    fn spellings_of_one_destination_are_one() {
        for url in [
            "https://OK.acme.com:443/x",
            "HTTPS://ok.acme.com/x",
            "https://ok.acme.com./x",
            "https://ok.acme.com/./x",
            "https://ok.acme.com/y/../x",
            "https://ok.acme.com/%78",
            "https://ok.acme.com/x#top",
            "https://ok.acme.com/x?",
            "https://ok.acme.com/x/",
            "https://ok.acme.com/x/?#top",
            "https://ok.acme.com/x ",
            " https://ok.ac\tme.com/x",
            "https:\\\\ok.acme.com\\x",
            "https://ｏｋ.acme.com/x",
        ] {
            assert_eq!(of(url), "https://ok.acme.com/x", "{url}");
        }
        assert_eq!(of("https://127.1/"), of("https://2130706433"));
        assert_eq!(of("https://a.com/%2f%c3%a9"), of("https://a.com/%2Fé"));
    }

    #[test]
    fn a_text_that_is_no_url_is_itself() {
        assert_eq!(normalized_text(" https://OK.acme.com/x/ "), "https://ok.acme.com/x");
        assert_eq!(normalized_text(" no url "), "no url");
    }

    #[test]
    fn decoding_makes_no_new_codes() {
        assert_eq!(of("https://a.com/%a%30"), "https://a.com/%25a0");
        assert_ne!(of("https://a.com/%a%30"), of("https://a.com/%a0"));
    }

    #[test]
    fn different_destinations_stay_different() {
        let base = of("https://ok.acme.com/x");
        for url in [
            "http://ok.acme.com/x",
            "https://ok.acme.com:8443/x",
            "https://ok.acme.com/x/y",
            "https://ok.acme.com/X",
            "https://ok.acme.com/x?a=1",
            "https://ok.acme.com/%2Fx",
            "https://bob@ok.acme.com/x",
            "https://ok.acme.com/x%",
        ] {
            assert_ne!(of(url), base, "{url}");
        }
    }

    proptest! {
        #[test]
        fn the_one_spelling_is_a_fixed_point(tail in "[a-z0-9%/?=&.~-]{0,40}") {
            if let Ok(url) = Url::parse(&format!("https://a.example.com/{tail}")) {
                let once = normalized(&url);
                prop_assert_eq!(of(&once), once);
            }
        }
    }
}
