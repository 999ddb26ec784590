//! Probes in the real loop: real connections on loopback, beside the keys.

use std::net::Ipv4Addr;

use hookscope::fetch::Held;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::support::rows_of;
use crate::tls::Authority;

/// An explorer of webhooks with these URLs.
fn exploring(urls: &[String], prober: Prober) -> Running {
    let rows = urls
        .iter()
        .enumerate()
        .map(|(number, url)| format!(r#"{{"id":"whk_{number}","url":"{url}","events":["e"],"is_active":true}}"#));
    let held = Arc::new(Held::new(rows_of(&rows.collect::<Vec<_>>())));
    let connection = Config::demo_connection(BaseUrl::default(), ApiKey::new(demo::KEY).unwrap());
    let mut running = run_from(setup(120, 40), &connection, Workspaces::default(), move || Ok(Source::from(held)));
    running.explorer.prober = prober;
    running
}

fn prober(authority: &Authority) -> Prober {
    let pem = authority.pem.clone();
    Prober::new(move || Trust::new(Some(pem.as_bytes())).map_err(|error| error.short())).allowing_private()
}

/// Listens on every address of loopback; with a certificate it shakes hands, without it says nothing for ever.
async fn listen(config: Option<rustls::ServerConfig>) -> (u16, JoinSet<()>) {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = config.map(|config| TlsAcceptor::from(Arc::new(config)));
    let mut accepting = JoinSet::new();
    accepting.spawn(async move {
        let mut kept = Vec::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            match &acceptor {
                Some(acceptor) => drop(acceptor.accept(stream).await),
                None => kept.push(stream),
            }
        }
    });
    (port, accepting)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_is_probed_beside_the_loop() {
    let authority = Authority::new("Test CA");
    let (port, _server) = listen(Some(authority.sign("127.0.0.1", -1, 60))).await;
    let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap().port();
    let urls = [format!("https://127.0.0.1:{port}/a"), format!("https://127.0.0.1:{closed}/b")];
    let mut running = exploring(&urls, prober(&authority));
    running.until("the rows", |frame| frame.contains("all 2")).await;
    running.press("p");
    let frame = running.until("the answer", |frame| frame.contains(": reachable from this host")).await;
    assert!(frame.contains("tls ok, ") && frame.contains("d left"), "{frame}");
    running.press("P");
    running.until("both", |frame| frame.contains("1 of 2 reachable from this host, 1 unreachable")).await;
    running.press("/probe:refused");
    running.until("the one that is dead", |frame| frame.contains("1 of 2") && frame.contains(&format!("{closed}/b"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn private_addresses_are_not_tried() {
    let authority = Authority::new("Test CA");
    let (port, _server) = listen(None).await;
    let prober = Prober::new(|| Trust::new(None).map_err(|error| error.short()));
    let mut running = exploring(&[format!("https://127.0.0.1:{port}/")], prober);
    running.until("the rows", |frame| frame.contains("all 1")).await;
    running.press("p");
    running.until("the refusal", |frame| frame.contains("private address, not tried")).await;
    drop(authority);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_that_hangs_holds_up_neither_esc_nor_the_end() {
    let authority = Authority::new("Test CA");
    let (port, _server) = listen(None).await;
    let urls: Vec<_> = (1..=60).map(|number| format!("https://127.0.3.{number}:{port}/")).collect();
    let mut running = exploring(&urls, prober(&authority));
    running.until("the rows", |frame| frame.contains("all 60")).await;
    running.press("P");
    running.until("the probe", |frame| frame.contains("probing 0 of 60")).await;
    running.keys.send(Event::Key(KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE))).unwrap();
    running.until("the end of it", |frame| frame.contains("out of 60 destinations")).await;
    running.press("Pq");
    assert_eq!(running.explorer.run().await.unwrap(), Ended::Quit);
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_that_cannot_be_loaded_are_told() {
    let mut running = exploring(&["https://a.example/".to_owned()], Prober::new(|| Err("no certificates".into())));
    running.until("the rows", |frame| frame.contains("all 1")).await;
    running.press("p");
    running.until("why", |frame| frame.contains("cannot probe: no certificates")).await;
}
