//! `hookscope demo serve`: the demo API alone, for trying out scripts against it.

use crate::base::text::{clean, grouped};
use crate::demo::{self, DemoOptions, DemoServer};
use crate::error::{Error, Exit, reason};
use crate::output::{Output, OutputState, Verbosity};
use crate::safe;

/// Serves until a signal ends the process; prints what to export first.
pub(super) async fn run(options: DemoOptions, say: Verbosity) -> Result<Exit, Error> {
    let webhooks = options.webhooks;
    let mut server = DemoServer::start(options).await.map_err(|error| Error::Demo(reason(&error)))?;
    let url = clean(&server.base_url());
    let mut out = Output::stdout();
    let written = out.send(|out| {
        out.line(&safe!("export DIALNEXA_BASE_URL={}", url))?;
        out.line(&safe!("export DIALNEXA_API_KEY={}", demo::KEY))
    })?;
    if written == OutputState::Open {
        if out.is_terminal() {
            let (count, rows) = (grouped(webhooks), if webhooks == 1 { "webhook" } else { "webhooks" });
            say.note_at_terminal(&safe!("serving {} {}; paste these lines into another shell; ctrl-c stops", count, rows));
        }
        server.stopped().await;
    }
    Ok(Exit::Done)
}
