//! A gateway between the explorer and demo servers: it can go down, and it can switch servers.

use std::convert::Infallible;
use std::net::Ipv4Addr;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::Result;

/// The body of a 503, as a load balancer would send it.
const DOWN: &str = r#"{"statusCode":503,"message":"no healthy upstream","error":"Service Unavailable"}"#;

/// A running gateway. Dropping it ends the listener and its connections.
pub(super) struct Gateway {
    base_url: String,
    /// The base URL of the demo server; `None` while the API is down.
    upstream: watch::Sender<Option<String>>,
    _listening: JoinSet<()>,
}

impl Gateway {
    pub(super) async fn start(upstream: String) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let base_url = format!("http://{}", listener.local_addr()?);
        let (sender, receiver) = watch::channel(Some(upstream));
        let proxy = Proxy { http: client()?, upstream: receiver };
        let mut listening = JoinSet::new();
        listening.spawn(accept(listener, proxy));
        Ok(Self { base_url, upstream: sender, _listening: listening })
    }

    pub(super) fn base_url(&self) -> &str {
        &self.base_url
    }

    pub(super) fn goes_down(&self) {
        self.upstream.send_replace(None);
    }

    pub(super) fn forwards_to(&self, upstream: String) {
        self.upstream.send_replace(Some(upstream));
    }
}

/// A client for loopback only: no proxy, no certificates.
pub(super) fn client() -> Result<reqwest::Client> {
    drop(rustls::crypto::ring::default_provider().install_default());
    Ok(reqwest::Client::builder().no_proxy().tls_certs_only([]).build()?)
}

#[derive(Clone)]
struct Proxy {
    http: reqwest::Client,
    upstream: watch::Receiver<Option<String>>,
}

/// Accepts connections until it is aborted, which ends them too.
async fn accept(listener: TcpListener, proxy: Proxy) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let proxy = proxy.clone();
        connections.spawn(async move {
            let service = service_fn(|request| proxy.answer(request));
            // An error here is a client that disconnected.
            drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
        });
    }
}

impl Proxy {
    async fn answer(&self, request: Request<Incoming>) -> std::result::Result<Response<Full<Bytes>>, Infallible> {
        let upstream = self.upstream.borrow().clone();
        let answer = match upstream {
            Some(upstream) => self.forward(&upstream, &request).await.ok(),
            None => None,
        };
        let (status, body) = answer.unwrap_or((StatusCode::SERVICE_UNAVAILABLE, Bytes::from_static(DOWN.as_bytes())));
        let mut response = Response::new(Full::new(body));
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(response)
    }

    /// Reads the same path from the upstream. Response headers are dropped: they depend on the clock.
    async fn forward(&self, upstream: &str, request: &Request<Incoming>) -> reqwest::Result<(StatusCode, Bytes)> {
        let mut get = self.http.get(format!("{upstream}{}", request.uri()));
        if let Some(key) = request.headers().get(AUTHORIZATION) {
            get = get.header(AUTHORIZATION, key);
        }
        let answer = get.send().await?;
        Ok((answer.status(), answer.bytes().await?))
    }
}
