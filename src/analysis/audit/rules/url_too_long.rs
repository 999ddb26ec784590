//! `url-too-long`: URL is longer than the 150 characters that DialNexa accepts.

use crate::analysis::audit::{AuditContext, AuditInput, Check, Rule, Severity};
use crate::base::text::Safe;
use crate::safe;

pub(super) const RULE: Rule = Rule {
    id: "url-too-long",
    severity: Severity::Warning,
    about: "URL is longer than the 150 characters that DialNexa accepts",
    why: "It cannot be registered again, and an update may be refused or truncated.",
    advice: "Shorten it, for example with a path in place of parameters.",
    check: Check::Webhook(check),
};

/// Characters that a URL may have (reference/limits).
const MOST: usize = 150;

fn check(webhook: &AuditInput<'_>, _: &AuditContext) -> Option<Safe> {
    if webhook.url().len() <= MOST {
        return None;
    }
    let length = webhook.url().chars().count();
    (length > MOST).then(|| safe!("{} characters", length))
}

#[cfg(test)]
mod tests {
    use crate::analysis::audit::tests::messages;

    #[test]
    fn the_limit_is_of_characters() {
        let url = |length: usize, c: char| {
            let start = "https://a.example.com/";
            format!("{start}{}", c.to_string().repeat(length - start.len()))
        };
        assert!(messages("url-too-long", &url(150, 'x')).is_empty());
        assert!(messages("url-too-long", &url(150, 'é')).is_empty());
        assert_eq!(messages("url-too-long", &url(151, 'é')), ["151 characters"]);
        assert_eq!(messages("url-too-long", &url(1_000_000, 'x')), ["1000000 characters"]);
    }
}
