//! The origins of packed rows, each parsed once for all rows that share it.

use std::collections::{HashMap, HashSet};

use super::destinations::Origin;
use crate::model::RowRef;

/// The most unusual origins to cache by their text. Any further ones are parsed for each row.
const MAX_OTHERS: usize = 100_000;

/// A cache of one value per origin.
#[derive(Debug)]
pub struct ByOrigin<T> {
    /// Origins on the default port, at twice the number of the host, plus one without TLS.
    usual: Vec<Option<T>>,
    /// All other origins, by the text before the path.
    others: HashMap<Box<str>, T>,
}

impl<T> Default for ByOrigin<T> {
    fn default() -> Self {
        Self { usual: Vec::new(), others: HashMap::new() }
    }
}

impl<T: Copy> ByOrigin<T> {
    /// Returns the value for the origin of a row, and calls `find` if it is not cached. `None` is passed for a URL that
    /// cannot be connected to.
    pub fn of(&mut self, row: RowRef<'_>, find: impl FnOnce(Option<Origin>) -> T) -> T {
        let found = || find(Origin::of_text(row.url()));
        if let Some(place) = usual(row) {
            if let Some(&Some(known)) = self.usual.get(place) {
                return known;
            }
            if self.usual.len() <= place {
                self.usual.resize(place + 1, None);
            }
            let found = found();
            if let Some(known) = self.usual.get_mut(place) {
                *known = Some(found);
            }
            return found;
        }
        let Some(before_path) = before_path(row.url()) else { return found() };
        if let Some(&known) = self.others.get(before_path) {
            return known;
        }
        let found = found();
        if self.others.len() < MAX_OTHERS {
            self.others.insert(before_path.into(), found);
        }
        found
    }
}

/// The index in `usual`; `None` unless the URL consists of the scheme, the host as it is resolved, and a path.
fn usual(row: RowRef<'_>) -> Option<usize> {
    let host = row.host()?;
    let (rest, place) = match row.url().strip_prefix("https://") {
        Some(rest) => (rest, 0),
        None => (row.url().strip_prefix("http://")?, 1),
    };
    let path = rest.strip_prefix(&*host.name)?;
    (path.is_empty() || path.starts_with(['/', '?', '#'])).then_some(host.number as usize * 2 + place)
}

/// The text before the path; `None` if only a parser can find its end.
fn before_path(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    (end > 0).then(|| url.get(..url.len() - rest.len() + end))?
}

/// Collects the distinct origins of rows.
#[derive(Debug)]
pub struct Origins {
    seen: ByOrigin<()>,
    found: HashSet<Origin>,
    order: Vec<Origin>,
    most: usize,
    /// True if there are more origins than the limit.
    pub are_more: bool,
}

impl Origins {
    /// Starts a collection of at most `most` origins.
    pub fn new(most: usize) -> Self {
        Self { seen: ByOrigin::default(), found: HashSet::new(), order: Vec::new(), most, are_more: false }
    }

    pub fn add(&mut self, row: RowRef<'_>) {
        let Self { seen, found, order, most, are_more } = self;
        seen.of(row, |origin| {
            let Some(origin) = origin.filter(|origin| !found.contains(origin)) else { return };
            if order.len() >= *most {
                *are_more = true;
                return;
            }
            found.insert(origin.clone());
            order.push(origin);
        });
    }

    /// The collected origins, in the order of the rows.
    pub fn finish(self) -> Vec<Origin> {
        self.order
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::model::RowPage;
    use crate::model::testing::page_of;

    fn page(urls: &[&str]) -> Arc<RowPage> {
        let json = |url: &&str| serde_json::json!({"id": "w", "url": url}).to_string();
        page_of(&urls.iter().map(json).collect::<Vec<_>>())
    }

    fn gathered(urls: &[&str], most: usize) -> (Vec<String>, bool) {
        let mut origins = Origins::new(most);
        page(urls).rows().for_each(|row| origins.add(row));
        let are_more = origins.are_more;
        (origins.finish().iter().map(Origin::to_string).collect(), are_more)
    }

    #[test]
    fn each_origin_is_gathered_once() {
        let urls = [
            "https://a.example/1",
            "https://a.example/2",
            "https://bob:pw@a.example:443/3",
            "http://a.example/",
            "https://a.example:8443/1",
            "https://a.example:8443/2",
            "no url",
            "https:///b.example/",
            "https://B.example",
        ];
        let all = ["https://a.example", "http://a.example", "https://a.example:8443", "https://b.example"];
        assert_eq!(gathered(&urls, 10), (all.map(str::to_owned).into(), false));
        assert_eq!(gathered(&urls, 4), (all.map(str::to_owned).into(), false));
        assert_eq!(gathered(&urls, 3), (all[..3].iter().map(|&url| url.to_owned()).collect(), true));
    }

    proptest! {
        #[test]
        fn what_is_remembered_is_what_a_parser_says(
            urls in proptest::collection::vec("(https?:/{1,3})?(u:p@)?(a|b|1\\.1|[A\\t]b)(\\.example)?(:443|:80|:9)?[/?#\\\\@]?[a-z.:/@]{0,6}", 1..20),
        ) {
            let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
            let mut known = ByOrigin::default();
            let mut numbers: Vec<Option<Origin>> = Vec::new();
            for (row, url) in page(&urls).rows().zip(&urls) {
                let number = known.of(row, |origin| {
                    numbers.push(origin);
                    numbers.len() - 1
                });
                prop_assert_eq!(&numbers[number], &Origin::of_text(url), "{}", url);
            }
        }
    }
}
