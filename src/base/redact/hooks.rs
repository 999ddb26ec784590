//! Well-known webhook hosts whose path is the credential: anyone who knows it can post. Uses no other module; start at
//! [`secret_path`].

use std::collections::HashMap;
use std::sync::LazyLock;

/// Hosts, including their subdomains, and the path prefixes after which the rest is secret. A `*` matches one label or one
/// segment.
const HOOKS: &[(&str, &[&str])] = &[
    ("hooks.slack.com", &["/*/*/*/"]),
    ("hooks.slack-gov.com", &["/*/*/*/"]),
    ("discord.com", &["/api/webhooks/*/", "/api/*/webhooks/*/"]),
    ("discordapp.com", &["/api/webhooks/*/", "/api/*/webhooks/*/"]),
    ("media.guilded.gg", &["/webhooks/*/"]),
    ("webhook.office.com", &["/*/"]),
    ("outlook.office.com", &["/webhook/"]),
    ("outlook.office365.com", &["/webhook/"]),
    ("api.telegram.org", &["/bot", "/file/bot"]),
    ("chat.googleapis.com", &["/v1/spaces/*/messages/"]),
    ("script.google.com", &["/macros/s/"]),
    ("webexapis.com", &["/v1/webhooks/incoming/"]),
    ("api.ciscospark.com", &["/v1/webhooks/incoming/"]),
    ("cloud.mattermost.com", &["/hooks/"]),
    ("open.feishu.cn", &["/open-apis/bot/*/hook/", "/open-apis/bot/hook/"]),
    ("open.larksuite.com", &["/open-apis/bot/*/hook/", "/open-apis/bot/hook/"]),
    ("api.flock.com", &["/hooks/sendMessage/"]),
    ("webhooks.gitter.im", &["/e/"]),
    ("wh.jandi.com", &["/connect-api/webhook/*/"]),
    ("events.pagerduty.com", &["/integration/", "/x-ere/"]),
    ("events.eu.pagerduty.com", &["/integration/", "/x-ere/"]),
    ("alert.victorops.com", &["/integrations/*/*/alert/"]),
    ("api.opsgenie.com", &["/v1/json/*/"]),
    ("api.eu.opsgenie.com", &["/v1/json/*/"]),
    ("api.squadcast.com", &["/v2/incidents/*/", "/v3/incidents/*/"]),
    ("grafana.net", &["/oncall/integrations/*/*/", "/integrations/*/*/"]),
    ("betterstack.com", &["/api/*/heartbeat/", "/api/*/incoming-webhook/"]),
    ("webhooks.rootly.com", &["/webhooks/incoming/*/"]),
    ("hc-ping.com", &["/"]),
    ("nosnch.in", &["/"]),
    ("cronitor.link", &["/p/"]),
    ("hooks.zapier.com", &["/hooks/*/*/"]),
    ("hook.integromat.com", &["/"]),
    ("hook.*.make.com", &["/"]),
    ("hook.*.make.celonis.com", &["/"]),
    ("maker.ifttt.com", &["/trigger/*/with/key/", "/trigger/*/json/with/key/", "/use/"]),
    ("hooks.airtable.com", &["/workflows/*/*/"]),
    ("hooks.tray.io", &["/"]),
    ("trigger.tray.io", &["/"]),
    ("hook.us-1.tray.io", &["/"]),
    ("trayapp.io", &["/"]),
    ("hooks.retool.com", &["/*/"]),
    ("tines.com", &["/webhook/*/"]),
    ("webhooks.workato.com", &["/webhooks/rest/", "/webhooks/notify/"]),
    ("connect.pabbly.com", &["/workflow/sendwebhookdata/"]),
    ("webhooks.integrately.com", &["/a/webhooks/"]),
    ("hooks.nabu.casa", &["/"]),
    ("webhooks.datadoghq.com", &["/*/*/"]),
    ("http-intake.logs.datadoghq.com", &["/v1/input/"]),
    ("logs-01.loggly.com", &["/inputs/", "/bulk/"]),
    ("collection.sumologic.com", &["/receiver/v1/http/"]),
    ("api.rollbar.com", &["/*/*/*/"]),
    ("hooks.intercom.io", &["/*/*/"]),
    ("sentry.io", &["/api/hooks/release/builtin/*/"]),
    ("webhook.buildkite.com", &["/deliver/"]),
    ("api.netlify.com", &["/build_hooks/"]),
    ("api.vercel.com", &["/v1/integrations/deploy/*/"]),
    ("api.cloudflare.com", &["/client/v4/pages/webhooks/deploy_hooks/"]),
    ("hub.docker.com", &["/api/build/v1/source/*/trigger/*/"]),
];

/// The name in findings of a hook whose software runs on any host.
const ANY_HOST: &str = "/hooks/";

/// Hooks by the last two labels of their hosts.
static BY_DOMAIN: LazyLock<HashMap<&str, Vec<Hook>>> = LazyLock::new(|| {
    let mut hooks: HashMap<_, Vec<Hook>> = HashMap::new();
    for &(host, paths) in HOOKS {
        hooks.entry(domain(host)).or_default().push(Hook { host, paths });
    }
    hooks
});

struct Hook {
    host: &'static str,
    paths: &'static [&'static str],
}

/// Returns the hook host of a URL whose path is a credential, and the position in the path where the credential begins. The
/// host is in lower case.
pub(super) fn secret_path(host: &str, path: &str) -> Option<(&'static str, usize)> {
    let host = host.trim_end_matches('.');
    let known = BY_DOMAIN.get(domain(host)).into_iter().flatten().filter(|hook| is_at(host, hook.host));
    let found = known.flat_map(|hook| hook.paths.iter().filter_map(|start| Some((hook.host, secret_start(path, start)?))));
    found.min_by_key(|&(_, at)| at).or_else(|| Some((ANY_HOST, hook_of_any_host(path)?)))
}

fn domain(host: &str) -> &str {
    let start = host.rmatch_indices('.').nth(1).map_or(0, |(dot, _)| dot + 1);
    host.get(start..).unwrap_or_default()
}

/// Returns true if a host is a known one or a subdomain of it.
fn is_at(host: &str, known: &str) -> bool {
    let mut labels = host.rsplit('.');
    known.rsplit('.').all(|known| labels.next().is_some_and(|label| known == "*" || known == label))
}

/// Returns the position of the secret: after the whole prefix, or at the first segment that looks random after the fixed
/// part of the prefix.
fn secret_start(path: &str, start: &str) -> Option<usize> {
    let fixed = start.find('*').unwrap_or(start.len());
    let behind = after(path, start.get(..fixed)?)?;
    let random = segments(path, behind).find(|(_, segment)| looks_random(segment)).map(|(at, _)| at);
    random.into_iter().chain(after(path, start)).min()
}

/// Returns the position after this prefix of a path. `None` if the path has another prefix, or ends there. Slashes may be
/// doubled, or be backslashes.
fn after(path: &str, start: &str) -> Option<usize> {
    let mut found = segments(path, 0);
    let (whole, part) = start.rsplit_once('/')?;
    for wanted in whole.split('/').filter(|wanted| !wanted.is_empty()) {
        let (_, segment) = found.next()?;
        if wanted != "*" && !segment.eq_ignore_ascii_case(wanted) {
            return None;
        }
    }
    let (at, segment) = found.next()?;
    let is_more = segment.len() > part.len() && segment.get(..part.len())?.eq_ignore_ascii_case(part);
    is_more.then_some(at + part.len())
}

/// Returns the segments of a path that are not empty, each with its position.
fn segments(path: &str, from: usize) -> impl Iterator<Item = (usize, &str)> {
    let mut at = from;
    let parts = path.get(from..).unwrap_or_default().split(['/', '\\']);
    parts.filter_map(move |segment| {
        let start = at;
        at += segment.len() + 1;
        (!segment.is_empty()).then_some((start, segment))
    })
}

/// Returns the position of the token of an incoming webhook of Mattermost (`/hooks/` and 26 characters) or Rocket.Chat
/// (`/hooks/ID/TOKEN`).
fn hook_of_any_host(path: &str) -> Option<usize> {
    let behind = path.find(ANY_HOST)? + ANY_HOST.len();
    let mut segments = segments(path, behind);
    let (first_at, first) = segments.next()?;
    let is_mattermost = first.len() == 26
        && first.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase())
        && looks_random(first);
    if is_mattermost {
        return Some(first_at);
    }
    let (second_at, second) = segments.next()?;
    let is_rocket_chat = matches!(first.len(), 17 | 24) && first.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (is_rocket_chat && looks_random(second)).then_some(second_at)
}

/// Returns true if a text looks random: long, of letters and digits or of both cases, and with few repetitions (at least
/// three bits per character).
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

/// Returns the Shannon entropy of the bytes.
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::base::redact::{SecretKind, mask_url, secrets};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn the_secret_path_of_every_hook_host_is_hidden(
            hook in prop::sample::select(HOOKS.to_vec()),
            path in any::<prop::sample::Index>(),
            fill in "[a-z0-9]{1,8}",
            before in "([a-z]{1,6}[.])?",
            spelled in 0_usize..6,
            behind in "[/a-z?#=&]{0,6}",
        ) {
            const MARK: &str = "zqxjkvwyhpgm";
            let (host, paths) = hook;
            let host = format!("{before}{}", host.replace('*', &fill));
            let path = path.get(paths).replace('*', &fill);
            let (host, path) = match spelled {
                0 => (host.to_uppercase(), path),
                1 => (format!("{host}."), path),
                2 => (format!("{host}:443"), path.replace('/', "//")),
                3 => (format!("bob@{host}"), path.replace('/', "\\")),
                4 => (host.replacen('.', ".\t", 1), path),
                _ => (host, path),
            };
            let url = format!("https://{host}{path}{MARK}{behind}");
            let masked = mask_url(&url);
            prop_assert!(!masked.contains(MARK), "{} became {}", url, masked);
            prop_assert!(secrets(&url).contains(&SecretKind::Path(hook.0)), "{}", url);
        }
    }

    #[test]
    fn public_paths_are_shown() {
        for url in [
            "https://hooks.slack.com/services/",
            "https://hooks.slack.com/services/T0/B0/",
            "https://discord.com/developers/applications-and-more-of-them",
            "https://api.telegram.org/bot",
            "https://www.make.com/en/pricing",
            "https://sentry.io/organizations/acme/issues/1234567890abcdef1234/",
            "https://hooks.slack.com.evil.net/services/T0/B0/XyZw09kLmN4XyZw09kLmN4",
            "https://evilhooks.slack.com.net/services/T0/B0/XyZw09kLmN4XyZw09kLmN4",
            "https://a.example.com/hooks/dialnexa/production/inbound-events",
            "https://a.example.com/hooks/7b0e4c52-9d1f-4a86-b1c3-58e2f0a9d634",
        ] {
            assert_eq!(mask_url(url), url);
        }
    }

    #[test]
    fn a_hook_is_masked_anywhere_in_a_sentence() {
        const HOOK: &str = "hooks.slack.com/services/T0/B0/XyZw09kLmN4XyZw09kLmN4";
        for (text, masked) in [
            ("url:https://HOOK", "url:https://MASKED"),
            (
                "GET https://a.example.com: redirected to https://HOOK",
                "GET https://a.example.com: redirected to https://MASKED",
            ),
            (
                "GET https://a.example.com/x?y: redirected to https://bob:pw@b.example.com/",
                "GET https://a.example.com/x?y: redirected to https://***@b.example.com/",
            ),
            (
                "https://a.example.com/x?y (https://HOOK?z) https://HOOK",
                "https://a.example.com/x?y (https://MASKED?z) https://MASKED",
            ),
            ("POST to HOOK failed", "POST to MASKED failed"),
            ("POST to \"HOOK?x\" failed: a/b", "POST to \"MASKED?x\" failed: a/b"),
        ] {
            let text = text.replace("HOOK", HOOK);
            assert_eq!(mask_url(&text), masked.replace("MASKED", "hooks.slack.com/services/T0/B0/***"));
        }
        let many = "://".repeat(100_000);
        assert_eq!(mask_url(&many), many);
    }

    #[test]
    fn the_hooks_of_any_host_are_known_by_their_tokens() {
        for (url, masked) in [
            ("https://chat.acme.com/hooks/bqmh4fx7wpyzt9nq3dkrj5sahe", "https://chat.acme.com/hooks/***"),
            (
                "https://chat.acme.com/hooks/5f4dcc3b5aa765d61/XyZw09kLmN4XyZw09kLmN4aBcDeFgHiJkL",
                "https://chat.acme.com/hooks/5f4dcc3b5aa765d61/***",
            ),
        ] {
            assert_eq!(mask_url(url), masked);
        }
    }
}
