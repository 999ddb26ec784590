//! `hookscope metrics`.

use super::{Context, Exit};
use crate::cli::MetricsArgs;
use crate::error::Error;

pub(super) async fn run(_: &MetricsArgs, _: &Context<'_>) -> Result<Exit, Error> {
    Ok(Exit::Done)
}
