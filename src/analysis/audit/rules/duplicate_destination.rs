//! `duplicate-destination`: several active webhooks deliver the same event to the same URL.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::BuildHasher;

use crate::analysis::audit::{AuditContext, AuditInput, Check, Gather, Rule, Severity, enumerate};
use crate::base::text::Safe;
use crate::model::{RowNumber, RowTable, Rows, normalized};
use crate::safe;

pub(super) const RULE: Rule = Rule {
    id: "duplicate-destination",
    severity: Severity::Warning,
    about: "several active webhooks deliver the same event to the same URL",
    why: "The receiver gets each event several times, and may act on it several times.",
    advice: "Keep one of them, or subscribe them to different events.",
    check: Check::Webhooks { least: 2, start: || Box::new(ActiveDestinations::default()) },
};

/// Active webhooks by normalized URL: half of its hash and the row number, eight bytes a row.
#[derive(Default)]
struct ActiveDestinations {
    hasher: RandomState,
    hashed: Vec<u64>,
}

const fn half(hashed: u64) -> u64 {
    hashed >> 32
}

fn number(hashed: u64) -> RowNumber {
    u32::try_from(hashed & u64::from(u32::MAX)).unwrap_or(u32::MAX)
}

impl Gather for ActiveDestinations {
    fn see(&mut self, webhook: &AuditInput<'_>, _: &AuditContext) {
        let Some(url) = webhook.parsed.as_ref().filter(|_| webhook.is_active() && !webhook.events.is_empty()) else {
            return;
        };
        let hash = self.hasher.hash_one(normalized(url));
        self.hashed.push(half(hash) << 32 | u64::from(webhook.number));
    }

    fn finish(mut self: Box<Self>, rows: &Rows, _: &AuditContext, report: &mut dyn FnMut(Vec<RowNumber>, Safe)) {
        let table = RowTable::new(rows);
        self.hashed.sort_unstable();
        let runs = self.hashed.chunk_by(|&one, &other| half(one) == half(other));
        let mut runs: Vec<_> = runs.filter(|run| run.len() > 1).collect();
        runs.sort_unstable_by_key(|run| run.first().map(|&hashed| number(hashed)));
        for run in runs {
            // By the URL itself, since different URLs may have the same half of a hash.
            let mut urls: HashMap<String, Sharing> = HashMap::new();
            for number in run.iter().map(|&hashed| number(hashed)) {
                let Some(row) = table.row(number) else { continue };
                let webhook = AuditInput::new(number, row);
                if let Some(url) = &webhook.parsed {
                    urls.entry(normalized(url)).or_default().add(&webhook);
                }
            }
            for sharing in urls.into_values() {
                sharing.report(report);
            }
        }
    }
}

/// Webhooks of one destination, joined where they share an event.
#[derive(Default)]
struct Sharing {
    ids: BTreeSet<Box<str>>,
    numbers: Vec<RowNumber>,
    /// For each webhook an earlier one that it is joined with, or itself at the end of the chain.
    joined: Vec<usize>,
    /// The last webhook subscribed to each event, and true if it is not the only one.
    events: HashMap<Box<str>, (usize, bool)>,
}

impl Sharing {
    fn add(&mut self, webhook: &AuditInput<'_>) {
        // A listing that changes while it is loaded can have a webhook twice.
        if !self.ids.insert(webhook.id().into()) {
            return;
        }
        let place = self.numbers.len();
        self.numbers.push(webhook.number);
        self.joined.push(place);
        for &event in &webhook.events {
            match self.events.get_mut(event) {
                None => {
                    self.events.insert(event.into(), (place, false));
                }
                Some((last, _)) if *last == place => {}
                Some((last, is_shared)) => {
                    let other = std::mem::replace(last, place);
                    *is_shared = true;
                    self.join(other, place);
                }
            }
        }
    }

    /// The first of the webhooks that a webhook is joined with.
    fn root(&mut self, mut place: usize) -> usize {
        loop {
            let next = self.joined.get(place).copied().unwrap_or(place);
            if next == place {
                return place;
            }
            let after = self.joined.get(next).copied().unwrap_or(next);
            if let Some(shorter) = self.joined.get_mut(place) {
                *shorter = after;
            }
            place = next;
        }
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        if let Some(joined) = self.joined.get_mut(one.max(other)) {
            *joined = one.min(other);
        }
    }

    fn report(mut self, report: &mut dyn FnMut(Vec<RowNumber>, Safe)) {
        let mut groups: BTreeMap<usize, (Vec<RowNumber>, BTreeSet<Box<str>>)> = BTreeMap::new();
        for (place, number) in std::mem::take(&mut self.numbers).into_iter().enumerate() {
            groups.entry(self.root(place)).or_default().0.push(number);
        }
        for (event, (place, is_shared)) in std::mem::take(&mut self.events) {
            if is_shared {
                groups.entry(self.root(place)).or_default().1.insert(event);
            }
        }
        for (numbers, events) in groups.into_values().filter(|(_, events)| !events.is_empty()) {
            let names = enumerate(events.iter().map(|event| &**event));
            report(numbers.clone(), safe!("{} webhooks deliver {} to the same URL", numbers.len(), names));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::analysis::audit::tests::{audit, row, run};

    fn found(rows: &[String]) -> Vec<(Vec<u32>, String)> {
        run(&audit("duplicate-destination"), rows)
            .findings
            .into_iter()
            .map(|finding| (finding.webhooks, finding.message.to_string()))
            .collect()
    }

    #[test]
    fn a_group_is_found_once_with_the_events_that_it_shares() {
        let rows = [
            row("0", "https://ok.acme.com/x", &["call.failed", "call.ended"], true),
            row("1", "https://other.acme.com/x", &["call.failed"], true),
            row("2", "https://OK.acme.com:443/x", &["call.failed"], true),
            row("3", "https://ok.acme.com./x/#top", &["call.ended", "call.started"], true),
            // The same URL, but nothing in common with the others.
            row("4", "https://ok.acme.com/x", &["alert.triggered"], true),
        ];
        let message = "3 webhooks deliver call.ended, call.failed to the same URL".to_owned();
        assert_eq!(found(&rows), [(vec![0, 2, 3], message)]);
    }

    #[test]
    fn two_groups_of_one_url_are_two_findings() {
        let events = ["a", "a", "b", "b"];
        let rows: Vec<_> = (0..)
            .zip(events)
            .map(|(id, event): (u32, _)| row(&id.to_string(), "https://ok.acme.com/x", &[event], true))
            .collect();
        let groups: Vec<_> = found(&rows).into_iter().map(|(numbers, _)| numbers).collect();
        assert_eq!(groups, [[0, 1], [2, 3]]);
    }

    #[test]
    fn a_webhook_that_is_listed_twice_is_no_duplicate_of_itself() {
        let twice = ["0", "1", "0"].map(|id| row(id, &format!("https://{id}.acme.com/x"), &["a"], true));
        assert_eq!(found(&twice), []);
    }

    #[test]
    fn inactive_webhooks_other_urls_and_repeated_events_are_no_duplicates() {
        let rows = [
            row("0", "https://ok.acme.com/x", &["call.failed", "call.failed"], true),
            row("1", "https://ok.acme.com/x", &["call.failed"], false),
            row("2", "https://ok.acme.com/X", &["call.failed"], true),
            row("3", "http://ok.acme.com/x", &["call.failed"], true),
            row("4", "no url", &["call.failed"], true),
            row("5", "no url", &["call.failed"], true),
        ];
        assert_eq!(found(&rows), []);
    }

    #[test]
    fn a_huge_group_takes_no_more_than_its_length() {
        let rows: Vec<_> =
            (0..20_000).map(|i| row(&i.to_string(), "https://ok.acme.com/x", &["call.failed"], true)).collect();
        let found = found(&rows);
        assert_eq!((found.len(), found[0].0.len()), (1, 20_000));
    }
}
