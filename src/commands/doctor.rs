//! `hookscope doctor`: why does it not work. It walks the chain from the config to the API, a line for each link, and names the
//! one that is broken. The lines are for a ticket: nothing in them is secret.

mod terminal;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::time::Instant;

use super::start_demo;
use crate::api::{
    ApiError, Client, ErrorKind, Inspection, Network, ProxyFault, ProxyServer, RateLimit, Route, Settings, duration,
};
use crate::base_url::BaseUrl;
use crate::cache::Store;
use crate::cli::Global;
use crate::clock::Moment;
use crate::config::{
    Config, ConfigError, Connection, Environment, KeySource, KeyStorage, ProxySetting, StoredKey, WorkspaceOptions,
};
use crate::error::{Error, Exit};
use crate::output::{Output, Reader};
use crate::probe;
use crate::redact::ApiKey;
use crate::safe;
use crate::text::{Safe, clean, grouped};

/// A certificate that expires sooner is worth a note.
const FEW_DAYS: i64 = 14;
/// Clocks that differ by more seconds are worth a note.
const MUCH_SKEW: u64 = 60;
/// What the whole request may take beyond the time for connecting, so that the end of the latter is told apart.
const SLACK: Duration = Duration::from_millis(100);
/// Columns of a public id; ids are short, but the key is the user's.
const ID_COLUMNS: usize = 40;
/// Columns of a step's name.
const STEP_COLUMNS: usize = 11;

/// Looks at everything between here and the API.
pub(super) async fn run(global: &Global, env: &Environment) -> Result<Exit, Error> {
    let mut report = Report::default();
    match examine(&mut report, global, env).await {
        Ok(()) => Ok(report.exit()),
        Err(Stop::ReaderGone) => Ok(Exit::Done),
        Err(Stop::Failed(error)) => Err(error),
    }
}

/// What a line says of its step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Ok,
    Fail,
    /// Not looked at.
    Skip,
    /// It works, and is worth knowing.
    Note,
}

/// Why no more lines are written.
#[derive(Debug)]
enum Stop {
    ReaderGone,
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// The first broken link.
#[derive(Debug)]
struct Broken {
    step: &'static str,
    words: Safe,
    advice: Option<Safe>,
    exit: Exit,
}

/// What was said so far.
#[derive(Debug, Default)]
struct Report {
    first: Option<Broken>,
    /// Steps that failed besides the first.
    others: Vec<&'static str>,
    notes: usize,
}

impl Report {
    /// Writes a line at once: the next step may take seconds.
    fn line(&mut self, mark: Mark, step: &'static str, words: &Safe) -> Result<(), Stop> {
        let shown = match mark {
            Mark::Ok => "ok  ",
            Mark::Fail => "FAIL",
            Mark::Skip => "skip",
            Mark::Note => "note",
        };
        self.notes += usize::from(mark == Mark::Note);
        let padding = clean(&" ".repeat(STEP_COLUMNS.saturating_sub(step.len())));
        write(&safe!("{}  {}{}  {}", shown, step, padding, words))
    }

    fn ok(&mut self, step: &'static str, words: &Safe) -> Result<(), Stop> {
        self.line(Mark::Ok, step, words)
    }

    fn skip(&mut self, step: &'static str, why: &Safe) -> Result<(), Stop> {
        self.line(Mark::Skip, step, why)
    }

    /// Steps that depend on another one.
    fn skip_after(&mut self, steps: &[&'static str], cause: &'static str) -> Result<(), Stop> {
        steps.iter().try_for_each(|step| self.skip(step, &safe!("{} failed", cause)))
    }

    fn fail(&mut self, step: &'static str, words: Safe, advice: Option<Safe>, exit: Exit) -> Result<(), Stop> {
        self.line(Mark::Fail, step, &words)?;
        match self.first {
            None => self.first = Some(Broken { step, words, advice, exit }),
            Some(_) => self.others.push(step),
        }
        Ok(())
    }

    fn fail_config(&mut self, step: &'static str, error: &ConfigError) -> Result<(), Stop> {
        self.fail(step, clean(&error.to_string()), error.advice.clone(), Exit::Usage)
    }

    fn fail_api(&mut self, step: &'static str, error: &ApiError, host: Safe) -> Result<(), Stop> {
        let exit = Error::Api { place: host, error: error.clone() }.exit();
        let words = match &error.detail {
            // The step is named already: "TLS: TLS failed: …" would repeat it.
            detail if error.kind == ErrorKind::Network(Network::Tls) => {
                detail.clone().unwrap_or_else(|| "handshake failed".into())
            }
            _ => clean(&error.to_string()),
        };
        self.fail(step, words, Some(error.advice()), exit)
    }

    fn exit(&self) -> Exit {
        self.first.as_ref().map_or(Exit::Done, |broken| broken.exit)
    }

    fn sum_up(&self) -> Safe {
        let Some(Broken { step, words, advice, .. }) = &self.first else {
            return match self.notes {
                0 => "everything works".into(),
                1 => "everything works; 1 note".into(),
                notes => safe!("everything works; {} notes", notes),
            };
        };
        let mut sum = safe!("failed: {}: {}", step, words);
        if let Some(advice) = advice {
            sum = safe!("{}. {}", sum, advice);
        }
        match self.others.as_slice() {
            [] => sum,
            others => {
                let period = if advice.is_some() { "" } else { "." };
                safe!("{}{} Also failing: {}.", sum, period, clean(&others.join(", ")))
            }
        }
    }
}

fn write(line: &Safe) -> Result<(), Stop> {
    match Output::stdout().send(|out| out.line(line))? {
        Reader::Listening => Ok(()),
        Reader::Gone => Err(Stop::ReaderGone),
    }
}

async fn examine(report: &mut Report, global: &Global, env: &Environment) -> Result<(), Stop> {
    let selection = WorkspaceOptions { profile: global.profile.clone(), base_url: global.base_url.clone() };
    let demo = if global.demo { Some(start_demo().await?) } else { None };
    let setup = Setup { global, env, selection, demo: demo.as_ref().map(|(_, connection)| connection) };
    let config = setup.config(report)?;
    match &config {
        Some(config) => setup.chain(report, config).await?,
        None => report.skip_after(
            &["key", "base URL", "proxy", "DNS", "TCP", "TLS", "clock", "API", "rate limit"],
            report.first.as_ref().map_or("config", |broken| broken.step),
        )?,
    }
    let ui = config.map(|config| config.ui).unwrap_or_default();
    terminal::examine(report, &ui, env, global.color).await?;
    write(&report.sum_up())
}

/// What the user asked for.
struct Setup<'a> {
    global: &'a Global,
    env: &'a Environment,
    selection: WorkspaceOptions,
    demo: Option<&'a Connection>,
}

impl Setup<'_> {
    /// The file and who can read it; `None` when it cannot be used.
    fn config(&self, report: &mut Report) -> Result<Option<Config>, Stop> {
        let named = self.global.config.as_deref();
        let found = Config::locate(named, self.env).and_then(|located| {
            Config::examine(named, self.env).map(|(config, permissions)| (located, config, permissions))
        });
        let (located, config, permissions) = match found {
            Ok(found) => found,
            Err(error) => {
                report.fail_config("config", &error)?;
                report.skip_after(&["permissions"], "config")?;
                return Ok(None);
            }
        };
        let file = match (&located, &permissions) {
            (Some(located), Some(_)) => safe!("{} ({})", clean(&located.path.to_string_lossy()), located.source),
            (Some(located), None) => safe!("no config file (optional); default: {}", clean(&located.path.to_string_lossy())),
            (None, _) => "no config file (optional), and no home directory for one".into(),
        };
        let is_usable = match config.workspace(&self.selection, self.env) {
            // The demo has a workspace of its own.
            found if self.demo.is_some() || (found.is_ok() && config.profile_names().is_empty()) => {
                report.ok("config", &file)?;
                true
            }
            Ok(workspace) => {
                let profile = workspace.shown_name();
                report.ok("config", &safe!("{}, profile {} ({})", file, profile, workspace.source))?;
                true
            }
            Err(error) => {
                report.fail_config("config", &error)?;
                false
            }
        };
        let Some(permissions) = permissions else {
            report.skip("permissions", &"no config file".into())?;
            return Ok(is_usable.then_some(config));
        };
        if let Some(refusal) = &permissions.refusal {
            report.fail_config("permissions", refusal)?;
            return Ok(None);
        }
        let owner = match permissions.owner {
            me if me == rustix::process::geteuid().as_raw() => "owned by you".into(),
            0 => "owned by root".into(),
            other => safe!("owned by user {}", other),
        };
        let content = if permissions.holds_key { "contains a key" } else { "contains no key" };
        let mode = clean(&format!("{:04o}", permissions.mode));
        report.ok("permissions", &safe!("{}, {}; {}", mode, owner, content))?;
        Ok(is_usable.then_some(config))
    }

    async fn chain(&self, report: &mut Report, config: &Config) -> Result<(), Stop> {
        let base_url = match self.demo {
            Some(demo) => Ok((demo.api.base_url.clone(), "demo".into())),
            None => config.workspace(&self.selection, self.env).and_then(|workspace| workspace.base_url()),
        };
        let key = self.key(report, config).await?;
        let (base_url, source) = match base_url {
            Ok(found) => found,
            Err(error) => {
                report.fail_config("base URL", &error)?;
                return report.skip_after(&["proxy", "DNS", "TCP", "TLS", "clock", "API", "rate limit"], "base URL");
            }
        };
        report.ok("base URL", &safe!("{} ({})", base_url.clean(), source))?;
        let timeout = self.global.timeout.map_or(config.network.timeout, Duration::from_secs);
        let patience = config.network.connect_timeout.min(timeout);
        if let Some(broken) = self.reach(report, config, &base_url, patience).await? {
            return report.skip_after(&["TLS", "clock", "API", "rate limit"], broken);
        }
        let Some(key) = key else {
            return report.skip_after(&["TLS", "clock", "API", "rate limit"], "key");
        };
        let settings = match self.demo {
            Some(demo) => Ok(demo.api.clone()),
            None => config.api_settings(base_url, key),
        };
        match settings {
            Ok(settings) => {
                self.history(report, config, &settings)?;
                ask(report, Settings { timeout: timeout + SLACK, connect_timeout: patience, ..settings }).await
            }
            Err(error) => {
                report.fail_config("TLS", &error)?;
                report.skip_after(&["clock", "API", "rate limit"], "TLS")
            }
        }
    }

    /// Says where the history of an earlier version is, if it is not used.
    fn history(&self, report: &mut Report, config: &Config, settings: &Settings) -> Result<(), Stop> {
        let Ok(workspace) = config.workspace(&self.selection, self.env) else { return Ok(()) };
        let (api, policy) = (settings.clone(), config.network.policy());
        let key_source = if self.demo.is_some() { KeySource::Demo } else { KeySource::Config };
        let store = Store::of(&Connection { profile: workspace.shown_name(), key_source, api, policy });
        match store.as_ref().and_then(Store::unused_history) {
            Some(path) => {
                let path = clean(&path.to_string_lossy());
                report.line(
                    Mark::Note,
                    "history",
                    &safe!("not used: {} is from an earlier version and may belong to another workspace, or could not be renamed", path),
                )
            }
            None => Ok(()),
        }
    }

    /// Where the key is from, and the key itself; `None` when there is none to use.
    async fn key(&self, report: &mut Report, config: &Config) -> Result<Option<ApiKey>, Stop> {
        if let Some(demo) = self.demo {
            report.ok("key", &safe!("demo key, {}", shown_id(&demo.api.key)))?;
            return Ok(Some(demo.api.key.clone()));
        }
        let found = async {
            let workspace = config.workspace(&self.selection, self.env)?;
            let stored = match workspace.base_url() {
                Ok((base_url, _)) => workspace.key_for(&base_url)?,
                Err(_) => workspace.key()?,
            };
            let key = stored.read().await?;
            Ok((stored, key))
        };
        match found.await {
            Ok((stored, key)) => {
                let shown = safe!("{}, {}", shown_place(&stored), shown_id(&key));
                if key.is_too_short() {
                    let words = safe!("{}: not a valid key: the secret has fewer than 8 characters", shown);
                    let advice = "Copy the whole key, key_id:secret, from the DialNexa dashboard.".into();
                    report.fail("key", words, Some(advice), Exit::Usage)?;
                } else {
                    report.ok("key", &shown)?;
                }
                Ok(Some(key))
            }
            Err(error) => {
                report.fail_config("key", &error)?;
                Ok(None)
            }
        }
    }

    /// Proxy, name service and connection; the step that failed.
    async fn reach(
        &self,
        report: &mut Report,
        config: &Config,
        base_url: &BaseUrl,
        patience: Duration,
    ) -> Result<Option<&'static str>, Stop> {
        let setting = if self.demo.is_some() { &ProxySetting::None } else { &config.network.proxy };
        let proxy = match setting {
            ProxySetting::None => None,
            _ => match config.proxy_server(base_url) {
                Ok(proxy) => proxy,
                Err(error) => {
                    report.fail_config("proxy", &error)?;
                    report.skip_after(&["DNS", "TCP"], "proxy")?;
                    return Ok(Some("proxy"));
                }
            },
        };
        say_proxy(report, proxy.as_ref(), base_url, setting)?;
        let route = Route::new(base_url, proxy.as_ref());
        let addresses = match look_up(report, &route, patience).await? {
            Ok(addresses) => addresses,
            Err(error) => {
                report.fail_api("DNS", &of_proxy(error, proxy.as_ref(), &clean(&route.host)), base_url.host())?;
                report.skip_after(&["TCP"], "DNS")?;
                return Ok(Some("DNS"));
            }
        };
        let started = Instant::now();
        match probe::connect(&addresses, patience).await {
            Ok(address) => {
                let whose = if proxy.is_some() { "the proxy at " } else { "" };
                let took = milliseconds(started.elapsed());
                report.ok("TCP", &safe!("connected to {}{} in {}", whose, clean(&address.to_string()), took))?;
                Ok(None)
            }
            Err(error) => {
                let shown = shown_addresses(&addresses);
                let error = if proxy.is_some() { error } else { error.with(shown.clone()) };
                report.fail_api("TCP", &of_proxy(error, proxy.as_ref(), &shown), base_url.host())?;
                Ok(Some("TCP"))
            }
        }
    }
}

/// A fault of the connection to a proxy, if it goes to one.
fn of_proxy(error: ApiError, proxy: Option<&ProxyServer>, at: &Safe) -> ApiError {
    match (proxy, error.kind) {
        (Some(proxy), ErrorKind::Network(network)) => {
            ApiError::new(ErrorKind::Proxy(ProxyFault::Connect(network))).with(safe!("{}, at {}", proxy.named(), at))
        }
        _ => error,
    }
}

fn shown_id(key: &ApiKey) -> Safe {
    match key.public_id() {
        Some(id) => safe!("id {}", id.fit(ID_COLUMNS, "…")),
        None => "no public id".into(),
    }
}

fn shown_place(stored: &StoredKey) -> Safe {
    let shown = stored.shown().unwrap_or_default();
    match stored.storage {
        KeyStorage::Inline(_) => stored.place.clone(),
        KeyStorage::File(_) => safe!("{} (file {})", stored.place, shown),
        KeyStorage::Command(_) => safe!("{} (command {})", stored.place, shown),
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
    report: &mut Report,
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

/// The addresses of whom the connection is made to.
async fn look_up(report: &mut Report, route: &Route, patience: Duration) -> Result<Result<Vec<SocketAddr>, ApiError>, Stop> {
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

/// Everything that one request tells.
async fn ask(report: &mut Report, settings: Settings) -> Result<(), Stop> {
    let host = settings.base_url.host();
    let client = match Client::inspector(&settings) {
        Ok(client) => client,
        Err(error) => {
            report.fail_api("TLS", &error, host)?;
            return report.skip_after(&["clock", "API", "rate limit"], "TLS");
        }
    };
    let seen = client.inspect().await;
    if let Err(error) = &seen.page
        && matches!(error.kind, ErrorKind::Proxy(_))
    {
        report.fail_api("tunnel", error, host)?;
        return report.skip_after(&["TLS", "clock", "API", "rate limit"], "tunnel");
    }
    if let Some(proxy) = &settings.proxy {
        let to = Route::new(&settings.base_url, None);
        let how = if proxy.is_socks() { "SOCKS" } else { "CONNECT" };
        report.ok("tunnel", &safe!("{} to {}:{}", how, clean(&to.host), u64::from(to.port)))?;
    }
    if !settings.base_url.is_https() {
        report.skip("TLS", &"not used: plain http on this machine".into())?;
    } else if let (Err(error), false) = (&seen.page, seen.is_connected) {
        report.fail_api("TLS", error, host)?;
        return report.skip_after(&["clock", "API", "rate limit"], "TLS");
    } else {
        say_certificate(report, &seen)?;
    }
    say_clock(report, &seen)?;
    say_answer(report, &seen, host)?;
    say_rate(report, &seen)
}

fn say_certificate(report: &mut Report, seen: &Inspection) -> Result<(), Stop> {
    let Some(certificate) = &seen.certificate else {
        return report.ok("TLS", &"certificate accepted".into());
    };
    let days = certificate.days_left(Moment::now().wall);
    let mark = if days < FEW_DAYS { Mark::Note } else { Mark::Ok };
    let unit = if days == 1 { "day" } else { "days" };
    report.line(mark, "TLS", &safe!("certificate issued by {}, expires in {} {}", certificate.issuer, days, unit))
}

fn say_clock(report: &mut Report, seen: &Inspection) -> Result<(), Stop> {
    let Some(ahead) = seen.clock_ahead else {
        let why = if seen.is_answered { "not reported by the server" } else { "no response" };
        return report.skip("clock", &why.into());
    };
    let skew = ahead.unsigned_abs();
    // The server tells whole seconds, and the answer takes a while.
    if skew <= 1 {
        return report.ok("clock", &"in sync with the server".into());
    }
    let side = if ahead > 0 { "behind" } else { "ahead of" };
    let mark = if skew > MUCH_SKEW { Mark::Note } else { Mark::Ok };
    report.line(mark, "clock", &safe!("{} s {} the server", grouped(skew), side))
}

fn say_answer(report: &mut Report, seen: &Inspection, host: Safe) -> Result<(), Stop> {
    let took = milliseconds(seen.elapsed);
    match &seen.page {
        Ok(page) => {
            let webhooks = match page.total {
                Some(1) => "1 webhook".into(),
                Some(total) => safe!("{} webhooks", grouped(total)),
                None => safe!("{} on the page, total unknown", page.rows.len()),
            };
            report.ok("API", &safe!("200 in {}: {}", took, webhooks))
        }
        Err(error) => report.fail_api("API", error, host),
    }
}

fn say_rate(report: &mut Report, seen: &Inspection) -> Result<(), Stop> {
    let Some(RateLimit { limit, remaining, resets_in }) = seen.rate else {
        let why = if seen.is_answered { "not reported by the server" } else { "no response" };
        return report.skip("rate limit", &why.into());
    };
    let mark = if remaining < limit.div_ceil(5) { Mark::Note } else { Mark::Ok };
    let resets = resets_in.map_or_else(Safe::default, |wait| safe!(", resets in {}", duration(wait)));
    report.line(mark, "rate limit", &safe!("{} of {} requests left{}", grouped(remaining), grouped(limit), resets))
}
