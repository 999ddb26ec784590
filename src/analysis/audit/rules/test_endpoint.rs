//! `test-endpoint`: active on a request bin or a tunnel.

use crate::analysis::audit::{AuditContext, AuditInput, Check, Rule, Severity};
use crate::base::text::Safe;
use crate::safe;

pub(super) const RULE: Rule = Rule {
    id: "test-endpoint",
    severity: Severity::Warning,
    about: "active on a request bin, tunnel or test URL",
    why: "Real call data goes to a service that anyone can inspect, or to a developer's laptop.",
    advice: "Point it at a receiver of your own, or deactivate it.",
    check: Check::Webhook(check),
};

/// Services that show requests, or that lead to a machine without a public address. Subdomains count.
const SERVICES: &[&str] = &[
    "beeceptor.com",
    "bore.pub",
    "free.beeceptor.com",
    "hookbin.com",
    "hookdeck.dev",
    "httpbin.org",
    "httpdump.app",
    "hookrelay.dev",
    "instatunnel.my",
    "lhr.life",
    "lhr.rocks",
    "localhost.run",
    "localtunnel.me",
    "loca.lt",
    "localxpose.io",
    "loclx.io",
    "mockbin.io",
    "mockbin.org",
    "ngrok-free.app",
    "ngrok-free.dev",
    "ngrok.app",
    "ngrok.dev",
    "ngrok.io",
    "pagekite.me",
    "pinggy.io",
    "pinggy.link",
    "pinggy.online",
    "pipedream.net",
    "postb.in",
    "ptsv3.com",
    "putsreq.com",
    "request.bin",
    "requestbin.com",
    "requestbin.io",
    "requestbin.net",
    "requestcatcher.com",
    "requestinspector.com",
    "serveo.net",
    "smee.io",
    "telebit.io",
    "trycloudflare.com",
    "tunnelmole.net",
    "typedwebhook.tools",
    "webhook-test.com",
    "webhook.cool",
    "webhook.site",
    "webhookrelay.com",
    "zrok.io",
];

/// The part of the path that n8n's test URLs begin with, if need be below a base path.
const N8N_TEST: &str = "webhook-test";

fn check(webhook: &AuditInput<'_>, _: &AuditContext) -> Option<Safe> {
    let url = webhook.parsed.as_ref().filter(|_| webhook.is_active())?;
    let is_of = |host: &str, service: &str| {
        host.strip_suffix(service).is_some_and(|before| before.is_empty() || before.ends_with('.'))
    };
    if let Some(service) = webhook.domain().and_then(|host| SERVICES.iter().find(|service| is_of(host, service))) {
        return Some(safe!("{} is a test service", *service));
    }
    // n8n registers it only while a workflow is tried out in its editor; /webhook/ is the permanent one.
    let mut segments = url.path_segments()?.skip_while(|segment| *segment != N8N_TEST).skip(1);
    segments
        .any(|segment| !segment.is_empty())
        .then(|| safe!("/{}/ is a test URL of n8n, which uses /webhook/ in production", N8N_TEST))
}

#[cfg(test)]
mod tests {
    use crate::analysis::audit::tests::{audit, messages, row, run};

    #[test]
    fn bins_and_tunnels_are_found_with_their_subdomains() {
        for (url, service) in [
            ("https://webhook.site/abc", "webhook.site"),
            ("https://WEBHOOK.SITE./abc", "webhook.site"),
            ("https://x.ngrok-free.app/", "ngrok-free.app"),
            ("https://eo1.m.pipedream.net", "pipedream.net"),
            ("https://a-b-c.trycloudflare.com", "trycloudflare.com"),
            ("https://smee.io/x", "smee.io"),
        ] {
            assert_eq!(messages("test-endpoint", url), [format!("{service} is a test service")], "{url}");
        }
    }

    #[test]
    fn test_urls_of_n8n_are_found_on_any_host() {
        let message = "/webhook-test/ is a test URL of n8n, which uses /webhook/ in production";
        for url in [
            "https://n8n.acme.com/webhook-test/0a1b",
            "https://acme.app.n8n.cloud/webhook-test/crm/calls",
            "https://tools.acme.com/n8n/webhook-test/0a1b?x=1",
        ] {
            assert_eq!(messages("test-endpoint", url), [message], "{url}");
        }
        for url in [
            "https://n8n.acme.com/webhook/0a1b",
            "https://n8n.acme.com/webhook-test/",
            "https://n8n.acme.com/webhook-test",
            "https://n8n.acme.com/webhook-tests/0a1b",
            "https://n8n.acme.com/x?y=/webhook-test/z",
        ] {
            assert!(messages("test-endpoint", url).is_empty(), "{url}");
        }
    }

    #[test]
    fn others_and_inactive_ones_are_not() {
        for url in [
            "https://events.hookdeck.com/e/src_1",
            "https://hkdk.events/abc",
            "https://notwebhook.site/",
            "https://webhook.site.example.com/",
            "https://a.example.com/webhook.site",
        ] {
            assert!(messages("test-endpoint", url).is_empty(), "{url}");
        }
        let rows = [row("a", "https://webhook.site/abc", &["call.failed"], false)];
        assert!(run(&audit("test-endpoint"), &rows).findings.is_empty());
    }
}
