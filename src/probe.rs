//! Checks whether a destination is reachable: name lookup, connection, TLS, and an optional `HEAD`. The steps are taken one
//! at a time, so that the failed one is known.
//!
//! [`start`] probes many destinations at once and passes on the results as they arrive; [`resolve`] and [`connect`] are
//! single steps for `doctor`.

mod engine;
mod fault;
mod head;
mod race;
mod settings;
mod steps;
mod trust;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::timeout;

pub use self::engine::{Answer, MAX_AT_ONCE, Probing, Wanted, open, start};
pub use self::settings::Settings;
pub use self::trust::Trust;
use crate::api::{ApiError, ErrorKind, Network, without_number};
use crate::base::text::clean_head;

/// The most addresses of a name to try.
const MAX_ADDRESSES: usize = 8;

/// The addresses of a name, in the system's order and without duplicates; at least one.
pub async fn resolve(host: &str, port: u16, patience: Duration) -> Result<Vec<SocketAddr>, ApiError> {
    let found = timeout(patience, lookup_host((host, port))).await.map_err(|_elapsed| fault(Network::Timeout))?;
    let found = found.map_err(|error| {
        let words = error.to_string();
        // The standard library's prefix of the system's message.
        let why = words.strip_prefix("failed to lookup address information: ").unwrap_or(&words);
        fault(Network::Dns).with(clean_head(&without_number(why), 200))
    })?;
    let mut addresses = Vec::new();
    for address in found {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.is_empty() { Err(fault(Network::Dns)) } else { Ok(addresses) }
}

/// Returns the first address that accepts a connection, which is closed again. All are tried at once, so that an address
/// that does not answer delays no other.
pub async fn connect(addresses: &[SocketAddr], patience: Duration) -> Result<SocketAddr, ApiError> {
    let mut attempts = JoinSet::new();
    for &address in addresses.iter().take(MAX_ADDRESSES) {
        attempts.spawn(async move { TcpStream::connect(address).await.map(|_| address) });
    }
    let first = async {
        let mut last = fault(Network::Other);
        while let Some(attempt) = attempts.join_next().await {
            match attempt {
                Ok(Ok(address)) => return Ok(address),
                Ok(Err(error)) => last = with(network(&error), &error),
                Err(_panicked) => {}
            }
        }
        Err(last)
    };
    timeout(patience, first).await.unwrap_or_else(|_elapsed| Err(fault(Network::Timeout)))
}

fn network(error: &io::Error) -> Network {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Network::Refused,
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => Network::Unreachable,
        io::ErrorKind::TimedOut => Network::Timeout,
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => Network::CutOff,
        _ => Network::Other,
    }
}

fn fault(network: Network) -> ApiError {
    ApiError::new(ErrorKind::Network(network))
}

fn with(network: Network, error: &io::Error) -> ApiError {
    match network {
        Network::Other => fault(network).with(clean_head(&without_number(&error.to_string()), 200)),
        told => fault(told),
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::net::TcpListener;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn an_address_is_its_own_and_only_one() {
        let here = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
        assert_eq!(resolve("127.0.0.1", 9, PATIENCE).await, Ok(vec![here]));
    }

    #[tokio::test]
    async fn one_address_that_listens_is_enough() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let open = listener.local_addr().unwrap();
        let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
        assert_eq!(connect(&[closed, open], PATIENCE).await, Ok(open));
        let refused = connect(&[closed], PATIENCE).await.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Network(Network::Refused));
        assert_eq!(connect(&[], PATIENCE).await.unwrap_err().kind, ErrorKind::Network(Network::Other));
    }
}
