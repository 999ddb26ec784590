//! Connects to one of several addresses as browsers do (RFC 8305, "happy eyeballs"): the address families alternate, each
//! attempt starts a little after the previous one, and the first connection wins.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::MAX_ADDRESSES;

/// The time before the next attempt starts (RFC 8305, section 5).
const HEAD_START: Duration = Duration::from_millis(250);

/// Returns the first connection, or else the most informative error and its address.
pub(super) async fn race(addresses: &[SocketAddr]) -> Result<TcpStream, (Option<SocketAddr>, io::Error)> {
    let mut waiting = by_turns(addresses).into_iter().take(MAX_ADDRESSES);
    let mut attempts = JoinSet::new();
    let mut failure = (None, io::ErrorKind::AddrNotAvailable.into());
    loop {
        let next = waiting.next();
        if let Some(address) = next {
            attempts.spawn(async move { TcpStream::connect(address).await.map_err(|error| (address, error)) });
        }
        let attempt = if next.is_some() {
            tokio::select! {
                attempt = attempts.join_next() => attempt,
                () = sleep(HEAD_START) => continue,
            }
        } else {
            attempts.join_next().await
        };
        match attempt {
            Some(Ok(Ok(stream))) => return Ok(stream),
            Some(Ok(Err((address, error)))) => {
                if failure.0.is_none() || tells(&error) > tells(&failure.1) {
                    failure = (Some(address), error);
                }
            }
            Some(Err(_cancelled)) => {}
            None => return Err(failure),
        }
    }
}

/// Rates how much an error reveals about the server. On a host without IPv6, every IPv6 attempt fails at once, which reveals
/// nothing.
fn tells(error: &io::Error) -> u8 {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => 3,
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => 2,
        io::ErrorKind::TimedOut => 1,
        _ => 0,
    }
}

/// Alternates between the families, keeping the system's order within each, and starting with the family of the first
/// address.
fn by_turns(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let of = |same: bool| addresses.iter().copied().filter(move |address| (address.is_ipv6() == first_is_v6) == same);
    let mut others = of(false);
    let mut turns = Vec::with_capacity(addresses.len());
    for address in of(true) {
        turns.push(address);
        turns.extend(others.next());
    }
    turns.extend(others);
    turns
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::net::TcpListener;

    use super::*;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn families_take_turns() {
        let turns = |texts: &[&str]| by_turns(&addresses(texts)).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(
            turns(&["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1", "2.2.2.2:1"]),
            ["[::1]:1", "1.1.1.1:1", "[::2]:1", "2.2.2.2:1", "[::3]:1"]
        );
        assert_eq!(turns(&["1.1.1.1:1", "[::1]:1", "[::2]:1"]), ["1.1.1.1:1", "[::1]:1", "[::2]:1"]);
        assert!(turns(&[]).is_empty());
    }

    #[tokio::test]
    async fn one_that_listens_is_found_behind_those_that_do_not() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let open = listener.local_addr().unwrap();
        let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
        assert_eq!(race(&[closed, closed, open]).await.unwrap().peer_addr().unwrap(), open);
        let (address, error) = race(&[closed]).await.unwrap_err();
        assert_eq!((address, error.kind()), (Some(closed), io::ErrorKind::ConnectionRefused));
        assert_eq!(race(&[]).await.unwrap_err().1.kind(), io::ErrorKind::AddrNotAvailable);
    }

    #[test]
    fn a_refusal_says_more_than_a_family_that_is_missing() {
        let error = |kind: io::ErrorKind| io::Error::from(kind);
        assert!(tells(&error(io::ErrorKind::ConnectionRefused)) > tells(&error(io::ErrorKind::NetworkUnreachable)));
        assert!(tells(&error(io::ErrorKind::TimedOut)) > tells(&error(io::ErrorKind::HostUnreachable)));
    }
}
