//! `private-destination`: host is private, local or a bare name.

use crate::analysis::audit::{AuditContext, AuditInput, Check, Rule, Severity};
use crate::base::text::{Safe, clean_head};
use crate::model::address::private_host;
use crate::safe;

pub(super) const RULE: Rule = Rule {
    id: "private-destination",
    severity: Severity::Error,
    about: "host is private, local or a bare name",
    why: "DialNexa delivers from the public internet and cannot reach it, or reaches a different host with that name.",
    advice: "Register a public host, or put a gateway in front of the receiver.",
    check: Check::Webhook(check),
};

fn check(webhook: &AuditInput<'_>, _: &AuditContext) -> Option<Safe> {
    let host = webhook.host()?;
    let what = private_host(&host)?;
    Some(safe!("{} is {}", clean_head(&host.to_string(), 80), what))
}

#[cfg(test)]
mod tests {
    use crate::analysis::audit::tests::messages;

    #[test]
    fn a_private_host_is_found_however_it_is_spelled() {
        for (url, message) in [
            ("https://10.0.0.5/hook", "10.0.0.5 is a private address"),
            ("http://2130706433/", "127.0.0.1 is a loopback address"),
            ("http://0x7f.1", "127.0.0.1 is a loopback address"),
            ("https://[::ffff:192.168.0.1]/", "[::ffff:c0a8:1] is a private address"),
            ("https://good.com@localhost/", "localhost is a loopback name"),
            ("https://crm.northwind.internal/x", "crm.northwind.internal is a local network name"),
            ("https://recordings-worker/ingest", "recordings-worker is a bare host name"),
        ] {
            assert_eq!(messages("private-destination", url), [message], "{url}");
        }
    }

    #[test]
    fn public_hosts_are_good() {
        for url in ["https://a.example.com/10.0.0.1", "https://8.8.8.8/", "https://localhost@a.example.com/", "nonsense"] {
            assert!(messages("private-destination", url).is_empty(), "{url}");
        }
    }
}
