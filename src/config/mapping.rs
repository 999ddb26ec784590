//! The map file of a migration: the events, hosts and URLs to replace. It is read as strictly as the config, by the same
//! code.

use std::path::Path;

use url::Url;

use super::document::{ConfigDocument, Section};
use super::error::ConfigError;
use super::shown::clean_path;
use crate::model::normal_host;
use crate::safe;

/// The contents of the file, unordered. Hosts are in lower case, as in URLs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MapFile {
    pub events: Vec<(String, Vec<String>)>,
    pub hosts: Vec<(String, String)>,
    pub urls: Vec<(String, String)>,
}

impl MapFile {
    /// Reads the file.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let document = ConfigDocument::open(path)?;
        let tables = document.parse()?;
        let mut root = Section::root(&document, &tables);
        let (mut events, mut hosts, mut urls) = (root.section("events")?, root.section("hosts")?, root.section("urls")?);
        let mut map = Self::default();
        for name in events.names() {
            if let Some(found) = events.strings(&name)? {
                if name.is_empty() || found.value.iter().any(String::is_empty) {
                    return Err(events.wrong(&name, &"an event name is empty".into(), &found.place));
                }
                map.events.push((name, found.value));
            }
        }
        for name in hosts.names() {
            if let Some(found) = hosts.string(&name)? {
                let parsed = host(&name).zip(host(&found.value));
                let (old, new) = parsed.ok_or_else(|| {
                    hosts.wrong(&name, &"both hosts must be names such as hooks.example.com".into(), &found.place)
                })?;
                if map.hosts.iter().any(|(known, _)| *known == old) {
                    return Err(hosts.wrong(&name, &"the host is mapped twice".into(), &found.place));
                }
                map.hosts.push((old, new));
            }
        }
        for name in urls.names() {
            if let Some(found) = urls.string(&name)? {
                if !Url::parse(&found.value).is_ok_and(|url| url.scheme() == "https") {
                    return Err(urls.wrong(&name, &"the new URL must start with https://".into(), &found.place));
                }
                map.urls.push((name, found.value));
            }
        }
        root.finish()?;
        if map == Self::default() {
            return Err(ConfigError::new(safe!("{}: maps nothing", clean_path(path)))
                .advise("Add a table [events], [hosts] or [urls]; hookscope help plan shows an example."));
        }
        Ok(map)
    }
}

/// A host as in URLs: in lower case, names in other scripts as punycode.
fn host(text: &str) -> Option<String> {
    // A port, a path or an IPv6 address is not part of a name.
    let is_name = !text.is_empty() && !text.contains(['/', ':', '@', '?', '#']);
    normal_host(text).filter(|_| is_name)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn read(text: &str) -> Result<MapFile, String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("map.toml");
        fs::write(&path, text).unwrap();
        let shown = |error: ConfigError| error.to_string().replace(&path.to_string_lossy().into_owned(), "map.toml");
        MapFile::read(&path).map_err(shown)
    }

    #[test]
    fn a_map_is_read() {
        let map = read(
            "[events]\n\"call_ended\" = [\"call.completed\", \"call.failed\"]\ngone = []\n[hosts]\n\"OLD.example.com\" = \"new.example.com\"\n[urls]\n\"https://a/x\" = \"https://b/y\"\n",
        )
        .unwrap();
        let owned = |text: &str| text.to_owned();
        assert_eq!(map.events[0], (owned("call_ended"), vec![owned("call.completed"), owned("call.failed")]));
        assert_eq!(
            (map.events[1].clone(), map.hosts),
            ((owned("gone"), vec![]), vec![(owned("old.example.com"), owned("new.example.com"))])
        );
        assert_eq!(map.urls, [(owned("https://a/x"), owned("https://b/y"))]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, expected) in [
            ("[event]\na = []\n", "map.toml:1: event: unknown key"),
            ("x = 1\n", "map.toml:1: x: unknown key"),
            ("[events]\n\n\"a.b\" = \"c\"\n", "map.toml:3: events.a.b: must be an array of strings"),
            ("[events]\na = [1]\n", "map.toml:2: events.a: must be an array of strings"),
            ("[events]\na = [\"\"]\n", "map.toml:2: events.a: an event name is empty"),
            ("[hosts]\n\"a.com\" = [\"b\"]\n", "map.toml:2: hosts.a.com: must be a string"),
            ("[hosts]\n\"a.com\" = \"https://b.com\"\n", "map.toml:2: hosts.a.com: both hosts must be names"),
            ("[hosts]\n\"a.com\" = \"b\"\n\"A.com\" = \"c\"\n", "the host is mapped twice"),
            ("[hosts]\n\"a.com\" = \"b\"\n\"a.com.\" = \"c\"\n", "the host is mapped twice"),
            ("[urls]\nx = \"http://b.com\"\n", "map.toml:2: urls.x: the new URL must start with https://"),
            ("events = 5\n", "map.toml:1: events: must be a table"),
            ("[events]\na = []\na = []\n", "map.toml:3:1: not valid TOML"),
            ("", "map.toml: maps nothing"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(expected), "{text:?}: {error}");
        }
    }
}
