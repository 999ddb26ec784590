//! `credentials-in-url`: URL contains a user name, password or token.

use crate::analysis::audit::{AuditContext, AuditInput, Check, Rule, Severity, enumerate};
use crate::base::redact::{self, SecretKind};
use crate::base::text::Safe;
use crate::safe;

pub(super) const RULE: Rule = Rule {
    id: "credentials-in-url",
    severity: Severity::Warning,
    about: "URL contains a user name, password or token",
    why: "URLs are logged, copied and visible to everyone with access to the webhooks; anyone who sees this one can use the credential.",
    advice: "Send it in a header that the receiver checks, or verify the signature instead; then rotate the exposed credential.",
    check: Check::Webhook(check),
};

/// The most parameters to name in a message.
const MOST_NAMES: usize = 20;

fn check(webhook: &AuditInput<'_>, _: &AuditContext) -> Option<Safe> {
    let secrets = redact::secrets(webhook.url());
    let mut names: Vec<&str> = Vec::new();
    for secret in &secrets {
        if let SecretKind::Parameter(name) = secret
            && !names.contains(&name.as_str())
            && names.len() < MOST_NAMES
        {
            names.push(name);
        }
    }
    let mut kinds = Vec::new();
    if secrets.contains(&SecretKind::Userinfo) {
        kinds.push(Safe::literal("user name or password"));
    }
    if !names.is_empty() {
        kinds.push(safe!("parameter {}", enumerate(names.into_iter())));
    }
    if let Some(host) =
        secrets.iter().find_map(|secret| if let SecretKind::Path(host) = secret { Some(*host) } else { None })
    {
        kinds.push(safe!("path of {}", host));
    }
    let (first, others) = kinds.split_first()?;
    let mut message = safe!("credential in the URL: {}", first);
    for kind in others {
        message.push(&safe!(", {}", kind));
    }
    Some(message)
}

#[cfg(test)]
mod tests {
    use crate::analysis::audit::shown_url;
    use crate::analysis::audit::tests::messages;

    #[test]
    fn the_kind_of_a_credential_is_reported_but_not_its_value() {
        for (url, message) in [
            ("https://a.example.com/y?token=hunter2hunter2", "credential in the URL: parameter token"),
            ("https://bob:hunter2@a.example.com/", "credential in the URL: user name or password"),
            ("https://good.com@evil.com", "credential in the URL: user name or password"),
            (
                "https://bob:hunter2@a.example.com/?a=1&X-Api-Key=hunter2",
                "credential in the URL: user name or password, parameter X-Api-Key",
            ),
            ("https://a.example.com/#access_token=hunter2", "credential in the URL: parameter access_token"),
            ("https://a.example.com/hook&token=hunter2", "credential in the URL: parameter token"),
            ("bob:hunter2%40a.example.com/", "credential in the URL: user name or password"),
            (
                "https://hooks.slack.com/token=hunter2/T0AAAAAAA/B0BBBBBBB/hunter2",
                "credential in the URL: parameter token, path of hooks.slack.com",
            ),
            (
                "https://hooks.slack.com/services/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4",
                "credential in the URL: path of hooks.slack.com",
            ),
            (
                "https://canary.discord.com/api/webhooks/123456789012345678/hunter2_aBcD-EfGh09kLmN4pQr",
                "credential in the URL: path of discord.com",
            ),
            (
                "https://api.telegram.org/bot123456:hunter2AAbbCCdd/sendMessage",
                "credential in the URL: path of api.telegram.org",
            ),
            (
                "https://acme.webhook.office.com/webhookb2/0a1b2c3d-hunter2-4e5f6a7b@x/IncomingWebhook/9f",
                "credential in the URL: path of webhook.office.com",
            ),
        ] {
            assert_eq!(messages("credentials-in-url", url), [message], "{url}");
            let shown = shown_url(url, 200).to_string();
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }

    #[test]
    fn other_parts_of_a_url_are_not_credentials() {
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
}
