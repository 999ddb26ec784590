//! Sorts packed rows.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::analysis::sort::{Sort, SortKey};
use crate::model::{RowNumber, RowRef, RowTable, Rows, host_and_path};

/// The key of a row without a value: it comes last in both directions.
const LAST: u64 = u64::MAX;

impl Sort {
    /// Sorts the rows. The sort is stable, and rows without a value come last in both directions.
    pub fn rows(self, rows: &Rows, hits: &[RowNumber]) -> Vec<RowNumber> {
        let table = RowTable::new(rows);
        let ranks = matches!(self.key, SortKey::Url | SortKey::Host).then(|| host_ranks(&table, hits)).unwrap_or_default();
        let mut keyed: Vec<(u64, RowNumber)> = hits
            .iter()
            .map(|&hit| {
                let key = table.row(hit).and_then(|row| self.key.number(row, &ranks));
                // `LAST` is reserved for rows without a value.
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

    /// Sorts rows with equal numeric keys by their full texts.
    fn sort_by_texts(self, table: &RowTable<'_>, rows: &mut [(u64, RowNumber)]) {
        if rows.len() < 2 {
            return;
        }
        let text = |hit| {
            let row = table.row(hit)?;
            if self.key == SortKey::Url { path(row) } else { Some(Cow::Borrowed(row.id())) }
        };
        // Each text is computed once, since it is compared many times.
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
    /// A numeric key that sorts like the value, or like a prefix of it.
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

/// The first eight bytes as a number that sorts the same way.
fn head(text: &str) -> u64 {
    let mut bytes = [0; 8];
    for (byte, &there) in bytes.iter_mut().zip(text.as_bytes()) {
        *byte = there;
    }
    u64::from_be_bytes(bytes)
}

/// The path, query and fragment of a row's URL.
fn path(row: RowRef<'_>) -> Option<Cow<'_, str>> {
    let host = row.host()?;
    let rest = row.url().strip_prefix("https://").and_then(|rest| rest.strip_prefix(&*host.name));
    // For an unusual host, a parser may also spell the rest differently.
    let is_usual = host.name.ends_with(|c: char| c.is_ascii_lowercase()) && !host.name.contains("xn--");
    match rest {
        Some(path) if is_usual && (path.is_empty() || path.starts_with('/')) => Some(Cow::Borrowed(path)),
        _ => host_and_path(row.url()).map(|(_, path)| path),
    }
}

/// The rank of each host in alphabetical order, by host number.
fn host_ranks(table: &RowTable<'_>, hits: &[RowNumber]) -> HashMap<u32, u64> {
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
