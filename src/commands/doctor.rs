//! `hookscope doctor`: why does it not work.

use crate::cli::Global;
use crate::config::Environment;
use crate::error::{Error, Exit};

pub async fn run(_global: &Global, _env: &Environment) -> Result<Exit, Error> {
    Ok(Exit::Done)
}
