//! The steps of one probe.

use std::net::SocketAddr;

use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use url::{Host, Url};

use super::fault::{Fault, io_fault};
use super::head::{Stream, head};
use super::race::race;
use super::resolve;
use super::settings::Settings;
use crate::analysis::destinations::Origin;
use crate::analysis::reach::{Lasts, Reach, Step, Trouble};
use crate::api::{ApiError, ErrorKind, Network};
use crate::model::address::is_private;

/// A probe in progress, and its results so far.
pub(super) struct Walk<'a> {
    settings: &'a Settings,
    origin: &'a Origin,
    /// True if a request follows on the connection.
    http: bool,
    pub(super) reach: Reach,
}

impl<'a> Walk<'a> {
    /// `known` is the part of the result that all URLs of the origin share.
    pub(super) fn new(settings: &'a Settings, origin: &'a Origin, http: bool, known: Reach) -> Self {
        Self { settings, origin, http, reach: known }
    }

    /// Runs a step within its time limit. `None` if it failed; the reason is recorded, and no further step makes sense.
    async fn step<T>(&mut self, step: Step, work: impl Future<Output = Result<T, Fault>>) -> Option<T> {
        let started = Instant::now();
        let done = timeout(self.settings.step_timeout, work).await;
        self.reach.times.set(step, started.elapsed());
        match done.unwrap_or_else(|_elapsed| Err(late(step))) {
            Ok(value) => Some(value),
            Err(Fault { trouble, detail }) => {
                self.reach.trouble = Some(trouble);
                self.reach.failed = Some(step);
                self.reach.detail = (!detail.is_empty()).then_some(detail);
                None
            }
        }
    }

    /// The addresses that may be connected to. The name is resolved only once, so the addresses that are checked are those
    /// connected to.
    pub(super) async fn addresses(&mut self) -> Option<Vec<SocketAddr>> {
        let port = self.origin.port();
        let found = match self.origin.host() {
            Host::Ipv4(ip) => vec![SocketAddr::from((*ip, port))],
            Host::Ipv6(ip) => vec![SocketAddr::from((*ip, port))],
            Host::Domain(name) => {
                let patience = self.settings.step_timeout;
                self.step(Step::Dns, async { resolve(name, port, patience).await.map_err(dns_fault) }).await?
            }
        };
        match allowed(&found, self.settings.allow_private) {
            Ok(addresses) => Some(addresses),
            Err(private) => {
                self.reach.trouble = Some(Trouble::Private);
                self.reach.address = private.map(|address| address.ip());
                None
            }
        }
    }

    /// Connects to one of the addresses, with TLS if the origin uses it.
    pub(super) async fn connect(&mut self, addresses: &[SocketAddr]) -> Option<(Box<dyn Stream>, SocketAddr)> {
        self.reach.address = addresses.first().map(SocketAddr::ip);
        let mut failed = None;
        let connected = self
            .step(Step::Tcp, async {
                let stream = race(addresses).await.map_err(|(address, error)| {
                    failed = address;
                    io_fault(&error)
                })?;
                let peer = stream.peer_addr().map_err(|error| io_fault(&error))?;
                Ok((stream, peer))
            })
            .await;
        if let Some(address) = failed.or(connected.as_ref().map(|(_, peer)| *peer)) {
            self.reach.address = Some(address.ip());
        }
        let (stream, peer) = connected?;
        let stream: Box<dyn Stream> = if self.origin.is_tls() { self.shake_hands(stream).await? } else { Box::new(stream) };
        Some((stream, peer))
    }

    async fn shake_hands(&mut self, stream: TcpStream) -> Option<Box<dyn Stream>> {
        let Settings { trust, now, .. } = self.settings;
        // A server may accept only HTTP/2. HTTP/1.1 is needed only for a `HEAD`.
        let protocols: &[&str] = if self.http { &["http/1.1"] } else { &["h2", "http/1.1"] };
        let mut certificate = None;
        let name = server_name(self.origin.host());
        let work = async {
            let name = name.ok_or(Trouble::InvalidUrl)?;
            trust.shake_hands(stream, name, protocols, &mut certificate).await.map_err(|error| io_fault(&error))
        };
        let shaken = self.step(Step::Tls, work).await;
        self.reach.certificate =
            certificate.map(|found| Lasts { not_after: found.not_after, days_left: found.days_left(*now) });
        Some(Box::new(shaken?))
    }

    /// Sends a `HEAD` to a URL of this origin.
    pub(super) async fn head(&mut self, stream: Box<dyn Stream>, url: &Url) {
        let (status, target) = self.step(Step::Http, head(stream, url)).await.unzip();
        self.reach.status = status;
        self.reach.redirect = target.flatten().map(|origin| origin.clean());
    }
}

/// The name that the certificate must be valid for. A final dot marks a name as complete for resolvers, but is not part of
/// names in certificates.
fn server_name(host: &Host<String>) -> Option<ServerName<'static>> {
    match host {
        Host::Ipv4(ip) => Some(ServerName::IpAddress((*ip).into())),
        Host::Ipv6(ip) => Some(ServerName::IpAddress((*ip).into())),
        Host::Domain(name) => ServerName::try_from(name.trim_end_matches('.').to_owned()).ok(),
    }
}

/// The addresses that may be connected to. Private addresses of a name are skipped if it also has public ones.
///
/// # Errors
///
/// None is allowed. Contains the first address.
fn allowed(found: &[SocketAddr], allow_private: bool) -> Result<Vec<SocketAddr>, Option<SocketAddr>> {
    let may = |address: &&SocketAddr| allow_private || !is_private(address.ip());
    let allowed: Vec<_> = found.iter().filter(may).copied().collect();
    if allowed.is_empty() { Err(found.first().copied()) } else { Ok(allowed) }
}

/// The failure of a step that timed out. A timeout during the name lookup does not involve the destination.
fn late(step: Step) -> Fault {
    match step {
        Step::Dns => Fault { trouble: Trouble::Dns, detail: "DNS timed out".into() },
        Step::Tcp | Step::Tls | Step::Http => Trouble::Timeout.into(),
    }
}

fn dns_fault(error: ApiError) -> Fault {
    match error.kind {
        ErrorKind::Network(Network::Timeout) => late(Step::Dns),
        _ => Fault { trouble: Trouble::Dns, detail: error.detail.unwrap_or_default() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn of_public_and_private_addresses_the_public_ones_are_tried() {
        let mixed =
            addresses(&["10.0.0.1:443", "8.8.8.8:443", "[fd00::1]:443", "[2606:4700::1]:443", "[::ffff:10.0.0.1]:443"]);
        assert_eq!(allowed(&mixed, false), Ok(addresses(&["8.8.8.8:443", "[2606:4700::1]:443"])));
        assert_eq!(allowed(&mixed, true), Ok(mixed));
        let private = addresses(&["10.0.0.1:443", "127.0.0.1:443"]);
        assert_eq!(allowed(&private, false), Err(private.first().copied()));
        assert_eq!(allowed(&private, true), Ok(private));
    }

    #[test]
    fn names_lose_their_final_dot_and_addresses_are_addresses() {
        let name = |host: &str| server_name(&Host::parse(host).unwrap()).map(|name| name.to_str().into_owned());
        assert_eq!(name("a.example.").as_deref(), Some("a.example"));
        assert_eq!(name("127.1").as_deref(), Some("127.0.0.1"));
        assert_eq!(name("[::1]").as_deref(), Some("::1"));
        assert_eq!(name(&format!("{}.example", "a".repeat(64))), None);
    }

    #[test]
    fn a_silent_name_service_is_no_silent_receiver() {
        let fault = dns_fault(ApiError::new(ErrorKind::Network(Network::Timeout)));
        assert_eq!(fault, late(Step::Dns));
        assert_eq!((fault.trouble, fault.detail.as_str()), (Trouble::Dns, "DNS timed out"));
        assert_eq!(late(Step::Tls), Trouble::Timeout.into());
    }
}
