//! What the next letter of a word will find, in the time in which nobody asks for anything.

use std::sync::Arc;

use super::question::{Found, PAGES_AT_ONCE};
use crate::analysis::GoesOn;
use crate::analysis::query::NextLetters;
use crate::analysis::rows::{RowNumber, Table};
use crate::model::Letters;

/// Rows between two looks at whether anybody asks for something.
const AT_ONCE: usize = PAGES_AT_ONCE * 100;

/// The letters that stand behind the word of a query, for the first rows that it found.
#[derive(Debug)]
pub(super) struct Ahead {
    hits: Arc<[RowNumber]>,
    letters: Vec<Letters>,
}

impl Ahead {
    /// `None` when letters tell nothing of a longer query.
    pub(super) fn of(found: &Found, goes_on: GoesOn<'_>) -> Option<Self> {
        let mut next = NextLetters::new(&found.query)?;
        let table = Table::new(&found.rows);
        let mut letters = Vec::with_capacity(found.hits.len());
        for hits in found.hits.chunks(AT_ONCE).take_while(|_| goes_on()) {
            letters.extend(hits.iter().map(|&hit| table.row(hit).map_or(Letters::UNKNOWN, |row| next.of(row))));
        }
        Some(Self { hits: Arc::clone(&found.hits), letters })
    }

    /// The letters of the first hits, if it is these.
    pub(super) fn letters(&self, found: &Found) -> Option<&[Letters]> {
        Arc::ptr_eq(&self.hits, &found.hits).then_some(&*self.letters)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::analysis::arrange::tests::row;
    use crate::analysis::arrange::{Arranger, Question};
    use crate::analysis::query::Query;
    use crate::analysis::rows::{Rows, Segment};
    use crate::model::{Draft, Element as _, Packer, Row};

    fn asked(rows: &Rows, text: &str) -> Question {
        let query = Query::parse(text, Timestamp::UNIX_EPOCH).unwrap();
        Question { rows: rows.clone(), query, ..Question::default() }
    }

    fn pages(webhooks: &[Row], page_size: usize) -> Rows {
        let packer = Packer::default();
        let mut rows = Rows::new(page_size as u64);
        for (page, webhooks) in (1..).zip(webhooks.chunks(page_size)) {
            let block = Arc::new(packer.pack_rows(webhooks.iter().cloned().map(Draft::of_row)));
            rows.put(page, Segment { rows: block.len(), block });
        }
        rows
    }

    #[test]
    fn it_ends_when_somebody_asks_for_something() {
        let webhooks: Vec<Row> = (0..=2 * AT_ONCE).map(|id| row("https://x.test/", id, "e", true, true)).collect();
        let rows = pages(&webhooks, 1_000);
        let mut arranger = Arranger::default();
        arranger.answer(&asked(&rows, "x"), &|| true, &mut |_| {}).unwrap();
        let found = arranger.kept.last().unwrap();
        let looks = AtomicUsize::new(0);
        let ahead = Ahead::of(found, &|| looks.fetch_add(1, Ordering::Relaxed) < 1).unwrap();
        assert_eq!((found.hits.len(), ahead.letters(found).unwrap().len()), (2 * AT_ONCE + 1, AT_ONCE));
        assert!(ahead.letters.iter().all(|letters| letters.has(Letters::of(".")) == Some(true)));
        assert!(ahead.letters.iter().all(|letters| letters.has(Letters::of("x")) == Some(false)));
        let other = Found { hits: found.hits.to_vec().into(), ..found.clone() };
        assert!(ahead.letters(&other).is_none(), "as many, and others");
    }

    proptest! {
        /// However far it came: what a letter finds is what the query says of each row.
        #[test]
        fn a_letter_finds_what_the_query_says(
            webhooks in prop::collection::vec(
                ("https://(ab|AB|\u{212a}b|\u{e4}b)\\.test(:443)?/([abk]{0,6}|a{99}|\u{e4}k)", "([abk]{1,3}|[ab]\u{212a}|\u{e9}a|)", any::<bool>()), 1..30,
            ),
            page_size in 1_usize..30,
            word in "[abkx]{1,5}",
            before in prop::sample::select(vec!["", "url:", "id:", "active:yes url:", "-bb ", "~a "]),
            // What stands before the word may become something else, and it may be known for all or for some rows what is behind it.
            steps in prop::collection::vec((prop::option::weighted(0.2, prop::sample::select(vec!["", "url:", "id:"])), 0_usize..40), 5),
            is_plain: bool,
        ) {
            let webhooks: Vec<Row> =
                (0..).zip(&webhooks).map(|(id, (url, event, active))| row(url, id, event, *active, is_plain)).collect();
            let rows = pages(&webhooks, page_size);
            let mut arranger = Arranger::default();
            for (end, (other, reach)) in (1..=word.len()).zip(steps) {
                let text = format!("{}{}", other.unwrap_or(before), word.split_at(end).0);
                let question = asked(&rows, &text);
                let found = arranger.answer(&question, &|| true, &mut |_| {}).unwrap();
                let mut found = found.order.to_vec();
                found.sort_unstable();
                let matches = |webhook: &Row| question.query.matches(webhook.webhook().unwrap());
                let expected: Vec<RowNumber> =
                    (0..).zip(&webhooks).filter(|(_, webhook)| matches(webhook)).map(|(at, _)| at).collect();
                prop_assert_eq!(found, expected, "{}", text);
                arranger.ahead = arranger.kept.last().and_then(|found| Ahead::of(found, &|| true));
                if let Some(ahead) = &mut arranger.ahead {
                    ahead.letters.truncate(reach);
                }
            }
        }
    }
}
