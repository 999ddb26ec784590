//! Ranks matches of queries with a `~word`.

use nucleo_matcher::{Config, Matcher};

use super::fuzzy::letters;
use super::{Condition, Query, Subject};

/// Ranks the webhooks that a query matches. It owns the working memory of the matching, about 135 KiB: one serves for all rows.
#[derive(Debug)]
pub struct Ranker {
    query: Query,
    matcher: Matcher,
    letters: Vec<char>,
}

impl Ranker {
    pub fn new(query: &Query) -> Self {
        Self { query: query.clone(), matcher: Matcher::new(Config::DEFAULT), letters: Vec::new() }
    }

    /// How well the webhook matches, the more the better; `None` when it does not.
    pub fn score(&mut self, webhook: &impl Subject) -> Option<u32> {
        self.query.matches(webhook).then(|| self.rate(webhook))
    }

    /// How well a webhook matches that is known to. Each fuzzy term adds the score of its best match; other terms add nothing.
    pub(super) fn rate(&mut self, webhook: &impl Subject) -> u32 {
        let mut total = 0_u32;
        for term in self.query.terms.iter().filter(|term| !term.negated) {
            let mut best = 0;
            for condition in &term.any {
                let Condition::Fuzzy(fuzzy) = condition else { continue };
                let respelled = webhook.respelled_url();
                let texts = [webhook.url(), webhook.id()].into_iter().chain(webhook.names()).chain(respelled.as_deref());
                for text in texts {
                    let text = letters(text, &mut self.letters);
                    best = best.max(fuzzy.score(text, &mut self.matcher).unwrap_or(0));
                }
            }
            total = total.saturating_add(best.into());
        }
        total
    }
}
