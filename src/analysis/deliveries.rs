//! Delivery statistics: attempts counted per webhook and joined to the listing. Uses `model` and `text`; start at
//! [`DeliveryTally`].
//!
//! The vendor's log has the fields of its delivery page (`event`, `response_status`, `is_success`, `error_message`,
//! `retry_attempt`, `parent_delivery_id`, `call_id`, a time); an export of it adds `webhook_id` or `url`. Memory does not
//! grow with the rows: see [`MAX_WEBHOOKS`], [`MAX_TEXTS`] and [`MAX_DISTINCT`].

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::base::text::{Safe, Untrusted, grouped};
use crate::model::{Destination, normalized_text};
use crate::safe;

/// The number of webhooks with their own statistics. Rows of any others are counted but not joined.
pub const MAX_WEBHOOKS: usize = 250_000;
/// The number of distinct error messages in the whole log.
pub const MAX_TEXTS: usize = 10_000;
/// The number of distinct error messages, and of distinct statuses, per webhook. Any others are only counted.
pub const MAX_DISTINCT: usize = 16;
/// The length to which an error message is cut, in bytes.
const MAX_TEXT_BYTES: usize = 200;

/// A delivery attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryAttempt<'a> {
    pub webhook: WebhookKey<'a>,
    pub is_success: bool,
    /// True for a retry after an earlier attempt failed.
    pub is_retry: bool,
    /// `None` without a response.
    pub status: Option<u16>,
    pub error: Option<&'a str>,
    pub at: Option<Timestamp>,
}

/// Identifies the webhook of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookKey<'a> {
    Id(&'a str),
    /// The URL as logged. It is normalized before it is compared.
    Url(&'a str),
}

/// Delivery statistics of one webhook.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeliveryStats {
    pub attempts: u64,
    pub failures: u64,
    pub retries: u64,
    /// The latest failure that has a time.
    pub last_failure: Option<Timestamp>,
    /// The most frequent error message, and the number of failures with it.
    pub top_error: Option<(Untrusted, u64)>,
    /// The most frequent status of failures, and the number of failures with it.
    pub top_status: Option<(u16, u64)>,
    /// True if some attempts were joined by URL: other webhooks with the same URL have the same figures.
    pub by_url: bool,
}

impl DeliveryStats {
    /// Returns true if more than `percent` of the attempts failed and there were at least `attempts` of them.
    pub fn fails(&self, percent: u64, attempts: u64) -> bool {
        let over = u128::from(self.failures) * 100 > u128::from(percent) * u128::from(self.attempts);
        self.attempts >= attempts && over
    }
}

/// Occurrences of each of a few values, and of all others together.
#[derive(Debug, Clone, PartialEq, Eq)]
struct TopCounts<T> {
    counts: Vec<(T, u64)>,
    others: u64,
}

impl<T> Default for TopCounts<T> {
    fn default() -> Self {
        Self { counts: Vec::new(), others: 0 }
    }
}

impl<T: Copy + Ord> TopCounts<T> {
    fn add(&mut self, value: Option<T>, times: u64) {
        let is_full = self.counts.len() >= MAX_DISTINCT;
        let known = self.counts.iter_mut().find(|(known, _)| Some(*known) == value);
        match (known, value) {
            (Some((_, count)), _) => *count += times,
            (None, Some(value)) if !is_full => self.counts.push((value, times)),
            (None, _) => self.others += times,
        }
    }

    fn merge(&mut self, other: &Self) {
        other.counts.iter().for_each(|&(value, count)| self.add(Some(value), count));
        self.others += other.others;
    }

    /// Returns the most frequent value; of several, the smallest, so that the order of rows does not matter.
    fn top(&self) -> Option<(T, u64)> {
        self.counts.iter().copied().max_by(|(one, times), (other, often)| times.cmp(often).then(other.cmp(one)))
    }
}

/// The counters of one webhook.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct WebhookCounts {
    attempts: u64,
    failures: u64,
    retries: u64,
    last_failure: Option<Timestamp>,
    errors: TopCounts<u32>,
    statuses: TopCounts<u16>,
}

impl WebhookCounts {
    fn merge(&mut self, other: &Self) {
        self.attempts += other.attempts;
        self.failures += other.failures;
        self.retries += other.retries;
        self.last_failure = self.last_failure.max(other.last_failure);
        self.errors.merge(&other.errors);
        self.statuses.merge(&other.statuses);
    }
}

/// Counts attempts as they are read.
#[derive(Debug, Clone, Default)]
pub struct DeliveryTally {
    ids: HashMap<Box<str>, usize>,
    /// By normalized URL.
    urls: HashMap<Box<str>, usize>,
    slots: Vec<WebhookCounts>,
    texts: Vec<Arc<str>>,
    text_numbers: HashMap<Arc<str>, u32>,
    rows: u64,
    crowded: u64,
}

/// Attempts that match no webhook.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnmatchedAttempts {
    pub rows: u64,
    /// The number of distinct ids and URLs that match no webhook.
    pub webhooks: usize,
    /// The one with the most rows: an id, or a normalized URL, which may hold credentials.
    pub most: Option<Destination>,
    /// Rows of webhooks beyond [`MAX_WEBHOOKS`], which have no statistics of their own. They are included in `rows`.
    pub crowded: u64,
}

impl UnmatchedAttempts {
    /// Describes the unmatched attempts; `None` when there are none.
    pub fn words(&self) -> Option<Safe> {
        let most = self.most.as_ref().map(|most| most.clean_head(false, 80));
        let mut words = match self.rows {
            1 => "1 attempt matches no webhook".into(),
            many => safe!("{} attempts match no webhook", grouped(many)),
        };
        match (self.webhooks, most) {
            (0, _) | (_, None) if self.rows == 0 => return None,
            (0, _) | (_, None) => {}
            (1, Some(most)) => words.push(&safe!(": {}", most)),
            (many, Some(most)) => words.push(&safe!(" ({} different targets, most often {})", many, most)),
        }
        if self.crowded > 0 {
            words.push(&safe!("; {} were not joined (limit: {} webhooks)", self.crowded, MAX_WEBHOOKS));
        }
        Some(words)
    }
}

impl DeliveryTally {
    /// Counts an attempt.
    pub fn add(&mut self, attempt: &DeliveryAttempt<'_>) {
        self.rows += 1;
        let Some(number) = self.number(attempt.webhook) else {
            self.crowded += 1;
            return;
        };
        let error = attempt.error.filter(|_| !attempt.is_success).map(|error| self.text(error));
        let Some(slot) = self.slots.get_mut(number) else { return };
        slot.attempts += 1;
        slot.retries += u64::from(attempt.is_retry);
        if attempt.is_success {
            return;
        }
        slot.failures += 1;
        slot.last_failure = slot.last_failure.max(attempt.at);
        if let Some(error) = error {
            slot.errors.add(error, 1);
        }
        if attempt.status.is_some() {
            slot.statuses.add(attempt.status, 1);
        }
    }

    /// Attempts that were counted.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Returns the slot of a webhook, adding one if needed; `None` once there are [`MAX_WEBHOOKS`].
    fn number(&mut self, key: WebhookKey<'_>) -> Option<usize> {
        let normal;
        let (places, name) = match key {
            WebhookKey::Id(id) => (&mut self.ids, id),
            WebhookKey::Url(url) => {
                normal = normalized_text(url);
                (&mut self.urls, normal.as_str())
            }
        };
        if let Some(&number) = places.get(name) {
            return Some(number);
        }
        if self.slots.len() >= MAX_WEBHOOKS {
            return None;
        }
        places.insert(name.into(), self.slots.len());
        self.slots.push(WebhookCounts::default());
        Some(self.slots.len() - 1)
    }

    /// Returns the number of a message, adding it if needed; `None` once there are [`MAX_TEXTS`].
    fn text(&mut self, text: &str) -> Option<u32> {
        let text = text.get(..text.floor_char_boundary(MAX_TEXT_BYTES)).unwrap_or(text);
        if let Some(&number) = self.text_numbers.get(text) {
            return Some(number);
        }
        let number = u32::try_from(self.texts.len()).ok().filter(|_| self.texts.len() < MAX_TEXTS)?;
        let text: Arc<str> = text.into();
        self.texts.push(Arc::clone(&text));
        self.text_numbers.insert(text, number);
        Some(number)
    }

    /// Returns the statistics of the webhook with this id and URL; `None` without attempts. A row that has an id is joined
    /// by id, any other by URL.
    pub fn of(&self, id: &str, url: &str) -> Option<DeliveryStats> {
        let (by_id, by_url) = self.numbers(id, url);
        let slot = |number: Option<usize>| number.and_then(|number| self.slots.get(number));
        let mut sum = slot(by_id).or(slot(by_url))?.clone();
        if let (Some(_), Some(by_url)) = (by_id, slot(by_url)) {
            sum.merge(by_url);
        }
        let text = |(number, count): (u32, u64)| {
            let text = usize::try_from(number).ok().and_then(|number| self.texts.get(number))?;
            Some((Untrusted::from(&**text), count))
        };
        Some(DeliveryStats {
            attempts: sum.attempts,
            failures: sum.failures,
            retries: sum.retries,
            last_failure: sum.last_failure,
            top_error: sum.errors.top().and_then(text),
            top_status: sum.statuses.top(),
            by_url: by_url.is_some(),
        })
    }

    fn numbers(&self, id: &str, url: &str) -> (Option<usize>, Option<usize>) {
        let by_id = self.ids.get(id).copied();
        // Normalizing costs more than the rest of a join.
        let by_url = if self.urls.is_empty() { None } else { self.urls.get(&*normalized_text(url)).copied() };
        (by_id, by_url)
    }

    /// Returns the attempts that match none of these webhooks, given as ids and URLs.
    pub fn unmatched<'a>(&self, webhooks: impl IntoIterator<Item = (&'a str, &'a str)>) -> UnmatchedAttempts {
        let mut is_matched = vec![false; self.slots.len()];
        for (id, url) in webhooks {
            let (by_id, by_url) = self.numbers(id, url);
            for number in [by_id, by_url].into_iter().flatten() {
                if let Some(matched) = is_matched.get_mut(number) {
                    *matched = true;
                }
            }
        }
        let mut unmatched = UnmatchedAttempts { rows: self.crowded, crowded: self.crowded, ..UnmatchedAttempts::default() };
        let mut most: Option<(u64, &str)> = None;
        for (name, &number) in self.ids.iter().chain(&self.urls) {
            let Some((slot, false)) = self.slots.get(number).zip(is_matched.get(number).copied()) else { continue };
            unmatched.rows += slot.attempts;
            unmatched.webhooks += 1;
            // Of several, the first by name, as the order of the map is arbitrary.
            if most.is_none_or(|(rows, known)| (slot.attempts, known) > (rows, name)) {
                most = Some((slot.attempts, name));
            }
        }
        unmatched.most = most.map(|(_, name)| Destination::new(name));
        unmatched
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn attempt(webhook: WebhookKey<'_>, status: u16) -> DeliveryAttempt<'_> {
        let is_success = status < 300;
        DeliveryAttempt { webhook, is_success, is_retry: false, status: Some(status), error: None, at: None }
    }

    #[test]
    fn attempts_are_joined_by_id_and_by_url() {
        let mut tally = DeliveryTally::default();
        let failed = |at: &str| DeliveryAttempt {
            is_retry: true,
            error: Some("timed out"),
            at: at.parse().ok(),
            ..attempt(WebhookKey::Id("a"), 504)
        };
        tally.add(&failed("2026-01-02T00:00:00Z"));
        tally.add(&failed("2026-01-01T00:00:00Z"));
        tally.add(&attempt(WebhookKey::Id("a"), 200));
        tally.add(&attempt(WebhookKey::Url("HTTPS://A.example:443/x#top"), 500));
        tally.add(&attempt(WebhookKey::Url("https://gone.example/"), 200));
        tally.add(&attempt(WebhookKey::Id("gone"), 200));
        let webhooks = [("a", "https://a.example/x"), ("b", "https://a.example/x"), ("c", "no url")];
        let [a, b, c] = webhooks.map(|(id, url)| tally.of(id, url));
        let a = a.unwrap();
        assert_eq!((a.attempts, a.failures, a.retries, a.by_url), (4, 3, 2, true));
        assert_eq!(a.last_failure, "2026-01-02T00:00:00Z".parse().ok());
        assert_eq!(a.top_error, Some((Untrusted::from("timed out"), 2)));
        assert_eq!(a.top_status, Some((504, 2)));
        let b = b.unwrap();
        assert_eq!((b.attempts, b.failures, c), (1, 1, None));
        let unmatched = tally.unmatched(webhooks);
        assert_eq!((unmatched.rows, unmatched.webhooks), (2, 2));
        assert_eq!(unmatched.most.as_ref().unwrap().raw(), "gone");
        assert_eq!(
            unmatched.words().unwrap().as_str(),
            "2 attempts match no webhook (2 different targets, most often gone)"
        );
        assert_eq!(UnmatchedAttempts::default().words(), None);
    }

    #[test]
    fn a_rate_is_over_its_threshold_only_when_enough_was_tried() {
        let stats = |attempts, failures| DeliveryStats { attempts, failures, ..DeliveryStats::default() };
        assert!(stats(20, 3).fails(10, 20));
        assert!(!stats(20, 2).fails(10, 20));
        assert!(!stats(19, 19).fails(10, 20));
        assert!(!stats(0, 0).fails(10, 0));
    }

    #[test]
    fn what_is_kept_does_not_grow_with_the_rows() {
        let mut tally = DeliveryTally::default();
        for number in 0..20_000 {
            let error = format!("error {number} {}", "é".repeat(500));
            tally.add(&DeliveryAttempt { error: Some(&error), ..attempt(WebhookKey::Id("a"), 500 + number % 400) });
        }
        assert!(tally.texts.len() <= MAX_TEXTS && tally.texts.iter().all(|text| text.len() <= MAX_TEXT_BYTES));
        let slot = &tally.slots[0];
        assert_eq!((slot.errors.counts.len(), slot.errors.others), (MAX_DISTINCT, 20_000 - 16));
        assert_eq!(slot.statuses.counts.len(), MAX_DISTINCT);
    }

    #[test]
    fn webhooks_that_are_too_many_are_counted() {
        let mut tally = DeliveryTally::default();
        for number in 0..MAX_WEBHOOKS + 10 {
            tally.add(&attempt(WebhookKey::Id(&number.to_string()), 200));
        }
        let unmatched = tally.unmatched([]);
        assert_eq!((unmatched.webhooks, unmatched.crowded), (MAX_WEBHOOKS, 10));
        assert_eq!(unmatched.rows, (MAX_WEBHOOKS + 10) as u64);
    }

    proptest! {
        #[test]
        fn no_attempt_is_lost(rows in proptest::collection::vec((0_u8..6, any::<bool>(), 100_u16..600), 0..60)) {
            let webhooks = [("0", "https://x.example/0"), ("1", "https://x.example/1")];
            let mut tally = DeliveryTally::default();
            for &(number, by_url, status) in &rows {
                let (id, url) = (number.to_string(), format!("https://x.example/{number}"));
                tally.add(&attempt(if by_url { WebhookKey::Url(&url) } else { WebhookKey::Id(&id) }, status));
            }
            let stats: Vec<_> = webhooks.iter().filter_map(|(id, url)| tally.of(id, url)).collect();
            let matched: u64 = stats.iter().map(|stats| stats.attempts).sum();
            prop_assert_eq!(matched + tally.unmatched(webhooks).rows, rows.len() as u64);
            for stats in stats {
                prop_assert!(stats.failures <= stats.attempts);
            }
        }
    }
}
