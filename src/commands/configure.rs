//! `hookscope config init|path|show`.

use crate::cli::{ConfigCommand, Global};
use crate::config::Environment;
use crate::error::{Error, Exit};

pub async fn run(_command: &ConfigCommand, _global: &Global, _env: &Environment) -> Result<Exit, Error> {
    Ok(Exit::Done)
}
