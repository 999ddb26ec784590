//! `credentials-in-url`: a user name, a password or a token stands in the URL.

use url::{Position, Url};

use super::{Basis, Candidate, Check, Rule, Severity, enumerate};
use crate::model::Destination;
use crate::redact;
use crate::safe;
use crate::text::{Safe, clean_head};

pub(super) const RULE: Rule = Rule {
    id: "credentials-in-url",
    severity: Severity::Warning,
    about: "a user name, a password or a token stands in the URL",
    why: "URLs are logged, copied and shown to everybody who may list webhooks; who has this one can act in its name.",
    advice: "Move it into a header that the receiver checks, or verify the signature instead; then replace what was shown.",
    check: Check::Webhook(check),
};

/// Receivers whose path is the credential: whoever knows it can post. The host with its subdomains, and how the path starts.
const HOOK_HOSTS: &[(&str, &str)] = &[
    ("hooks.slack.com", "/"),
    ("hooks.slack-gov.com", "/"),
    ("discord.com", "/api/webhooks/"),
    ("discordapp.com", "/api/webhooks/"),
    ("webhook.office.com", "/"),
    ("outlook.office.com", "/webhook/"),
    ("outlook.office365.com", "/webhook/"),
    ("hooks.zapier.com", "/hooks/"),
    ("hook.integromat.com", "/"),
    ("make.com", "/"),
    ("api.telegram.org", "/bot"),
    ("maker.ifttt.com", "/trigger/"),
    ("events.pagerduty.com", "/integration/"),
    ("alert.victorops.com", "/integrations/"),
    ("hooks.airtable.com", "/workflows/"),
    ("hooks.tray.io", "/"),
    ("trigger.tray.io", "/"),
    ("hook.us-1.tray.io", "/"),
    ("hooks.retool.com", "/"),
    ("open.feishu.cn", "/open-apis/bot/"),
    ("open.larksuite.com", "/open-apis/bot/"),
    ("webhooks.datadoghq.com", "/"),
    ("api.rollbar.com", "/"),
    ("hooks.intercom.io", "/"),
    ("chat.googleapis.com", "/v1/spaces/"),
];

/// What stands in place of the rest of a path that is a credential.
const MASKED: &str = "***";

fn check(webhook: &Candidate<'_>, _: &Basis) -> Option<Safe> {
    let mut kinds = Vec::new();
    let url = webhook.parsed.as_ref();
    let (has_userinfo, names) = if webhook.url.bytes().any(|byte| matches!(byte, b'@' | b'?' | b'#')) {
        (url.is_some_and(|url| !url.username().is_empty() || url.password().is_some()), redact::secret_names(webhook.url))
    } else {
        (false, Vec::new())
    };
    if has_userinfo {
        kinds.push(Safe::literal("user name or password"));
    }
    if !names.is_empty() {
        kinds.push(safe!("parameter {}", enumerate(names.iter().map(String::as_str))));
    }
    if let Some(host) = url.and_then(secret_path).map(|(host, _)| host) {
        kinds.push(safe!("path of {}", host));
    }
    let (first, others) = kinds.split_first()?;
    let mut message = safe!("a credential: {}", first);
    for kind in others {
        message.push(&safe!(", {}", kind));
    }
    Some(message)
}

/// The hook host of a URL whose path is a credential, and where in the path that begins.
fn secret_path(url: &Url) -> Option<(&'static str, usize)> {
    let domain = url.domain()?.trim_end_matches('.');
    let &(host, _) = HOOK_HOSTS.iter().find(|(host, start)| {
        domain.strip_suffix(*host).is_some_and(|before| before.is_empty() || before.ends_with('.'))
            && url.path().starts_with(start)
    })?;
    let mut at = 0;
    for segment in url.path().split_inclusive('/') {
        if looks_random(segment.trim_end_matches('/')) {
            return Some((host, at));
        }
        at += segment.len();
    }
    None
}

/// Whether a text looks drawn by lot: long, of letters and digits or of both cases, and with few repetitions (at least three
/// bits a character).
fn looks_random(text: &str) -> bool {
    const SHORTEST: usize = 16;
    const LONGEST: usize = 512;
    if !(SHORTEST..=LONGEST).contains(&text.len()) {
        return false;
    }
    let has = |test: fn(&u8) -> bool| text.as_bytes().iter().any(test);
    let kinds = [u8::is_ascii_digit, u8::is_ascii_lowercase, u8::is_ascii_uppercase].into_iter().filter(|&kind| has(kind));
    kinds.count() >= 2 && bits_per_character(text) >= 3.0
}

/// Shannon's entropy of the bytes.
fn bits_per_character(text: &str) -> f64 {
    let mut counts = [0_u16; 256];
    for byte in text.bytes() {
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            *count = count.saturating_add(1);
        }
    }
    let length: f64 = counts.iter().map(|&count| f64::from(count)).sum();
    let bits = |count: &u16| {
        let part = f64::from(*count) / length;
        -part * part.log2()
    };
    counts.iter().filter(|&&count| count > 0).map(bits).sum()
}

/// The URL as a report may show it, in at most `columns` columns: no credential in it, not even one that is a path.
pub fn shown_url(webhook: &Candidate<'_>, columns: usize) -> Safe {
    match webhook.parsed.as_ref().and_then(|url| Some((url, secret_path(url)?.1))) {
        Some((url, at)) => {
            let head = url.path().get(..at).unwrap_or_default();
            let origin = &url[Position::BeforeHost..Position::AfterPort];
            clean_head(&format!("{}://{origin}{head}{MASKED}", url.scheme()), columns)
        }
        None => match webhook.parsed.as_ref().filter(|url| hides_host(webhook.url, url)) {
            Some(url) => clean_head(&redact::mask_parsed(url), columns),
            None => Destination::new(webhook.url).clean_head(false, columns),
        },
    }
}

/// Whether the text does not show the host that is resolved: `https://2130706433`, or one with foreign letters.
fn hides_host(text: &str, url: &Url) -> bool {
    // Longer names do not exist, and what stands in front of one is short where nobody plays tricks.
    const LOOKED_AT: usize = 1024;
    let head = text.get(..text.floor_char_boundary(LOOKED_AT)).unwrap_or(text);
    !head.to_ascii_lowercase().contains(url.host_str().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::audit::tests::{messages, row};
    use crate::model::Row;

    fn shown(url: &str) -> String {
        let Row::Webhook(webhook) = row("a", url, &[], true) else { panic!("{url} is no webhook") };
        shown_url(&Candidate::new(0, &webhook), 200).to_string()
    }

    #[test]
    fn what_kind_of_credential_it_is_is_told_and_not_its_value() {
        for (url, message) in [
            ("https://a.example.com/y?token=hunter2hunter2", "a credential: parameter token"),
            ("https://bob:hunter2@a.example.com/", "a credential: user name or password"),
            ("https://good.com@evil.com", "a credential: user name or password"),
            (
                "https://bob:hunter2@a.example.com/?a=1&X-Api-Key=hunter2",
                "a credential: user name or password, parameter X-Api-Key",
            ),
            ("https://a.example.com/#access_token=hunter2", "a credential: parameter access_token"),
            (
                "https://hooks.slack.com/services/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4",
                "a credential: path of hooks.slack.com",
            ),
            (
                "https://canary.discord.com/api/webhooks/123456789012345678/hunter2_aBcD-EfGh09kLmN4pQr",
                "a credential: path of discord.com",
            ),
            ("https://api.telegram.org/bot123456:hunter2AAbbCCdd/sendMessage", "a credential: path of api.telegram.org"),
            (
                "https://acme.webhook.office.com/webhookb2/0a1b2c3d-hunter2-4e5f6a7b@x/IncomingWebhook/9f",
                "a credential: path of webhook.office.com",
            ),
        ] {
            assert_eq!(messages("credentials-in-url", url), [message], "{url}");
            assert!(!shown(url).contains("hunter2"), "{}", shown(url));
        }
    }

    #[test]
    fn what_is_no_credential_is_not_found() {
        for url in [
            "https://a.example.com/x?page=2&author=bob#top",
            "https://a.example.com/?token=",
            "https://a.example.com/webhook/7b0e4c52-9d1f-4a86-b1c3-58e2f0a9d634",
            "https://hooks.slack.com/services/",
            "https://discord.com/developers/applications-and-more-of-them",
            "https://hooks.slack.com.evil.net/services/T0AAAAAAA/B0BBBBBBB/XyZw09kLmN4XyZw09kLmN4",
            "nonsense",
        ] {
            assert!(messages("credentials-in-url", url).is_empty(), "{url}");
        }
    }

    #[test]
    fn a_masked_path_still_says_where_it_leads() {
        let url = "https://hooks.slack.com/services/T0AAAAAAA/B0BBBBBBB/XyZw09kLmN4XyZw09kLmN4";
        assert_eq!(shown(url), "https://hooks.slack.com/services/T0AAAAAAA/B0BBBBBBB/***");
        assert_eq!(shown("https://a.example.com/?sig=x&y=1"), "https://a.example.com/?sig=***&y=1");
        assert!(shown(&format!("https://a.example.com/{}", "x".repeat(1 << 20))).len() < 300);
        assert_eq!(shown("https://HOOKS.example.com:443/x"), "https://HOOKS.example.com:443/x");
        assert_eq!(shown("https://аpple.com/x"), "https://xn--pple-43d.com/x");
        assert_eq!(shown("https://apple.com@2130706433/x?key=a"), "https://***@127.0.0.1/x?key=***");
    }
}
