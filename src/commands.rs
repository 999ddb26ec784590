//! The commands that need no terminal: one file each, over the same fetching and the same model as the explorer.

pub mod configure;
pub mod demo_serve;
pub mod doctor;
pub mod list;

use std::sync::Arc;

use crate::api::{ApiError, Client};
use crate::base_url::BaseUrl;
use crate::config::{Config, Connection};
use crate::demo::{self, server::Server};
use crate::error::Error;
use crate::redact::ApiKey;
use crate::text::clean;

/// A client for a connection.
pub(crate) fn connect(connection: &Connection) -> Result<Arc<Client>, Error> {
    Client::new(&connection.api).map(Arc::new).map_err(|error| api_error(connection, error))
}

/// An error of the API with the host that it concerns.
pub(crate) fn api_error(connection: &Connection, error: ApiError) -> Error {
    Error::Api { host: connection.api.base_url.host(), error }
}

/// The demo server, which runs as long as the value lives, and the way to it.
pub async fn start_demo() -> Result<(Server, Connection), Error> {
    let failed = |words: String| Error::Demo(clean(&words));
    let server = Server::start(demo::Options::default()).await.map_err(|error| failed(error.to_string()))?;
    let base_url = BaseUrl::parse(&server.base_url()).map_err(|error| failed(error.to_string()))?;
    let key = ApiKey::new(demo::KEY).map_err(|error| failed(error.to_string()))?;
    Ok((server, Config::demo_connection(base_url, key)))
}
