//! Audits rows in the background, and checks again only rows that changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::engine::{Audit, AuditRun};
use super::findings_index::{AuditWork, FindingsIndex, JointFindings, PageFindings, WorkspaceFinding};
use super::input::AuditInput;
use super::rule_set::RuleSet;
use crate::analysis::IsNeeded;
use crate::model::{RowNumber, Rows, Segment};

/// The number of pages after which the auditor checks if the result is still needed.
const PAGES_AT_ONCE: usize = 32;

/// A request for an audit. Pages that were checked for an earlier one stay known.
#[derive(Debug, Clone)]
pub struct AuditRequest {
    /// Greater than that of any earlier request.
    pub number: u64,
    pub rows: Rows,
    pub audit: Arc<Audit>,
    /// These are not all rows of the workspace.
    pub is_part: bool,
    /// Only these pages, by the rules that look at single rows: more rows are about to be loaded.
    pub only: Option<Vec<u64>>,
}

/// Requests are compared by number.
impl PartialEq for AuditRequest {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for AuditRequest {}

/// Answers requests, and keeps what it found.
#[derive(Debug, Default)]
pub struct Auditor {
    audit: Option<Arc<Audit>>,
    is_part: bool,
    index: FindingsIndex,
}

impl Auditor {
    /// Audits the rows that changed since the last request. `None` if `is_needed` says that the result is no longer needed.
    pub fn answer(&mut self, request: &AuditRequest, is_needed: IsNeeded<'_>) -> Option<FindingsIndex> {
        let AuditRequest { rows, audit, .. } = request;
        let is_known = self.audit.as_ref().is_some_and(|known| Arc::ptr_eq(known, audit));
        if !is_known || self.index.page_size != rows.page_size() {
            self.audit = Some(Arc::clone(audit));
            let rules = audit.rules().collect();
            self.index = FindingsIndex { page_size: rows.page_size(), rules, ..FindingsIndex::default() };
        }
        self.index.work = AuditWork::default();
        match &request.only {
            Some(pages) => self.audit_pages(pages, request),
            None => self.audit_all(request, is_needed)?,
        }
        self.index.number = request.number;
        Some(self.index.clone())
    }

    /// Audits single pages by the rules that look at single rows.
    fn audit_pages(&mut self, pages: &[u64], request: &AuditRequest) {
        let mut run = AuditRun::new(&request.audit, request.is_part);
        for &page in pages {
            let first = page.saturating_sub(1).saturating_mul(request.rows.page_size());
            let Some(segment) = request.rows.segment(page) else { continue };
            let is_numbered = RowNumber::try_from(first.saturating_add(segment.rows as u64)).is_ok();
            if let Some(first) = RowNumber::try_from(first).ok().filter(|_| is_numbered)
                && self.index.is_changed(page, segment)
            {
                self.audit_page((page, first, segment), &mut run, PagePass { checks: true, sees: false });
            }
        }
    }

    /// Audits all pages: changed ones by the rules that look at single rows, and, if any changed, all by the others.
    fn audit_all(&mut self, request: &AuditRequest, is_needed: IsNeeded<'_>) -> Option<()> {
        let rows = &request.rows;
        let before = self.index.pages.len();
        self.index.pages.retain(|&page, _| rows.segment(page).is_some());
        self.index.is_whole &= self.is_part == request.is_part && before == self.index.pages.len();
        self.is_part = request.is_part;
        let mut run = AuditRun::new(&request.audit, request.is_part);
        if self.index.is_whole && !rows.segments().any(|(page, _, segment)| self.index.is_changed(page, segment)) {
            return Some(());
        }
        self.index.is_whole = false;
        for (count, (page, first, segment)) in rows.segments().enumerate() {
            if count % PAGES_AT_ONCE == 0 && !is_needed() {
                return None;
            }
            let checks = self.index.is_changed(page, segment);
            self.audit_page((page, first, segment), &mut run, PagePass { checks, sees: true });
        }
        self.finish(request, run);
        Some(())
    }

    fn audit_page(&mut self, (page, first, segment): (u64, RowNumber, &Segment), run: &mut AuditRun<'_>, pass: PagePass) {
        let before = self.index.pages.get(&page).cloned();
        let mut sets = Vec::new();
        let mut waived = 0;
        for (offset, (number, row)) in (first..).zip(segment.iter()).enumerate() {
            let input = AuditInput::new(number, row);
            if pass.sees {
                run.see(&input);
            }
            if pass.checks {
                // Findings about several webhooks hold until all rows are audited again.
                let found_before = before.as_ref().and_then(|before| before.find(segment, offset));
                let mut set = found_before.map_or_else(RuleSet::default, |set| run.audit.part_of(set, true));
                run.check(&input, &mut |finding| match finding.waiver {
                    Some(_) => waived += 1,
                    None => set.insert(finding.rule.index, finding.rule.severity),
                });
                sets.push(set);
            }
        }
        let count = segment.rows as u64;
        self.index.work.gathered += if pass.sees { count } else { 0 };
        if pass.checks {
            self.index.work.checked += count;
            self.index.is_whole = false;
            self.index.pages.insert(page, PageFindings { segment: segment.clone(), sets: sets.into(), waived });
        }
    }

    /// Takes the findings of the rules that look at all rows.
    fn finish(&mut self, request: &AuditRequest, run: AuditRun<'_>) {
        let mut joint: Vec<JointFindings> = Vec::new();
        let mut of_workspace = Vec::new();
        let mut waived = 0;
        run.finish(&request.rows, &mut |finding| {
            if finding.waiver.is_some() {
                waived += 1;
            } else if finding.webhooks.is_empty() {
                of_workspace.push(WorkspaceFinding { rule: finding.rule.rule, message: finding.message });
            } else {
                if joint.last().is_none_or(|last| last.rule != finding.rule.index) {
                    joint.push(JointFindings::new(finding.rule.index));
                }
                if let Some(last) = joint.last_mut() {
                    last.add(&finding.webhooks, finding.message);
                }
            }
        });
        joint.iter_mut().for_each(JointFindings::close);
        self.merge(&request.audit, &joint);
        self.index.joint = joint.into();
        self.index.of_workspace = of_workspace.into();
        self.index.waived = waived + self.index.pages.values().map(|page| u64::from(page.waived)).sum::<u64>();
        self.index.is_whole = true;
    }

    /// Replaces the findings about several webhooks in the sets of all rows.
    fn merge(&mut self, audit: &Audit, joint: &[JointFindings]) {
        let index = &mut self.index;
        let alone = |page: &PageFindings| -> Vec<_> { page.sets.iter().map(|&set| audit.part_of(set, false)).collect() };
        let mut touched: BTreeMap<u64, Vec<RuleSet>> = BTreeMap::new();
        for of_rule in joint {
            let Some(rule) = audit.enabled.iter().find(|rule| rule.index == of_rule.rule) else { continue };
            for number in of_rule.numbers().map(u64::from) {
                let page = number / index.page_size.max(1) + 1;
                let offset = usize::try_from(number % index.page_size.max(1)).unwrap_or(usize::MAX);
                let sets = || index.pages.get(&page).map(alone).unwrap_or_default();
                if let Some(set) = touched.entry(page).or_insert_with(sets).get_mut(offset) {
                    set.insert(rule.index, rule.severity);
                }
            }
        }
        for (number, page) in &mut index.pages {
            if let Some(sets) = touched.remove(number) {
                page.sets = sets.into();
            } else if page.sets.iter().any(|&set| !audit.part_of(set, true).is_empty()) {
                page.sets = alone(page).into();
            }
        }
    }
}

/// The rules to apply to a page: those that look at single rows, and those that look at all.
#[derive(Debug, Clone, Copy)]
struct PagePass {
    checks: bool,
    sees: bool,
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering::Relaxed;

    use super::*;
    use crate::analysis::audit::{AuditContext, Rule};
    use crate::model::Interner;
    use crate::model::testing::interned_page;

    fn audit() -> Audit {
        Audit::new(AuditContext::new("2026-07-01T00:00:00Z".parse().unwrap(), std::iter::empty()))
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

        fn ask(&mut self, only: Option<Vec<u64>>, is_needed: IsNeeded<'_>) -> Option<FindingsIndex> {
            let request =
                AuditRequest { rows: self.rows.clone(), audit: Arc::clone(&self.audit), is_part: true, only, number: 1 };
            self.auditor.answer(&request, is_needed)
        }

        fn whole(&mut self) -> FindingsIndex {
            self.ask(None, &|| true).unwrap()
        }

        fn found(&self, index: &FindingsIndex, rule: &str) -> Vec<u64> {
            let rule = RuleSet::of(Rule::named(rule).unwrap());
            let is_broken = |&number: &u64| index.at(&self.rows, number).is_some_and(|set| set.meets(rule));
            (0..self.rows.count()).filter(is_broken).collect()
        }
    }

    #[test]
    fn an_index_has_the_findings_of_a_report() {
        // Rows 3, 13, 23 … share a URL; every 8th is not encrypted.
        let url = |number: u64| match number {
            number if number % 10 == 3 => "https://same.example.com/x".to_owned(),
            number if number.is_multiple_of(8) => format!("http://x{number}.example.com/"),
            number => format!("https://x{number}.example.com/"),
        };
        let mut stack = Stack::new(5, url);
        let index = stack.whole();
        let found = audit().run(&stack.rows, true).rule_sets();
        for number in 0..50 {
            let expected = found.get(&number).copied().unwrap_or_default();
            assert_eq!(index.at(&stack.rows, number.into()), Some(expected), "{number}");
        }
        assert_eq!(stack.found(&index, "duplicate-destination"), [3, 13, 23, 33, 43]);
        let texts = index.explain(&stack.audit, &stack.rows, 13);
        let [texts] = &texts[..] else { panic!("{texts:?}") };
        assert_eq!(texts.message.as_str(), "5 webhooks deliver call.failed to the same URL: also w3, w23, w33, w43");
    }

    #[test]
    fn of_a_large_finding_some_webhooks_are_named() {
        let mut stack = Stack::new(30, |_| "https://same.example.com/".to_owned());
        let index = stack.whole();
        let texts = index.explain(&stack.audit, &stack.rows, 250);
        let message = texts.first().unwrap().message.as_str();
        assert!(message.ends_with("to the same URL: also w0, w1, w2, w3, w4 and 294 more"), "{message}");
    }

    #[test]
    fn pages_that_were_checked_for_a_canceled_request_stay_known() {
        let mut stack = Stack::new(100, |number| format!("http://x{number}.example.com/"));
        let looks = AtomicUsize::new(0);
        let cancelled = stack.ask(None, &|| looks.fetch_add(1, Relaxed) < 2);
        assert!(cancelled.is_none());
        assert_eq!(stack.whole().work(), AuditWork { checked: 1000 - 640, gathered: 1000 });
        assert_eq!(stack.whole().work(), AuditWork::default());
    }

    #[test]
    fn findings_about_several_webhooks_hold_until_all_rows_are_audited_again() {
        let url = |number: u64| format!("https://{}.example.com/", if number.is_multiple_of(10) { 0 } else { number });
        let mut stack = Stack::new(3, url);
        assert_eq!(stack.whole().work().checked, 30);
        // Row 11 is another one; row 10 is as it was.
        stack.put(2, |number| if number == 11 { "http://new.example.com/".to_owned() } else { url(number) });
        let early = stack.ask(Some(vec![2]), &|| true).unwrap();
        assert_eq!(early.work(), AuditWork { checked: 10, gathered: 0 });
        assert!(!early.is_whole());
        assert_eq!(stack.found(&early, "duplicate-destination"), [0, 10, 20]);
        assert_eq!(stack.found(&early, "insecure-url"), [11]);
        // Now row 0 is alone with its URL.
        stack.put(2, |number| format!("https://y{number}.example.com/"));
        stack.put(3, |number| format!("https://z{number}.example.com/"));
        let whole = stack.whole();
        assert!(whole.is_whole() && stack.found(&whole, "duplicate-destination").is_empty());
        assert_eq!(whole.work(), AuditWork { checked: 20, gathered: 30 });
    }

    #[test]
    fn removed_pages_are_forgotten_and_another_page_size_starts_again() {
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
