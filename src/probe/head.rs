//! One `HEAD` over a connection that stands. No other method is ever sent to a destination, and no credential besides those in
//! the URL's own path and query: there is no key, no cookie and no userinfo.

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

/// What is read of an answer's head, in bytes and in lines. An answer to `HEAD` has nothing else.
const MAX_HEAD_BYTES: usize = 64 << 10;
const MAX_HEADERS: usize = 256;

/// What a connection has to be able to do.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// What `HEAD` is answered with: the status, and for a redirect the origin that it leads to. It is not followed.
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
    // It ends when this function does, and when that is dropped.
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
        // It was closed before an answer came.
        None => Trouble::Reset.into(),
    }
}
