//! Judges rows in the background, and never again what has not changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::candidate::with_item;
use super::verdicts::{Judged, Said, Together, Work};
use super::waiver::Accepted;
use super::{Audit, Candidate, Check, Gather, Item, Loaded, RuleSet, Verdicts};
use crate::analysis::IsNeeded;
use crate::model::{RowNumber, Rows, Segment};

/// Pages between two looks at whether anybody still wants to know.
const PAGES_AT_ONCE: usize = 32;

/// What is to be judged by which audit.
#[derive(Debug, Clone)]
pub struct Question {
    pub rows: Rows,
    pub audit: Arc<Audit>,
    /// These are not all rows of the workspace.
    pub is_part: bool,
    /// Only these pages, and only by the rules that look at one webhook: more rows are about to come.
    pub only: Option<Vec<u64>>,
}

/// Answers questions, and remembers what it found.
#[derive(Debug, Default)]
pub struct Auditor {
    audit: Option<Arc<Audit>>,
    is_part: bool,
    last: Verdicts,
}

impl Auditor {
    /// Judges what has changed since the last question. `None` when `is_needed` says that the result is no longer needed. `number`
    /// is that of the answer.
    pub fn answer(&mut self, question: &Question, number: u64, is_needed: IsNeeded<'_>) -> Option<Verdicts> {
        let is_known = self.audit.as_ref().is_some_and(|audit| Arc::ptr_eq(audit, &question.audit));
        if !is_known || self.last.page_size != question.rows.page_size() {
            self.audit = Some(Arc::clone(&question.audit));
            let rules = question.audit.rules().collect();
            self.last = Verdicts { page_size: question.rows.page_size(), rules, ..Verdicts::default() };
        }
        self.last.work = Work::default();
        let accepted = Accepted::new(&question.audit.waivers, question.audit.basis.now);
        let run = Run { audit: &question.audit, accepted };
        match &question.only {
            Some(pages) => {
                for &page in pages {
                    if let Some(segment) = question.rows.segment(page) {
                        self.judge(page, segment, &run, question.rows.page_size());
                    }
                }
            }
            None => self.judge_all(question, &run, is_needed)?,
        }
        self.last.number = number;
        Some(self.last.clone())
    }

    /// Judges a page unless that was done. Whether it had to be.
    fn judge(&mut self, page: u64, segment: &Segment, run: &Run<'_>, page_size: u64) -> bool {
        let before = match self.last.pages.get_mut(&page) {
            Some(judged) if judged.segment.is_same(segment) => return false,
            Some(judged) if has_same_rows(&judged.segment, segment) => {
                judged.segment = segment.clone();
                return false;
            }
            Some(judged) => Some(judged.clone()),
            None => None,
        };
        let first = page.saturating_sub(1).saturating_mul(page_size);
        let mut accepted = 0;
        let alone: Arc<[RuleSet]> = (first..)
            .zip(segment.iter())
            .map(|(number, row)| {
                let mut set = RuleSet::default();
                with_item(RowNumber::try_from(number).unwrap_or(RowNumber::MAX), row, &mut |item| {
                    set = run.judge(&item, &mut accepted);
                });
                set
            })
            .collect();
        self.last.work.judged += alone.len() as u64;
        self.last.is_whole = false;
        // What was found of a row together with others holds until they are looked at again.
        let all = match before {
            Some(before) if before.all != before.alone => {
                let carried = |offset| before.find(segment, offset).unwrap_or_default();
                alone.iter().enumerate().map(|(offset, &set)| run.with_joint(set, carried(offset))).collect()
            }
            _ => Arc::clone(&alone),
        };
        self.last.pages.insert(page, Judged { segment: segment.clone(), alone, all, accepted });
        true
    }

    fn judge_all(&mut self, question: &Question, run: &Run<'_>, is_needed: IsNeeded<'_>) -> Option<()> {
        let rows = &question.rows;
        let there = self.last.pages.len();
        self.last.pages.retain(|&page, _| rows.segment(page).is_some());
        let is_settled = self.last.is_whole && self.is_part == question.is_part && there == self.last.pages.len();
        self.is_part = question.is_part;
        self.last.is_whole = is_settled;
        for (count, (page, _, segment)) in rows.segments().enumerate() {
            if count % PAGES_AT_ONCE == 0 && !is_needed() {
                return None;
            }
            self.judge(page, segment, run, rows.page_size());
        }
        if self.last.is_whole {
            return Some(());
        }
        let (together, said) = self.gather(question, run, is_needed)?;
        self.merge(&together);
        self.last.accepted += self.last.pages.values().map(|judged| u64::from(judged.accepted)).sum::<u64>();
        self.last.together = together.into();
        self.last.said = said.into();
        self.last.is_whole = true;
        Some(())
    }

    /// Lets the rules look that look at all rows.
    fn gather(&mut self, question: &Question, run: &Run<'_>, is_needed: IsNeeded<'_>) -> Option<(Vec<Together>, Vec<Said>)> {
        let basis = &run.audit.basis;
        let mut gatherers: Vec<Box<dyn Gather>> = run.audit.chosen.iter().filter_map(super::Chosen::gatherer).collect();
        for (count, (_, first, segment)) in question.rows.segments().enumerate() {
            if count % PAGES_AT_ONCE == 0 && !is_needed() {
                return None;
            }
            for (number, row) in (first..).zip(segment.iter()).filter(|(_, row)| row.is_webhook()) {
                let webhook = Candidate::new(number, row);
                for gatherer in &mut gatherers {
                    gatherer.see(&webhook, basis);
                }
            }
            self.last.work.gathered += segment.rows as u64;
        }
        let source = Loaded::new(&question.rows, question.is_part);
        self.last.accepted = 0;
        let mut all_together = Vec::new();
        let mut said = Vec::new();
        let mut gatherers = gatherers.into_iter();
        for chosen in &run.audit.chosen {
            let rule = chosen.rule;
            match rule.check {
                Check::Workspace(_) | Check::Absence(_) => {
                    let mut together = Together::new(chosen.place);
                    let mut found = |webhooks: Vec<u32>, message| {
                        if webhooks.is_empty() {
                            said.push(Said { rule, message });
                        } else if run.accepted.find_for_all(rule, &webhooks, &source).is_some() {
                            self.last.accepted += 1;
                        } else {
                            together.add(&webhooks, message);
                        }
                    };
                    if let Some(gatherer) = gatherers.next() {
                        gatherer.finish(&source, basis, &mut found);
                    }
                    together.close();
                    if matches!(rule.check, Check::Workspace(_)) {
                        all_together.push(together);
                    }
                }
                Check::Waivers => {
                    let expired = run.audit.waivers.iter().filter(|waiver| waiver.is_expired(basis.now));
                    said.extend(expired.map(|waiver| Said { rule, message: waiver.expired_message() }));
                }
                Check::Webhook(_) | Check::Facts(..) | Check::Malformed => {}
            }
        }
        Some((all_together, said))
    }

    /// Adds what was found of rows together to what was found of each.
    fn merge(&mut self, together: &[Together]) {
        let mut touched: BTreeMap<u64, Vec<RuleSet>> = BTreeMap::new();
        let severities = Arc::clone(&self.last.rules);
        for of in together {
            let Some(&(_, severity)) = severities.iter().find(|(rule, _)| super::RULES.get(of.place()) == Some(*rule))
            else {
                continue;
            };
            for number in of.numbers().map(u64::from) {
                let page = number / self.last.page_size.max(1) + 1;
                let offset = usize::try_from(number % self.last.page_size.max(1)).unwrap_or(usize::MAX);
                let alone = || self.last.pages.get(&page).map_or_else(Vec::new, |judged| judged.alone.to_vec());
                if let Some(set) = touched.entry(page).or_insert_with(alone).get_mut(offset) {
                    set.insert(of.place(), severity);
                }
            }
        }
        for (page, judged) in &mut self.last.pages {
            judged.all = touched.remove(page).map_or_else(|| Arc::clone(&judged.alone), Arc::from);
        }
    }
}

/// One audit of some rows.
struct Run<'a> {
    audit: &'a Audit,
    accepted: Accepted<'a>,
}

impl Run<'_> {
    /// What the rules say that look at one row.
    fn judge(&self, item: &Item<'_>, accepted: &mut u32) -> RuleSet {
        let mut set = RuleSet::default();
        for chosen in &self.audit.chosen {
            let is_found = match item {
                Item::Webhook(webhook) if chosen.check(webhook, &self.audit.basis).is_some() => {
                    let is_accepted = self.accepted.find(chosen.rule, webhook).is_some();
                    *accepted += u32::from(is_accepted);
                    !is_accepted
                }
                Item::Webhook(_) => false,
                Item::Malformed(..) => matches!(chosen.rule.check, Check::Malformed),
            };
            if is_found {
                set.insert(chosen.place, chosen.severity);
            }
        }
        set
    }

    /// Adds what another set says of several webhooks together.
    fn with_joint(&self, mut set: RuleSet, other: RuleSet) -> RuleSet {
        for chosen in &self.audit.chosen {
            if matches!(chosen.rule.check, Check::Workspace(_)) && other.has(chosen.place) {
                set.insert(chosen.place, chosen.severity);
            }
        }
        set
    }
}

/// Whether the API sent the same again.
fn has_same_rows(before: &Segment, now: &Segment) -> bool {
    before.rows == now.rows && before.iter().zip(now.iter()).all(|(before, now)| before.is_same(now))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering::Relaxed;

    use super::*;
    use crate::analysis::audit::{Basis, Rule};
    use crate::model::Interner;
    use crate::model::testing::interned_page;

    fn audit() -> Audit {
        Audit::new(Basis::new("2026-07-01T00:00:00Z".parse().unwrap(), std::iter::empty()))
    }

    /// Pages of ten, each row made from its number.
    struct Stack {
        interner: Interner,
        rows: Rows,
        audit: Arc<Audit>,
        auditor: Auditor,
    }

    impl Stack {
        fn new(pages: u64, url: impl Fn(u64) -> String) -> Self {
            let (interner, rows, audit) = (Interner::default(), Rows::new(10), Arc::new(audit()));
            let mut stack = Self { interner, rows, audit, auditor: Auditor::default() };
            for page in 1..=pages {
                stack.put(page, &url);
            }
            stack
        }

        fn put(&mut self, page: u64, url: impl Fn(u64) -> String) {
            let json = |number: u64| {
                format!(
                    r#"{{"id":"w{number}","url":"{}","events":["call.failed"],"is_active":true,"created_at":"2026-06-01T00:00:00Z"}}"#,
                    url(number)
                )
            };
            let first = (page - 1) * 10;
            let jsons: Vec<_> = (first..first + 10).map(json).collect();
            self.rows.put(page, interned_page(&self.interner, &jsons).into());
        }

        fn ask(&mut self, only: Option<Vec<u64>>, is_needed: IsNeeded<'_>) -> Option<Verdicts> {
            let question = Question { rows: self.rows.clone(), audit: Arc::clone(&self.audit), is_part: true, only };
            self.auditor.answer(&question, 1, is_needed)
        }

        fn whole(&mut self) -> Verdicts {
            self.ask(None, &|| true).unwrap()
        }

        fn found(&self, verdicts: &Verdicts, rule: &str) -> Vec<u64> {
            let rule = RuleSet::of(Rule::named(rule).unwrap());
            let is_broken = |&number: &u64| verdicts.at(&self.rows, number).is_some_and(|set| set.meets(rule));
            (0..self.rows.count()).filter(is_broken).collect()
        }
    }

    #[test]
    fn verdicts_are_those_of_a_report() {
        // Rows 3, 13, 23 … share a URL; every 8th is not encrypted.
        let url = |number: u64| match number {
            number if number % 10 == 3 => "https://same.example.com/x".to_owned(),
            number if number.is_multiple_of(8) => format!("http://x{number}.example.com/"),
            number => format!("https://x{number}.example.com/"),
        };
        let mut stack = Stack::new(5, url);
        let verdicts = stack.whole();
        let mut audit = audit();
        audit.basis.is_part = true;
        let found = audit.run(&stack.rows).rule_sets();
        for number in 0..50 {
            let expected = found.get(&number).copied().unwrap_or_default();
            assert_eq!(verdicts.at(&stack.rows, number.into()), Some(expected), "{number}");
        }
        assert_eq!(stack.found(&verdicts, "duplicate-destination"), [3, 13, 23, 33, 43]);
        let told = verdicts.explain(&stack.audit, &stack.rows, 13);
        let [told] = &told[..] else { panic!("{told:?}") };
        assert_eq!(told.message.as_str(), "5 webhooks deliver call.failed to the same URL: also w3, w23, w33, w43");
    }

    #[test]
    fn of_a_large_finding_some_webhooks_are_named() {
        let mut stack = Stack::new(30, |_| "https://same.example.com/".to_owned());
        let verdicts = stack.whole();
        let told = verdicts.explain(&stack.audit, &stack.rows, 250);
        let message = told.first().unwrap().message.as_str();
        assert!(message.ends_with("to the same URL: also w0, w1, w2, w3, w4 and 294 more"), "{message}");
    }

    #[test]
    fn what_was_judged_before_the_end_of_a_cancelled_case_stays_known() {
        let mut stack = Stack::new(100, |number| format!("http://x{number}.example.com/"));
        let looks = AtomicUsize::new(0);
        let cancelled = stack.ask(None, &|| looks.fetch_add(1, Relaxed) < 2);
        assert!(cancelled.is_none());
        assert_eq!(stack.whole().work(), Work { judged: 1000 - 640, gathered: 1000 });
        assert_eq!(stack.whole().work(), Work::default());
    }

    #[test]
    fn what_was_found_together_is_carried_over_until_all_is_looked_at_again() {
        let url = |number: u64| format!("https://{}.example.com/", if number.is_multiple_of(10) { 0 } else { number });
        let mut stack = Stack::new(3, url);
        assert_eq!(stack.whole().work().judged, 30);
        // Row 11 is another one; row 10 is as it was.
        stack.put(2, |number| if number == 11 { "http://new.example.com/".to_owned() } else { url(number) });
        let early = stack.ask(Some(vec![2]), &|| true).unwrap();
        assert_eq!(early.work(), Work { judged: 10, gathered: 0 });
        assert!(!early.is_whole());
        assert_eq!(stack.found(&early, "duplicate-destination"), [0, 10, 20]);
        assert_eq!(stack.found(&early, "insecure-url"), [11]);
        // Now row 0 is alone with its URL.
        stack.put(2, |number| format!("https://y{number}.example.com/"));
        stack.put(3, |number| format!("https://z{number}.example.com/"));
        let whole = stack.whole();
        assert!(whole.is_whole() && stack.found(&whole, "duplicate-destination").is_empty());
        assert_eq!(whole.work(), Work { judged: 20, gathered: 30 });
    }

    #[test]
    fn pages_that_went_are_forgotten_and_other_pages_sizes_judged_anew() {
        let mut stack = Stack::new(3, |_| "https://same.example.com/".to_owned());
        let whole = stack.whole();
        assert_eq!(stack.found(&whole, "duplicate-destination").len(), 30);
        stack.rows.truncate(1, 1);
        let alone = stack.whole();
        assert_eq!((alone.pages.len(), stack.found(&alone, "duplicate-destination")), (1, vec![]));
        stack.rows = stack.rows.emptied(20);
        assert_eq!(stack.whole().pages.len(), 0);
    }
}
