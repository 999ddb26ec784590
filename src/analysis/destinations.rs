//! Groups webhooks by destination: each origin (scheme, host and port) once, with its URLs and webhooks.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;

use url::{Host, Url};

use crate::base::text::{Safe, clean};
use crate::model::{Destination, RowRef, WebhookId, without_final_dot};

/// The scheme, host and port of a connection.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin {
    host: Host<String>,
    port: u16,
    tls: bool,
}

impl Origin {
    /// Returns the origin of a URL; `None` without a host, or if the scheme is neither `http` nor `https`.
    pub fn of(url: &Url) -> Option<Self> {
        let tls = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let host = match url.host()? {
            Host::Domain(name) => Host::Domain(without_final_dot(name).to_owned()),
            address => address.to_owned(),
        };
        Some(Self { host, port: url.port_or_known_default()?, tls })
    }

    /// Parses a URL and returns its origin; `None` if the URL cannot be connected to.
    pub fn of_text(url: &str) -> Option<Self> {
        Self::of(&Url::parse(url).ok()?)
    }

    pub fn host(&self) -> &Host<String> {
        &self.host
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns true for `https`.
    pub fn is_tls(&self) -> bool {
        self.tls
    }

    /// The origin as a terminal may show it. An origin holds no secrets.
    pub fn clean(&self) -> Safe {
        clean(&self.to_string())
    }
}

impl fmt::Display for Origin {
    /// `https://a.com`, or `https://a.com:8443` if the port is not the default one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, usual) = if self.tls { ("https", 443) } else { ("http", 80) };
        write!(f, "{scheme}://{}", self.host)?;
        if self.port == usual { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A webhook that delivers to a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub id: WebhookId,
    /// The `is_active` field; `None` if it is missing or not a boolean.
    pub active: Option<bool>,
    /// The index of its workspace, when several are read.
    pub workspace: usize,
}

/// A URL of an origin, without fragment and userinfo, since neither is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    pub url: Url,
    pub members: Vec<Member>,
}

/// An origin to probe, with its URLs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub origin: Origin,
    pub resources: Vec<Resource>,
}

/// The distinct destinations of a listing.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Destinations {
    pub targets: Vec<Target>,
    /// Destinations that are not valid http or https URLs, with their webhooks.
    pub invalid: Vec<(Destination, Vec<Member>)>,
}

/// Groups webhooks by destination, one row at a time.
#[derive(Debug, Default)]
pub struct Grouping {
    found: Destinations,
    origins: HashMap<Origin, (usize, HashMap<Url, usize>)>,
    invalid: HashMap<Destination, usize>,
}

impl Grouping {
    /// Adds a webhook of a workspace.
    pub fn add(&mut self, row: RowRef<'_>, workspace: usize) {
        let member = Member { id: WebhookId::new(row.id()), active: row.active(), workspace };
        let destination = Destination::new(row.url());
        let url = destination.parse();
        let Some((mut url, origin)) = url.and_then(|url| Origin::of(&url).map(|origin| (url, origin))) else {
            let place = *self.invalid.entry(destination.clone()).or_insert_with(|| {
                self.found.invalid.push((destination, Vec::new()));
                self.found.invalid.len() - 1
            });
            if let Some((_, members)) = self.found.invalid.get_mut(place) {
                members.push(member);
            }
            return;
        };
        url.set_fragment(None);
        // Neither can fail, since the URL has a host.
        url.set_username("").and_then(|()| url.set_password(None)).unwrap_or_default();
        if let Some(name) = url.domain().filter(|name| name.ends_with('.')).map(|name| without_final_dot(name).to_owned()) {
            // Cannot fail: a name without its final dot is still valid.
            url.set_host(Some(&name)).unwrap_or_default();
        }
        let (place, urls) = match self.origins.entry(origin) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                self.found.targets.push(Target { origin: entry.key().clone(), resources: Vec::new() });
                entry.insert((self.found.targets.len() - 1, HashMap::new()))
            }
        };
        let Some(target) = self.found.targets.get_mut(*place) else { return };
        let place = *urls.entry(url).or_insert_with_key(|url| {
            target.resources.push(Resource { url: url.clone(), members: Vec::new() });
            target.resources.len() - 1
        });
        if let Some(resource) = target.resources.get_mut(place) {
            resource.members.push(member);
        }
    }

    /// Returns the destinations: targets sorted by origin, and the URLs of each sorted too.
    pub fn finish(self) -> Destinations {
        let mut found = self.found;
        found.targets.sort_by_cached_key(|target| target.origin.to_string());
        for target in &mut found.targets {
            target.resources.sort_by(|one, other| one.url.cmp(&other.url));
        }
        found.invalid.sort_by(|(one, _), (other, _)| one.cmp(other));
        found
    }
}

impl Target {
    /// The webhooks of all its URLs.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.resources.iter().flat_map(|resource| &resource.members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::row_of;

    fn grouped(urls: &[&str]) -> Destinations {
        let mut grouping = Grouping::default();
        for (number, url) in urls.iter().enumerate() {
            let json = format!(r#"{{"id":"w{number}","url":{},"is_active":{}}}"#, serde_json::json!(url), number % 2 == 0);
            grouping.add(row_of(&json).row(), 0);
        }
        grouping.finish()
    }

    #[test]
    fn webhooks_meet_at_what_is_connected_to() {
        let found = grouped(&[
            "https://B.example/2",
            "https://b.example:443/1?x=1#top",
            "https://bob:pw@b.example./1?x=1",
            "http://b.example/",
            "https://b.example:8443/",
            "https://2130706433/",
            "https://[::1]:443",
        ]);
        let origins: Vec<_> = found.targets.iter().map(|target| target.origin.to_string()).collect();
        assert_eq!(
            origins,
            ["http://b.example", "https://127.0.0.1", "https://[::1]", "https://b.example", "https://b.example:8443"]
        );
        let urls: Vec<_> = found.targets[3].resources.iter().map(|resource| resource.url.as_str()).collect();
        assert_eq!(urls, ["https://b.example/1?x=1", "https://b.example/2"]);
        let ids: Vec<_> = found.targets[3].members().map(|member| member.id.raw()).collect();
        assert_eq!(ids, ["w1", "w2", "w0"]);
    }

    #[test]
    fn what_cannot_be_connected_to_is_kept_apart() {
        let found = grouped(&["no url", "ftp://a.example/", "no url", "https://", "mailto:a@b.example"]);
        assert_eq!(found.targets, []);
        let texts: Vec<_> = found.invalid.iter().map(|(text, members)| (text.raw(), members.len())).collect();
        assert_eq!(texts, [("ftp://a.example/", 1), ("https://", 1), ("mailto:a@b.example", 1), ("no url", 2)]);
    }
}
