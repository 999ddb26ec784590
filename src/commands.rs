//! The commands that need no terminal: one file each, over the same fetching and the same model as the explorer.

pub mod configure;
pub mod demo_serve;
pub mod doctor;
pub mod list;

use std::sync::Arc;

use crate::api::{ApiError, Client};
use crate::config::Connection;
use crate::error::Error;

/// A client for a connection.
pub(crate) fn connect(connection: &Connection) -> Result<Arc<Client>, Error> {
    Client::new(&connection.api).map(Arc::new).map_err(|error| api_error(connection, error))
}

/// An error of the API with the host that it concerns.
pub(crate) fn api_error(connection: &Connection, error: ApiError) -> Error {
    Error::Api { host: connection.api.base_url.host(), error }
}
