//! Matches decoded webhooks: each is packed to be matched.

use super::matcher::{FilterFacts, Matcher, Ranker};
use super::parsed::Query;
use crate::analysis::audit::RuleSet;
use crate::model::{Draft, Element as _, Packer, Row, RowRef, Webhook};

impl Query {
    /// Matches a webhook without findings.
    pub fn matches(&self, webhook: &Webhook) -> bool {
        self.matches_found(webhook, RuleSet::default())
    }

    /// Matches a webhook with these findings.
    pub fn matches_found(&self, webhook: &Webhook, findings: RuleSet) -> bool {
        self.is_empty()
            || with_row(webhook, |row| Matcher::new(self, &FilterFacts::default()).matches(row, findings)).unwrap_or(false)
    }
}

impl Ranker<'_> {
    /// As [`Ranker::score`], for a decoded webhook.
    pub fn score_webhook(&mut self, webhook: &Webhook) -> u32 {
        with_row(webhook, |row| self.score(row)).unwrap_or(0)
    }
}

fn with_row<T>(webhook: &Webhook, read: impl FnOnce(RowRef<'_>) -> T) -> Option<T> {
    let page = Packer::default().pack_rows([Draft::of_row(Row::Webhook(webhook.clone()))]);
    page.row(0).map(read)
}
