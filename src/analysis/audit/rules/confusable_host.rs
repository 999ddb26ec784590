//! `confusable-host`: host with lookalike letters that imitates another, or with invisible characters.
//!
//! A parser drops most invisible characters, so such a URL is valid, but leads elsewhere than another parser or a search for
//! its text suggests. That is why this rule reports it, not `invalid-url`.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::BuildHasher;

use unicode_security::{MixedScript, skeleton};

use crate::analysis::audit::{AuditContext, AuditInput, Check, Gather, Rule, Severity};
use crate::base::text::{Safe, clean_head, is_unsafe};
use crate::model::{RowNumber, Rows};
use crate::safe;

pub(super) const RULE: Rule = Rule {
    id: "confusable-host",
    severity: Severity::Warning,
    about: "host with lookalike letters that imitates another, or with invisible characters",
    why: "It is easily mistaken for the host it imitates, but its events go elsewhere.",
    advice: "Compare the punycode with the intended host. If it is not yours, pause the webhook and find out who registered it.",
    check: Check::Webhooks { least: 1, start: || Box::new(Lookalikes::default()) },
};

/// Webhooks whose hosts have letters beyond ASCII.
#[derive(Default)]
struct Lookalikes {
    foreign: BTreeMap<Box<str>, Vec<RowNumber>>,
    /// By the text in place of the host.
    invisible: BTreeMap<Box<str>, Vec<RowNumber>>,
}

/// A host with foreign letters.
struct Foreign {
    host: Box<str>,
    webhooks: Vec<RowNumber>,
    /// As programs without precautions show it.
    unicode: String,
    /// The same for all that look like it.
    skeleton: String,
    /// A host of the workspace that looks the same.
    alike: Option<Box<str>>,
}

impl Gather for Lookalikes {
    fn see(&mut self, webhook: &AuditInput<'_>, _: &AuditContext) {
        let authority = webhook.parsed.as_ref().and_then(|_| authority(webhook.url())).unwrap_or_default();
        if authority.contains(is_unsafe) {
            self.invisible.entry(authority.into()).or_default().push(webhook.number);
        } else if let Some(host) = webhook.domain().filter(|host| is_foreign(host)) {
            match self.foreign.get_mut(host) {
                Some(webhooks) => webhooks.push(webhook.number),
                None => {
                    self.foreign.insert(host.into(), vec![webhook.number]);
                }
            }
        }
    }

    fn finish(self: Box<Self>, rows: &Rows, _: &AuditContext, report: &mut dyn FnMut(Vec<RowNumber>, Safe)) {
        for (authority, webhooks) in self.invisible {
            report(webhooks, safe!("{} contains invisible characters", clean_head(&authority, 100)));
        }
        if self.foreign.is_empty() {
            return;
        }
        let read = |(host, webhooks): (Box<str>, Vec<RowNumber>)| {
            let unicode = idna::domain_to_unicode(&host).0;
            let skeleton = skeleton_of(&unicode);
            Foreign { host, webhooks, unicode, skeleton, alike: None }
        };
        let mut foreign: Vec<_> = self.foreign.into_iter().map(read).collect();
        let mut looks: HashMap<String, Vec<usize>> = HashMap::new();
        for (place, one) in foreign.iter().enumerate() {
            looks.entry(one.skeleton.clone()).or_default().push(place);
        }
        let mut seen = HashSet::new();
        let hasher = RandomState::new();
        for (number, row) in rows.iter().filter(|(_, row)| row.is_webhook()) {
            let webhook = AuditInput::new(number, row);
            let Some(host) = webhook.domain().filter(|host| seen.insert(hasher.hash_one(host))) else { continue };
            let skeleton = if is_foreign(host) { skeleton_of(&idna::domain_to_unicode(host).0) } else { skeleton_of(host) };
            for &place in looks.get(&skeleton).into_iter().flatten() {
                if let Some(one) = foreign.get_mut(place).filter(|one| *one.host != *host) {
                    one.alike.get_or_insert_with(|| host.into());
                }
            }
        }
        for one in foreign {
            if let Some(message) = one.message() {
                report(one.webhooks, message);
            }
        }
    }
}

impl Foreign {
    fn message(&self) -> Option<Safe> {
        let shows = safe!("{} displays as {}", clean_head(&self.host, 80), clean_head(&self.unicode, 80));
        if let Some(alike) = &self.alike {
            return Some(safe!("{}, which looks like {} in this workspace", shows, clean_head(alike, 80)));
        }
        if self.unicode.contains(is_unsafe) {
            return Some(safe!("{}, which contains invisible characters", shows));
        }
        if self.unicode.split('.').any(|label| !label.is_single_script()) {
            return Some(safe!("{}, which mixes scripts", shows));
        }
        // A whole label of letters that look like ASCII, below a domain that is ASCII.
        let is_ascii_domain = self.unicode.rsplit('.').next().is_some_and(str::is_ascii);
        let looks_ascii = |label: &str| !label.is_ascii() && skeleton_of(label).is_ascii();
        (is_ascii_domain && self.unicode.split('.').any(looks_ascii)).then(|| safe!("{}, which looks like ASCII", shows))
    }
}

/// Host and port as they are written, without characters around the URL that a parser drops.
fn authority(url: &str) -> Option<&str> {
    let (_, rest) = url.trim_matches(|c: char| c <= ' ').split_once("//")?;
    let authority = rest.split(['/', '\\', '?', '#']).next()?;
    Some(authority.rsplit_once('@').map_or(authority, |(_, host)| host))
}

fn is_foreign(host: &str) -> bool {
    host.split('.').any(|label| label.starts_with("xn--"))
}

/// The skeleton of a text: the same for all texts that look alike (UTS 39, 4).
fn skeleton_of(host: &str) -> String {
    skeleton(host).collect()
}

#[cfg(test)]
mod tests {
    use crate::analysis::audit::tests::{audit, row, run};

    fn found(urls: &[&str]) -> Vec<(Vec<u32>, String)> {
        let rows: Vec<_> = urls.iter().enumerate().map(|(i, url)| row(&i.to_string(), url, &[], true)).collect();
        let report = run(&audit("confusable-host"), &rows);
        report.findings.into_iter().map(|finding| (finding.webhooks, finding.message.to_string())).collect()
    }

    #[test]
    fn mixed_scripts_are_found_without_a_model_too() {
        let message = "xn--pple-43d.com displays as аpple.com, which mixes scripts".to_owned();
        assert_eq!(found(&["https://аpple.com/x"]), [(vec![0], message)]);
        // All Cyrillic.
        let found = found(&["https://\u{430}\u{440}\u{440}\u{4cf}\u{435}.com/"]);
        assert!(found.len() == 1 && found[0].1.ends_with("looks like ASCII"), "{found:?}");
    }

    #[test]
    fn a_host_that_looks_like_another_one_is_found_once_with_all_its_webhooks() {
        let urls = [
            "https://partners.bright\u{441}all.example.com/a",
            "https://partners.brightcall.example.com/a",
            "https://PARTNERS.xn--brightall-03h.example.com./b",
        ];
        let found = found(&urls);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0, [0, 2]);
        assert!(found[0].1.ends_with("which looks like partners.brightcall.example.com in this workspace"), "{found:?}");
    }

    #[test]
    fn invisible_characters_in_a_host_are_found() {
        for (url, shown) in [
            ("https://hooks.ac\u{200b}me.com/x", "hooks.ac<U+200B>me.com"),
            ("https://bob@hooks.ac\u{ad}me.com:8443/x", "hooks.ac<U+00AD>me.com:8443"),
            ("https://hooks.ac\u{2060}me.com", "hooks.ac<U+2060>me.com"),
            ("https://hooks.ac\tme.com", "hooks.ac^Ime.com"),
        ] {
            assert_eq!(found(&[url]), [(vec![0], format!("{shown} contains invisible characters"))], "{url:?}");
        }
        assert_eq!(found(&[" https://hooks.acme.com/\u{200b}?\u{200b}\t", "https://hooks.acme.com "]), []);
    }

    #[test]
    fn honest_names_of_every_script_are_good() {
        let urls = [
            "https://hooks.acme.com/",
            "https://hooks.acrne.com/",
            "https://bücher.example.com/",
            "https://例え.jp/",
            "https://日本語とカタカナ.jp/",
            "https://почта.example.com/",
            "https://москва.рф/",
            "https://10.0.0.1/",
            "https://xn--a/",
            "nonsense",
        ];
        assert_eq!(found(&urls), []);
    }
}
