//! The steps of the network: proxy, DNS, TCP, and one request to the API.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::time::Instant;

use super::report::{DoctorReport, StepMark, Stop};
use crate::api::{
    ApiError, Client, ClientSettings, ErrorKind, Inspection, ProxyFault, ProxyServer, RateLimit, Route, duration,
};
use crate::base::base_url::BaseUrl;
use crate::base::clock::Moment;
use crate::base::text::{Safe, clean, grouped};
use crate::config::{Config, ProxySetting};
use crate::probe;
use crate::safe;

/// A certificate that expires sooner is worth a note.
const FEW_DAYS: i64 = 14;
/// Clocks that differ by more seconds are worth a note.
const MUCH_SKEW: u64 = 60;

/// Connects to the API, or to the proxy on the way to it.
pub(super) async fn reach(
    report: &mut DoctorReport,
    config: &Config,
    setting: &ProxySetting,
    base_url: &BaseUrl,
    patience: Duration,
) -> Result<(), Stop> {
    let proxy = match setting {
        ProxySetting::None => None,
        _ => config.proxy_server(base_url).map_err(|error| report.fail_config("proxy", &error))?,
    };
    say_proxy(report, proxy.as_ref(), base_url, setting)?;
    let route = Route::new(base_url, proxy.as_ref());
    let addresses = match look_up(report, &route, patience).await? {
        Ok(addresses) => addresses,
        Err(error) => {
            let error = of_proxy(error, proxy.as_ref(), &clean(&route.host));
            return Err(report.fail_api("DNS", &error, base_url.host()));
        }
    };
    let started = Instant::now();
    match probe::connect(&addresses, patience).await {
        Ok(address) => {
            let whose = if proxy.is_some() { "the proxy at " } else { "" };
            let took = milliseconds(started.elapsed());
            report.ok("TCP", &safe!("connected to {}{} in {}", whose, clean(&address.to_string()), took))
        }
        Err(error) => {
            let shown = shown_addresses(&addresses);
            let error = if proxy.is_some() { error } else { error.with(shown.clone()) };
            Err(report.fail_api("TCP", &of_proxy(error, proxy.as_ref(), &shown), base_url.host()))
        }
    }
}

/// Turns an error of the connection into one of the proxy, if there is one.
fn of_proxy(error: ApiError, proxy: Option<&ProxyServer>, at: &Safe) -> ApiError {
    match (proxy, error.kind) {
        (Some(proxy), ErrorKind::Network(network)) => {
            ApiError::new(ErrorKind::Proxy(ProxyFault::Connect(network))).with(safe!("{}, at {}", proxy.named(), at))
        }
        _ => error,
    }
}

fn shown_addresses(addresses: &[SocketAddr]) -> Safe {
    let shown: Vec<_> = addresses.iter().take(3).map(ToString::to_string).collect();
    let shown = clean(&shown.join(", "));
    match addresses.len().saturating_sub(3) {
        0 => shown,
        more => safe!("{} and {} more", shown, more),
    }
}

fn milliseconds(time: Duration) -> Safe {
    safe!("{} ms", u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

fn say_proxy(
    report: &mut DoctorReport,
    proxy: Option<&ProxyServer>,
    base_url: &BaseUrl,
    setting: &ProxySetting,
) -> Result<(), Stop> {
    let words = match (proxy, setting) {
        (Some(proxy), _) => proxy.named(),
        (None, _) if base_url.is_loopback() => "none: loopback requests bypass the proxy".into(),
        (None, ProxySetting::Environment) => "none: no proxy variable applies to this host".into(),
        (None, ProxySetting::None | ProxySetting::Server(_)) => "none (network.proxy)".into(),
    };
    report.ok("proxy", &words)
}

/// Resolves the host that the connection is made to.
async fn look_up(
    report: &mut DoctorReport,
    route: &Route,
    patience: Duration,
) -> Result<Result<Vec<SocketAddr>, ApiError>, Stop> {
    if let Ok(address) = route.host.parse::<IpAddr>() {
        report.skip("DNS", &safe!("not needed: {} is an IP address", clean(&address.to_string())))?;
        return Ok(Ok(vec![SocketAddr::new(address, route.port)]));
    }
    let started = Instant::now();
    let found = probe::resolve(&route.host, route.port, patience).await;
    if let Ok(addresses) = &found {
        let ips: Vec<_> = addresses.iter().map(|address| address.ip().to_string()).collect();
        let shown = clean(&ips.join(", ")).fit(100, "…");
        let took = milliseconds(started.elapsed());
        report.ok("DNS", &safe!("{} resolved to {} in {}", clean(&route.host), shown, took))?;
    }
    Ok(found)
}

/// Sends one request, and reports everything that it shows.
pub(super) async fn ask(report: &mut DoctorReport, settings: &ClientSettings) -> Result<(), Stop> {
    let host = settings.base_url.host();
    let client = Client::inspector(settings).map_err(|error| report.fail_api("TLS", &error, host.clone()))?;
    let seen = client.inspect().await;
    if let Err(error) = &seen.page
        && matches!(error.kind, ErrorKind::Proxy(_))
    {
        return Err(report.fail_api("tunnel", error, host));
    }
    if let Some(proxy) = &settings.proxy {
        let to = Route::new(&settings.base_url, None);
        let how = if proxy.is_socks() { "SOCKS" } else { "CONNECT" };
        report.ok("tunnel", &safe!("{} to {}:{}", how, clean(&to.host), u64::from(to.port)))?;
    }
    if !settings.base_url.is_https() {
        report.skip("TLS", &"not used: plain http on this machine".into())?;
    } else if let (Err(error), false) = (&seen.page, seen.is_connected) {
        return Err(report.fail_api("TLS", error, host));
    } else {
        say_certificate(report, &seen)?;
    }
    say_clock(report, &seen)?;
    say_answer(report, &seen, host)?;
    say_rate(report, &seen)
}

fn say_certificate(report: &mut DoctorReport, seen: &Inspection) -> Result<(), Stop> {
    let Some(certificate) = &seen.certificate else {
        return report.ok("TLS", &"certificate accepted".into());
    };
    let days = certificate.days_left(Moment::now().wall);
    let mark = if days < FEW_DAYS { StepMark::Note } else { StepMark::Ok };
    let unit = if days == 1 { "day" } else { "days" };
    report.line(mark, "TLS", &safe!("certificate issued by {}, expires in {} {}", certificate.issuer, days, unit))
}

fn say_clock(report: &mut DoctorReport, seen: &Inspection) -> Result<(), Stop> {
    let Some(ahead) = seen.clock_ahead else {
        let why = if seen.is_answered { "not reported by the server" } else { "no response" };
        return report.skip("clock", &why.into());
    };
    let skew = ahead.unsigned_abs();
    // The server reports whole seconds, and the response takes a while.
    if skew <= 1 {
        return report.ok("clock", &"in sync with the server".into());
    }
    let side = if ahead > 0 { "behind" } else { "ahead of" };
    let mark = if skew > MUCH_SKEW { StepMark::Note } else { StepMark::Ok };
    report.line(mark, "clock", &safe!("{} s {} the server", grouped(skew), side))
}

fn say_answer(report: &mut DoctorReport, seen: &Inspection, host: Safe) -> Result<(), Stop> {
    let took = milliseconds(seen.elapsed);
    match &seen.page {
        Ok(page) => {
            let webhooks = match page.numbers.total {
                Some(1) => "1 webhook".into(),
                Some(total) => safe!("{} webhooks", grouped(total)),
                None => safe!("{} on the page, total unknown", page.rows.len()),
            };
            report.ok("API", &safe!("200 in {}: {}", took, webhooks))
        }
        // The rate limit is known even if the request was refused.
        Err(error) => report.fail_api("API", error, host).unless_broken(),
    }
}

fn say_rate(report: &mut DoctorReport, seen: &Inspection) -> Result<(), Stop> {
    let Some(RateLimit { limit, remaining, resets_in }) = seen.rate else {
        let why = if seen.is_answered { "not reported by the server" } else { "no response" };
        return report.skip("rate limit", &why.into());
    };
    let mark = if remaining < limit.div_ceil(5) { StepMark::Note } else { StepMark::Ok };
    let resets = resets_in.map_or_else(Safe::default, |wait| safe!(", resets in {}", duration(wait)));
    report.line(mark, "rate limit", &safe!("{} of {} requests left{}", grouped(remaining), grouped(limit), resets))
}
