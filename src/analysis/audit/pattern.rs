//! Patterns of hosts and URLs, as the config and the command line name them.

use std::collections::HashMap;

use url::{Position, Url};

use crate::base::redact;
use crate::base::text::{Safe, clean_head};
use crate::model::{normalized_place, without_final_dot};
use crate::safe;

/// The longest pattern, in bytes: no host and no URL that DialNexa takes is longer.
const MAX_BYTES: usize = 2048;

/// `old.example.com`, `*.legacy.example.com`, `https://old.example.com/hooks` or `old.example.com/hooks/*`. A `*` stands for
/// any characters. A pattern with a path also matches everything below that path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: Box<str>,
    kind: PatternKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum PatternKind {
    /// Matches the name of the host.
    Host(Box<str>),
    /// Matches the URL, from the scheme or from the host on; each glob is a whole pattern.
    Url { with_scheme: bool, globs: Vec<Box<str>> },
}

impl Pattern {
    /// # Errors
    ///
    /// The text is not a valid pattern; the message says why.
    pub fn parse(text: &str) -> Result<Self, Safe> {
        let text = text.trim();
        if text.is_empty() || text.len() > MAX_BYTES {
            return Err(safe!("must be 1 to {} bytes long", MAX_BYTES));
        }
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err("must not contain spaces or control characters".into());
        }
        if text.bytes().all(|byte| byte == b'*') {
            return Err("would match everything".into());
        }
        let (scheme, rest) = text.split_once("://").map_or((None, text), |(scheme, rest)| (Some(scheme), rest));
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (host, path) = rest.split_at(end);
        let has_port = host.rsplit_once(']').map_or(host, |(_, port)| port).contains(':');
        let host_text = normal_host(host);
        if host_text.is_empty() || host.starts_with('[') && !host.contains(']') {
            return Err("has no host".into());
        }
        if scheme.is_none() && matches!(host_text.split(':').next(), Some("http" | "https")) {
            return Err("lacks :// between the scheme and the host".into());
        }
        let kind = if scheme.is_none() && path.is_empty() && !has_port {
            PatternKind::Host(host_text.into())
        } else {
            let path = normal_path(path);
            let whole = match scheme {
                Some(scheme) => format!("{}://{host_text}{path}", scheme.to_ascii_lowercase()),
                None => format!("{host_text}{path}"),
            };
            PatternKind::Url { with_scheme: scheme.is_some(), globs: with_everything_below(&whole) }
        };
        Ok(Self { text: text.into(), kind })
    }

    /// The text, credentials masked.
    pub fn shown(&self) -> Safe {
        clean_head(&redact::mask_url(&self.text), 120)
    }

    /// The host of a pattern of a URL, if it is named without a wildcard.
    fn whole_host(&self) -> Option<&str> {
        let PatternKind::Url { globs, .. } = &self.kind else { return None };
        let whole = globs.first()?;
        let rest = whole.split_once("://").map_or(&**whole, |(_, rest)| rest);
        let authority = rest.split(['/', '?']).next()?;
        let host = match authority.split_once(']') {
            Some((address, _)) => authority.get(..=address.len())?,
            None => authority.split(':').next()?,
        };
        (!authority.contains('*')).then_some(host)
    }

    /// Returns true if it matches the text of a URL that is not valid.
    pub(super) fn matches_text(&self, url: &str) -> bool {
        glob(&self.text, url)
    }

    /// Returns true if it matches a URL.
    pub fn matches(&self, url: &Url) -> bool {
        match &self.kind {
            PatternKind::Host(pattern) => glob(pattern, host_of(url)),
            PatternKind::Url { with_scheme, globs } => {
                let place = normalized_place(url);
                let text = if *with_scheme { format!("{}://{place}", url.scheme()) } else { place };
                globs.iter().any(|pattern| glob(pattern, &text))
            }
        }
    }
}

fn host_of(url: &Url) -> &str {
    without_final_dot(url.host_str().unwrap_or_default())
}

/// A host as parsed URLs spell it, except that a parser would not take one with a wildcard.
fn normal_host(host: &str) -> String {
    let host = match Url::parse(&format!("https://{host}/")) {
        Ok(url) if !host.contains('*') => url[Position::BeforeHost..Position::AfterPort].to_owned(),
        _ => {
            let ascii = |label: &str| idna::domain_to_ascii(label).unwrap_or_else(|_has_a_wildcard| label.to_lowercase());
            let labels = host.split('.').map(|label| if label.is_ascii() { label.to_lowercase() } else { ascii(label) });
            labels.collect::<Vec<_>>().join(".")
        }
    };
    host.trim_end_matches('.').to_owned()
}

fn normal_path(path: &str) -> String {
    match Url::parse(&format!("https://a.example{path}")) {
        Ok(url) if !path.is_empty() => normalized_place(&url).strip_prefix("a.example").unwrap_or(path).to_owned(),
        _ => path.to_owned(),
    }
}

/// The globs of a URL pattern: itself, and everything below it.
fn with_everything_below(pattern: &str) -> Vec<Box<str>> {
    let pattern = pattern.strip_suffix('/').unwrap_or(pattern);
    let mut globs = vec![pattern.into()];
    if !pattern.ends_with('*') {
        globs.extend(["/*", "?*"].map(|below| format!("{pattern}{below}").into()));
    }
    globs
}

/// Returns true if a text matches a pattern with `*`. Takes at most time in proportion to the product of both lengths.
fn glob(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(start) else { return false };
    let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*').filter(|part| !part.is_empty()) {
        match text.split_once(part) {
            Some((_, after)) => text = after,
            None => return false,
        }
    }
    text.ends_with(end)
}

/// Many patterns. Most name a host, alone or in a URL; looking one of these up takes as long among ten as among ten thousand.
#[derive(Debug, Clone, Default)]
pub struct Patterns {
    all: Vec<Pattern>,
    /// Hosts without a wildcard.
    hosts: HashMap<Box<str>, usize>,
    /// The part after the `*.` of hosts that begin so.
    domains: HashMap<Box<str>, usize>,
    /// Patterns with a path or a port, by their host without a wildcard.
    urls: HashMap<Box<str>, Vec<usize>>,
    others: Vec<usize>,
}

impl Patterns {
    pub fn add(&mut self, pattern: Pattern) {
        let place = self.all.len();
        match &pattern.kind {
            PatternKind::Host(host) if !host.contains('*') => {
                self.hosts.entry(host.clone()).or_insert(place);
            }
            PatternKind::Host(host) => match host.strip_prefix("*.").filter(|domain| !domain.contains('*')) {
                Some(domain) => {
                    self.domains.entry(domain.into()).or_insert(place);
                }
                None => self.others.push(place),
            },
            PatternKind::Url { .. } => match pattern.whole_host() {
                Some(host) => self.urls.entry(host.into()).or_default().push(place),
                None => self.others.push(place),
            },
        }
        self.all.push(pattern);
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The pattern that matches the URL: one of a host before one of a URL.
    pub fn find(&self, url: &Url) -> Option<&Pattern> {
        let host = host_of(url);
        let domains = host.match_indices('.').filter_map(|(dot, _)| host.get(dot + 1..));
        let named = self.hosts.get(host).or_else(|| domains.into_iter().find_map(|domain| self.domains.get(domain)));
        let with_path = || self.urls.get(host).into_iter().flatten().chain(&self.others);
        let matches = |place: &&usize| self.all.get(**place).is_some_and(|one| one.matches(url));
        let place = named.or_else(|| with_path().find(matches))?;
        self.all.get(*place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pattern: &str, url: &str) -> bool {
        let url = Url::parse(url).unwrap();
        let pattern = Pattern::parse(pattern).unwrap();
        let alone = pattern.matches(&url);
        let mut patterns = Patterns::default();
        patterns.add(pattern);
        assert_eq!(patterns.find(&url).is_some(), alone, "{url}");
        alone
    }

    #[test]
    fn hosts_and_urls_are_matched() {
        for (pattern, url) in [
            ("old.example.com", "https://OLD.example.com./x"),
            ("old.example.com", "http://bob@old.example.com:8080/x"),
            ("OLD.example.com.", "https://old.example.com"),
            ("*.legacy.example.com", "https://a.b.legacy.example.com/"),
            ("legacy-*.example.com", "https://legacy-7.example.com/"),
            ("köln.example.com", "https://xn--kln-sna.example.com/"),
            ("*.köln.example.com", "https://a.xn--kln-sna.example.com/"),
            ("127.1", "https://127.0.0.1/"),
            ("10.*", "https://10.0.0.5/"),
            ("https://[::1]:8443/x", "https://[::1]:8443/x/y"),
            ("[::1]:8443", "https://[::1]:8443/x/y"),
            ("http*://old.example.com/x", "https://old.example.com/x"),
            ("https://*.example.com/x", "https://old.example.com/x"),
            ("https://old.example.com:*/x", "https://old.example.com:81/x"),
            ("[::1]", "https://[::1]/"),
            ("https://old.example.com/hooks", "https://old.example.com:443/hooks"),
            ("https://old.example.com/hooks", "https://old.example.com/hooks/a?b"),
            ("https://old.example.com/hooks/", "https://old.example.com/hooks?b"),
            ("https://old.example.com", "https://old.example.com/anything"),
            ("old.example.com/v1/*", "http://old.example.com/v1/x"),
            ("old.example.com:8443", "https://old.example.com:8443/x"),
            ("old.example.com:443", "https://old.example.com/x"),
            ("*/cgi-bin/*", "https://x.example.com/a/cgi-bin/b"),
            ("http://*", "http://x.example.com/"),
        ] {
            assert!(found(pattern, url), "{pattern} {url}");
        }
    }

    #[test]
    fn neighbors_are_not_matched() {
        for (pattern, url) in [
            ("old.example.com", "https://a.old.example.com/"),
            ("old.example.com", "https://old.example.com.evil.net/"),
            ("old.example.com", "https://good.example.com/?u=old.example.com"),
            ("*.legacy.example.com", "https://legacy.example.com/"),
            ("*.legacy.example.com", "https://notlegacy.example.com/"),
            ("https://old.example.com/hooks", "http://old.example.com/hooks"),
            ("https://old.example.com/hooks", "https://old.example.com/hooks2"),
            ("old.example.com:8443", "https://old.example.com/x"),
        ] {
            assert!(!found(pattern, url), "{pattern} {url}");
        }
    }

    #[test]
    fn an_invalid_pattern_is_refused() {
        for text in [
            "",
            " ",
            "*",
            "**",
            "a b",
            "a\u{1b}[31m",
            &"x".repeat(3000),
            "http://[",
            "https//a.com",
            "http:/a.com",
            "https:a.com",
            "://",
            "/x",
        ] {
            assert!(Pattern::parse(text).is_err(), "{}", text.len());
        }
    }

    #[test]
    fn a_credential_in_a_pattern_is_masked() {
        assert_eq!(Pattern::parse("https://bob:pw@a.com/x").unwrap().shown().as_str(), "https://***@a.com/x");
    }
}
