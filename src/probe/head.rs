//! Sends one `HEAD` over an open connection. No other method is ever sent to a destination, and no credential except those
//! in the URL's own path and query: no key, no cookie and no userinfo.

use std::error::Error as _;
use std::io;

use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, CONNECTION, HOST, LOCATION, USER_AGENT};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;
use url::{Position, Url};

use super::fault::{Fault, io_fault};
use crate::analysis::destinations::Origin;
use crate::analysis::reach::Trouble;

/// The size limit of a response, in bytes and in headers. A response to `HEAD` has no body.
const MAX_HEAD_BYTES: usize = 64 << 10;
const MAX_HEADERS: usize = 256;

/// A connection, with or without TLS.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Sends `HEAD`. Returns the status, and for a redirect the origin of its target. Redirects are not followed.
pub(super) async fn head(stream: Box<dyn Stream>, url: &Url) -> Result<(u16, Option<Origin>), Fault> {
    let request = Request::builder()
        .method(Method::HEAD)
        .uri(&url[Position::BeforePath..Position::AfterQuery])
        .header(HOST, &url[Position::BeforeHost..Position::AfterPort])
        .header(USER_AGENT, concat!("hookscope/", env!("CARGO_PKG_VERSION")))
        .header(ACCEPT, "*/*")
        .header(CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|_library_words| Fault::from(Trouble::InvalidUrl))?;
    let mut builder = http1::Builder::new();
    builder.max_buf_size(MAX_HEAD_BYTES).max_headers(MAX_HEADERS);
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(|error| fault(&error))?;
    // A set aborts its tasks when it is dropped, even if this function is canceled.
    let mut driving = JoinSet::new();
    driving.spawn(connection);
    let response = sender.send_request(request).await.map_err(|error| fault(&error))?;
    let location = response.headers().get(LOCATION).filter(|_| response.status().is_redirection());
    let target = location.and_then(|location| url.join(str::from_utf8(location.as_bytes()).ok()?).ok());
    Ok((response.status().as_u16(), target.and_then(|target| Origin::of(&target))))
}

fn fault(error: &hyper::Error) -> Fault {
    if error.is_parse_too_large() {
        return Fault { trouble: Trouble::Http, detail: "the response headers are too large".into() };
    }
    if error.is_parse() {
        return Trouble::Http.into();
    }
    match error.source().and_then(|source| source.downcast_ref::<io::Error>()) {
        Some(source) => io_fault(source),
        // The connection was closed before a response.
        None => Trouble::Reset.into(),
    }
}
