//! Sorts packed rows.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::analysis::rows::{RowNumber, Rows, Table};
use crate::analysis::sort::{Sort, SortKey};
use crate::model::{RowRef, host_and_path};

/// The key of a row without a value: it comes last in both directions.
const LAST: u64 = u64::MAX;

impl Sort {
    /// Rows in this order, equal ones as they were; those without a value last.
    pub fn rows(self, rows: &Rows, hits: &[RowNumber]) -> Vec<RowNumber> {
        let table = Table::new(rows);
        let ranks = matches!(self.key, SortKey::Url | SortKey::Host).then(|| host_ranks(&table, hits)).unwrap_or_default();
        let mut keyed: Vec<(u64, RowNumber)> = hits
            .iter()
            .map(|&hit| {
                let key = table.row(hit).and_then(|row| self.key.number(row, &ranks));
                // The largest number stands for no value.
                let key = key.map(|key| if self.descending { LAST - 1 - key.min(LAST - 1) } else { key.min(LAST - 1) });
                (key.unwrap_or(LAST), hit)
            })
            .collect();
        keyed.sort_unstable();
        if matches!(self.key, SortKey::Url | SortKey::Id) {
            for equal in keyed.chunk_by_mut(|a, b| a.0 == b.0 && a.0 != LAST) {
                self.sort_by_texts(&table, equal);
            }
        }
        keyed.into_iter().map(|(_, hit)| hit).collect()
    }

    /// Puts rows in order whose numbers say too little.
    fn sort_by_texts(self, table: &Table<'_>, rows: &mut [(u64, RowNumber)]) {
        if rows.len() < 2 {
            return;
        }
        let text = |hit| {
            let row = table.row(hit)?;
            if self.key == SortKey::Url { path(row) } else { Some(Cow::Borrowed(row.id())) }
        };
        // Taken once: each is compared many times.
        let mut texts: Vec<_> = rows.iter().map(|&(_, hit)| (text(hit), hit)).collect();
        texts.sort_unstable_by(|a, b| {
            let order = a.0.cmp(&b.0);
            if self.descending { order.reverse() } else { order }.then(a.1.cmp(&b.1))
        });
        for (place, (_, hit)) in rows.iter_mut().zip(texts) {
            place.1 = hit;
        }
    }
}

impl SortKey {
    /// A number that sorts as the value does, or nearly so.
    fn number(self, row: RowRef<'_>, ranks: &HashMap<u32, u64>) -> Option<u64> {
        if !row.is_webhook() {
            return None;
        }
        match self {
            Self::Created => row.created_ms().map(|ms| ms.cast_unsigned() ^ (1 << 63)),
            Self::Events => row.event_count().map(|count| count as u64),
            Self::Status => row.active().map(|active| u64::from(!active)),
            Self::Id => Some(head(row.id()) >> 1),
            Self::Host => ranks.get(&row.host()?.number).copied(),
            Self::Url => Some(ranks.get(&row.host()?.number)? << 31 | head(&path(row)?) >> 33),
        }
    }
}

/// The first eight bytes as a number that sorts as they do.
fn head(text: &str) -> u64 {
    let mut bytes = [0; 8];
    for (byte, &there) in bytes.iter_mut().zip(text.as_bytes()) {
        *byte = there;
    }
    u64::from_be_bytes(bytes)
}

/// The path of a row's URL and what follows it.
fn path(row: RowRef<'_>) -> Option<Cow<'_, str>> {
    let host = row.host()?;
    let rest = row.url().strip_prefix("https://").and_then(|rest| rest.strip_prefix(&*host.name));
    // A parser would spell what follows an unusual host in its own way.
    let is_usual = host.name.ends_with(|c: char| c.is_ascii_lowercase()) && !host.name.contains("xn--");
    match rest {
        Some(path) if is_usual && (path.is_empty() || path.starts_with('/')) => Some(Cow::Borrowed(path)),
        _ => host_and_path(row.url()).map(|(_, path)| path),
    }
}

/// The places of the hosts among all of them in order, by their numbers.
fn host_ranks(table: &Table<'_>, hits: &[RowNumber]) -> HashMap<u32, u64> {
    let mut hosts = HashMap::new();
    for &hit in hits {
        if let Some(host) = table.row(hit).and_then(RowRef::host) {
            hosts.entry(host.number).or_insert(&*host.name);
        }
    }
    let mut names: Vec<(&str, u32)> = hosts.into_iter().map(|(number, name)| (name, number)).collect();
    names.sort_unstable();
    names.into_iter().zip(0..).map(|((_, number), rank)| (number, rank)).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;
    use crate::analysis::rows::Segment;
    use crate::analysis::sort::SORT_KEYS;
    use crate::model::{Draft, Element, Packer, Row};

    fn any_row() -> impl Strategy<Value = Row> {
        let url = r"(https://(a|b)\.com/a/long/path/[ab]{1,2}|http://A\.com:81/[ab]?|https://a\.com|none)";
        let rest = prop::sample::select(vec![
            r#","events":["x"],"is_active":true,"created_at":"2024-01-01T00:00:00.000Z""#,
            r#","events":["x","y"],"is_active":false,"created_at":"2023-01-01T00:00:00.000Z""#,
            r#","events":5,"is_active":null,"created_at":"never""#,
            r#","events":["x",1,null],"is_active":true"#,
        ]);
        let webhook =
            (url, "w_alike_[ab]{1,2}", rest).prop_map(|(url, id, rest)| format!(r#"{{"id":"{id}","url":"{url}"{rest}}}"#));
        let json = prop_oneof![9 => webhook, 1 => Just("7".to_owned())];
        json.prop_map(|json| Row::decode(&RawValue::from_string(json).unwrap()).unwrap())
    }

    proptest! {
        #[test]
        fn packed_rows_are_in_the_order_of_the_webhooks(
            webhooks in prop::collection::vec(any_row(), 0..30),
            key in prop::sample::select(SORT_KEYS.iter().map(|entry| entry.key).collect::<Vec<_>>()),
            descending: bool,
        ) {
            let block = Arc::new(Packer::default().pack_rows(webhooks.iter().cloned().map(Draft::of_row)));
            let mut rows = Rows::new(30);
            rows.put(1, Segment { rows: block.len(), block });
            let all: Vec<RowNumber> = (0..).take(webhooks.len()).collect();
            let sort = Sort { key, descending };
            let expected: Vec<RowNumber> =
                sort.order(webhooks.iter().map(Row::webhook)).into_iter().map(|place| all[place]).collect();
            prop_assert_eq!(sort.rows(&rows, &all), expected);
        }
    }
}
