//! `repeated-event`: an event that one webhook lists twice.

use std::collections::HashMap;

use crate::analysis::audit::{AuditContext, AuditInput, Check, Rule, Severity, quoted};
use crate::base::text::Safe;
use crate::safe;

pub(super) const RULE: Rule = Rule {
    id: "repeated-event",
    severity: Severity::Warning,
    about: "event listed twice in one webhook",
    why: "It may be delivered once per entry, and the second entry was often meant to be another event.",
    advice: "List each event once.",
    check: Check::Webhook(check),
};

/// The most names in a message.
const SHOWN: usize = 5;

fn check(webhook: &AuditInput<'_>, _: &AuditContext) -> Option<Safe> {
    // Almost every webhook lists a few events, which need no table.
    let few = webhook.events.len() <= 16;
    if few
        && webhook.events.iter().enumerate().all(|(place, name)| !webhook.events.iter().take(place).any(|one| one == name))
    {
        return None;
    }
    let mut counts: HashMap<&str, usize> = HashMap::new();
    webhook.events.iter().for_each(|&name| *counts.entry(name).or_default() += 1);
    let mut repeated: Vec<_> = counts.into_iter().filter(|&(_, count)| count > 1).collect();
    repeated.sort_unstable();
    let mut message = Safe::default();
    for &(name, count) in repeated.iter().take(SHOWN) {
        let times = if count == 2 { Safe::from("twice") } else { safe!("{} times", count) };
        message.push(&safe!("{}{} is listed {}", if message.is_empty() { "" } else { ", " }, quoted(name), times));
    }
    if repeated.len() > SHOWN {
        message.push(&safe!(" and {} more", repeated.len() - SHOWN));
    }
    (!repeated.is_empty()).then_some(message)
}

#[cfg(test)]
mod tests {
    use crate::analysis::audit::tests::{audit, row, run};

    fn found(events: &[&str], active: bool) -> Vec<String> {
        let report = run(&audit("repeated-event"), &[row("a", "https://a.example.com", events, active)]);
        report.findings.iter().map(|finding| finding.message.to_string()).collect()
    }

    #[test]
    fn an_event_that_is_listed_twice_is_found() {
        assert_eq!(found(&["call.failed", "x", "call.failed"], true), [r#""call.failed" is listed twice"#]);
        assert_eq!(found(&["b", "a", "b", "a", "b"], false), [r#""a" is listed twice, "b" is listed 3 times"#]);
        let many = vec!["x"; 100_000];
        assert_eq!(found(&many, true), [r#""x" is listed 100000 times"#]);
    }

    #[test]
    fn different_events_are_good() {
        let many: Vec<String> = (0..100_000).map(|number| format!("e.{number}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        for events in [&[][..], &["a"], &["a", "A", "a "], &many] {
            assert!(found(events, true).is_empty());
        }
    }
}
