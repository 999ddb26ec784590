//! `hookscope demo serve`: the demo API alone, for trying out scripts against it.

use crate::demo::{self, server::Server};
use crate::error::{Error, Exit, reason};
use crate::output::{Output, Reader};
use crate::safe;
use crate::text::clean;

/// Serves until a signal ends the process; prints what to export first.
pub(super) async fn run(options: demo::Options) -> Result<Exit, Error> {
    let mut server = Server::start(options).await.map_err(|error| Error::Demo(reason(&error)))?;
    let url = clean(&server.base_url());
    let written = Output::stdout().send(|out| {
        out.line(&safe!("export DIALNEXA_BASE_URL={}", url))?;
        out.line(&safe!("export DIALNEXA_API_KEY={}", demo::KEY))
    })?;
    if written == Reader::Listening {
        server.stopped().await;
    }
    Ok(Exit::Done)
}
