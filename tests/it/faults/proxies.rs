//! Proxies that refuse, break off or are not there: the message names the proxy and the step, and no password is sent twice.

use std::net::Ipv4Addr;
use std::sync::Arc;

use hookscope::api::{ApiError, Client, ClientSettings, ErrorKind, Network, ProxyFault, ProxyServer};
use hookscope::fetch::{Source, Wanted, read_listing};
use hookscope::model::Scope;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::server::{self, Reply, Server, nobody};

/// Reads a listing through a proxy, with retries.
#[expect(clippy::unwrap_used, reason = "a helper of tests")]
async fn error_through(proxy: &str) -> ApiError {
    let settings = ClientSettings {
        proxy: Some(ProxyServer::parse(proxy, "HTTPS_PROXY").unwrap()),
        ..server::settings("https://api.example.invalid")
    };
    let source = Source::from(Arc::new(Client::new(&settings).unwrap()));
    let wanted = Wanted::all(Scope::All);
    read_listing(&source, server::policy(), wanted, |_| {}).await.unwrap_err()
}

/// No library, type or password is in a message, and the proxy is.
fn assert_named(error: &ApiError, proxy: &str) {
    let words = format!("{error} {} {:?}", error.advice(), error.causes);
    assert!(words.contains(&format!("{proxy} (HTTPS_PROXY)")), "{words}");
    for foreign in ["hunter2", "tunnel error", "hyper", "rustls", "InvalidContentType", "docs.rs", "os error 1)"] {
        assert!(!words.contains(foreign), "{foreign}: {words}");
    }
}

#[tokio::test]
async fn a_refusal_is_final_and_costs_one_try() {
    let refusals = [
        ("407 Proxy Authentication Required", ProxyFault::Login),
        ("403 Forbidden", ProxyFault::Tunnel { has_login: true }),
        ("502 Bad Gateway", ProxyFault::Tunnel { has_login: true }),
    ];
    for (status, fault) in refusals {
        let proxy = Server::always(Reply::status(status, "no")).await;
        let error = error_through(&format!("http://bob:hunter2@{}", proxy.address)).await;
        assert_eq!(error.kind, ErrorKind::Proxy(fault), "{status}");
        assert_named(&error, &format!("http://***@{}", proxy.address));
        assert_eq!(proxy.log().connections, 1, "{status}");
    }
}

#[tokio::test]
async fn what_is_not_a_proxy_opens_no_tunnel() {
    for bytes in [&b""[..], b"SSH-2.0-OpenSSH_9.6\r\n", b"\x15\x03\x01\x00\x02\x02\x46"] {
        let proxy = Server::always(Reply::raw(bytes)).await;
        let error = error_through(&format!("http://{}", proxy.address)).await;
        assert_eq!(error.kind, ErrorKind::Proxy(ProxyFault::Tunnel { has_login: false }), "{bytes:?}");
        assert_named(&error, &format!("http://{}", proxy.address));
    }
}

#[tokio::test]
async fn a_proxy_without_a_connection_is_the_fault_of_no_api() {
    let closed = nobody().await.replace("/v1", "");
    let error = error_through(&closed).await;
    assert_eq!(error.kind, ErrorKind::Proxy(ProxyFault::Connect(Network::Refused)));
    assert_named(&error, &closed);

    let error = error_through("http://bob:hunter2@proxy.example.invalid:3128").await;
    assert_eq!(error.kind, ErrorKind::Proxy(ProxyFault::Connect(Network::Dns)));
    assert_named(&error, "http://***@proxy.example.invalid:3128");

    let plain = Server::always(Reply::raw("HTTP/1.1 400 Bad Request\r\n\r\n")).await;
    let through_tls = format!("https://{}", plain.address);
    let error = error_through(&through_tls).await;
    assert_eq!(error.kind, ErrorKind::Proxy(ProxyFault::Connect(Network::Tls)));
    assert!(error.advice().as_str().contains("http://"), "{}", error.advice());
    assert_named(&error, &through_tls);
}

/// Starts a SOCKS5 proxy without login that answers one request with this code. Returns its URL, and the host and port that
/// it was asked for.
#[expect(clippy::unwrap_used, reason = "a helper of tests")]
async fn socks(code: u8) -> (String, tokio::task::JoinHandle<(Vec<u8>, u16)>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut greeting = [0; 2];
        stream.read_exact(&mut greeting).await.unwrap();
        stream.read_exact(&mut vec![0; greeting[1].into()]).await.unwrap();
        stream.write_all(&[5, 0]).await.unwrap();
        let mut request = [0; 5];
        stream.read_exact(&mut request).await.unwrap();
        assert_eq!(request[..4], [5, 1, 0, 3], "a connection to a name");
        let mut host = vec![0; request[4].into()];
        stream.read_exact(&mut host).await.unwrap();
        let port = stream.read_u16().await.unwrap();
        stream.write_all(&[5, code, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
        (host, port)
    });
    (format!("socks5h://{address}"), serving)
}

#[tokio::test]
async fn a_socks_proxy_gets_the_name_to_resolve() {
    let (proxy, serving) = socks(0).await;
    // The tunnel leads to no TLS server, so the read fails.
    let error = error_through(&proxy).await;
    assert_eq!(serving.await.unwrap(), (b"api.example.invalid".to_vec(), 443));
    assert_named(&error, &proxy);
}

#[tokio::test]
async fn a_socks_proxy_that_refuses_is_named() {
    let (proxy, serving) = socks(2).await;
    let error = error_through(&proxy).await;
    assert_eq!(error.kind, ErrorKind::Proxy(ProxyFault::Tunnel { has_login: false }));
    assert_named(&error, &proxy);
    serving.await.unwrap();
}
