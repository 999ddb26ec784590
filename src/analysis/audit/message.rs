//! Texts of findings.

use url::Url;

use crate::base::redact;
use crate::base::text::{Safe, clean_head};
use crate::model::Destination;
use crate::safe;

/// A name in quotes, so that spaces around it can be seen.
pub(super) fn quoted(name: &str) -> Safe {
    safe!("\"{}\"", clean_head(name, 60))
}

/// Names as a list for a message: at most five, and the number of the others.
pub(super) fn enumerate<'n>(names: impl Iterator<Item = &'n str>) -> Safe {
    enumerate_safe(names.map(|name| clean_head(name, 60)))
}

/// As [`enumerate`], of names that are ready to be shown.
pub(super) fn enumerate_safe(names: impl Iterator<Item = Safe>) -> Safe {
    const SHOWN: usize = 5;
    let mut out = Safe::default();
    let mut more = 0_usize;
    for (index, name) in names.enumerate() {
        if index >= SHOWN {
            more += 1;
            continue;
        }
        if index > 0 {
            out.push(&", ".into());
        }
        out.push(&name);
    }
    if more > 0 {
        out.push(&safe!(" and {} more", more));
    }
    out
}

/// A URL as reports show it, in at most `columns` columns, with the host that is resolved.
pub fn shown_url(url: &str, columns: usize) -> Safe {
    match Url::parse(url).ok().filter(|parsed| parsed.has_host() && hides_host(url, parsed)) {
        Some(parsed) => clean_head(&redact::mask_url(parsed.as_str()), columns),
        None => Destination::new(url).clean_head(false, columns),
    }
}

/// Returns true if the text does not show the host that is resolved: `https://2130706433`, or one with foreign letters.
fn hides_host(text: &str, url: &Url) -> bool {
    // No valid host name is longer, and nothing longer precedes one unless it is to deceive.
    const SEARCHED: usize = 1024;
    let head = text.get(..text.floor_char_boundary(SEARCHED)).unwrap_or(text);
    !head.to_ascii_lowercase().contains(url.host_str().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_url_names_the_host_that_is_resolved_and_no_credential() {
        let shown = |url: &str| shown_url(url, 200).to_string();
        let url = "https://hooks.slack.com/services/T0AAAAAAA/B0BBBBBBB/XyZw09kLmN4XyZw09kLmN4";
        assert_eq!(shown(url), "https://hooks.slack.com/services/T0AAAAAAA/B0BBBBBBB/***");
        assert_eq!(shown("https://a.example.com/?sig=x&y=1"), "https://a.example.com/?sig=***&y=1");
        assert!(shown(&format!("https://a.example.com/{}", "x".repeat(1 << 20))).len() < 300);
        assert_eq!(shown("https://HOOKS.example.com:443/x"), "https://HOOKS.example.com:443/x");
        assert_eq!(shown("https://аpple.com/x"), "https://xn--pple-43d.com/x");
        assert_eq!(shown("https://apple.com@2130706433/x?key=a"), "https://***@127.0.0.1/x?key=***");
    }
}
