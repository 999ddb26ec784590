//! `insecure-url`: URL does not use https://.

use crate::analysis::audit::{AuditContext, AuditInput, Check, Rule, Severity};
use crate::base::text::{Safe, clean_head};
use crate::safe;

pub(super) const RULE: Rule = Rule {
    id: "insecure-url",
    severity: Severity::Error,
    about: "URL does not use https://",
    why: "Anyone on the network path can read and change the call data. DialNexa requires https:// for new webhooks.",
    advice: "Register the https:// URL of the receiver.",
    check: Check::Webhook(check),
};

fn check(webhook: &AuditInput<'_>, _: &AuditContext) -> Option<Safe> {
    let scheme = webhook.parsed.as_ref()?.scheme();
    (scheme != "https").then(|| safe!("scheme is {}", clean_head(scheme, 20)))
}

#[cfg(test)]
mod tests {
    use crate::analysis::audit::tests::messages;

    #[test]
    fn every_other_scheme_is_found() {
        assert_eq!(messages("insecure-url", "http://a.example.com/x"), ["scheme is http"]);
        assert_eq!(messages("insecure-url", "HTTP://a.example.com/x"), ["scheme is http"]);
        assert_eq!(messages("insecure-url", "ftp://a.example.com/x"), ["scheme is ftp"]);
    }

    #[test]
    fn https_is_good_and_what_does_not_parse_is_another_rule() {
        for url in ["https://a.example.com/x", "HTTPS://a.example.com/x", "ht\ttps://a.example.com", "http//x", ""] {
            assert!(messages("insecure-url", url).is_empty(), "{url}");
        }
    }
}
