//! Opens the workspaces that the options name: those of the API, the demo, the cache, or a file.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::context::Context;
use super::workspace::{ApiOrigin, RowOrigin, Workspace, note_unused_history};
use crate::api::Client;
use crate::base::base_url::BaseUrl;
use crate::base::clock;
use crate::base::redact::ApiKey;
use crate::base::text::{Safe, clean};
use crate::cache::{CachedListing, MAX_CONFIRMED, Store, Unusable};
use crate::cli::Global;
use crate::config::{Config, Connection, Environment, WorkspaceOptions};
use crate::demo::{self, DemoOptions, DemoServer};
use crate::error::{Error, reason};
use crate::fetch::{RemovalAnswers, Source};
use crate::model::Interner;
use crate::output::Verbosity;
use crate::safe;
use crate::snapshot::{self, FileListing};

/// Connects to the workspace that the options name, starting the demo server if requested.
pub async fn connect(
    global: &Global,
    config: &Config,
    env: &Environment,
) -> Result<(Connection, Option<DemoServer>), Error> {
    let (mut connection, server) = if global.demo {
        let (server, connection) = start_demo().await?;
        (connection, Some(server))
    } else {
        let selection = WorkspaceOptions { profile: global.profile.clone(), base_url: global.base_url.clone() };
        (config.connection(&selection, env).await?, None)
    };
    override_timeout(&mut connection, global);
    Ok((connection, server))
}

fn override_timeout(connection: &mut Connection, global: &Global) {
    if let Some(seconds) = global.timeout {
        connection.api.timeout = Duration::from_secs(seconds);
    }
}

/// Starts the demo server.
pub(super) async fn start_demo() -> Result<(DemoServer, Connection), Error> {
    let failed = |words: String| Error::Demo(clean(&words));
    let server = DemoServer::start(DemoOptions::default()).await.map_err(|error| Error::Demo(reason(&error)))?;
    let base_url = BaseUrl::parse(&server.base_url()).map_err(|error| failed(error.to_string()))?;
    let key = ApiKey::new(demo::KEY).map_err(|error| failed(error.to_string()))?;
    Ok((server, Config::demo_connection(base_url, key)))
}

impl Context<'_> {
    /// Opens the one workspace that the options name.
    pub(super) async fn workspace(&self) -> Result<Workspace, Error> {
        if let Some(path) = &self.global.from {
            self.say.note_stdin_terminal(path, "webhooks");
            let origin = RowOrigin::Saved(snapshot::read(path, &Interner::default())?);
            return Ok(Workspace { profile: None, place: snapshot::name(path), store: None, say: self.say, origin });
        }
        let (connection, server) = connect(self.global, self.config, self.env).await?;
        self.open(&connection, server, &Interner::default())
    }

    /// Opens the workspaces that the options name: one, or with `--all-profiles` those of all profiles, in their order. A failure
    /// does not prevent the others from being read; see [`Context::skip_failed`].
    pub(super) async fn workspaces(&self) -> Result<Vec<Result<Workspace, Error>>, Error> {
        if !self.global.all_profiles {
            return Ok(vec![self.workspace().await]);
        }
        if self.env.api_key.is_some() {
            return Err(Error::Usage {
                message: "--all-profiles: DIALNEXA_API_KEY is set, but it is the key of one workspace".into(),
                advice: Some("Unset it: each profile has its own key.".into()),
            });
        }
        if self.config.profiles().next().is_none() {
            return Err(Error::Usage {
                message: "--all-profiles: the config has no profiles".into(),
                advice: Some("Add a section [profiles.NAME] for each workspace, or remove the option.".into()),
            });
        }
        // Their rows may be sorted together.
        let interner = Interner::default();
        let mut workspaces = Vec::new();
        for name in self.config.profiles() {
            workspaces.push(self.open_profile(name, &interner).await);
        }
        Ok(workspaces)
    }

    async fn open_profile(&self, name: &str, interner: &Interner) -> Result<Workspace, Error> {
        let selection = WorkspaceOptions { profile: Some(name.to_owned()), base_url: self.global.base_url.clone() };
        let mut connection = self.config.connection(&selection, self.env).await?;
        override_timeout(&mut connection, self.global);
        Ok(Workspace { profile: Some(name.into()), ..self.open(&connection, None, interner)? })
    }

    fn open(&self, connection: &Connection, demo: Option<DemoServer>, interner: &Interner) -> Result<Workspace, Error> {
        let (place, say) = (place(connection), self.say);
        if self.global.cached {
            let now = clock::Moment::now().wall;
            let store = store(connection)?;
            let CachedListing { rows, read_at } = found_in_cache(store.read(interner, now), &place, say)?;
            note_cache_age(read_at, now, &place, say);
            let origin = RowOrigin::Saved(FileListing::whole(rows));
            return Ok(Workspace { profile: None, place, store: Some(store), say, origin });
        }
        let key = connection.api.key.public_id().unwrap_or_else(|| "without a public id".into());
        say.detail(&safe!("{}, key {} from {}", place, key, connection.key_source.name()));
        let client = Client::new(&connection.api).map_err(|error| Error::Api { place: place.clone(), error })?;
        let source = Source::from(Arc::new(client)).interning(interner.clone());
        let (policy, removals) = (connection.policy, RemovalAnswers::new(MAX_CONFIRMED));
        let origin = RowOrigin::Api(Box::new(ApiOrigin { source, policy, removals, reported: None, demo }));
        Ok(Workspace { profile: None, place, store: Store::of(connection), say, origin })
    }

    /// Opens the store of the workspace that the options name, and returns it with the workspace's name for messages.
    pub(super) async fn remembered(&self) -> Result<(Store, Safe), Error> {
        let global = self.global;
        if let Some(option) = [("--demo", global.demo), ("--from", global.from.is_some())].iter().find(|(_, given)| *given) {
            let advice = global.demo.then(|| "Try it with hookscope demo serve.".into());
            return Err(Error::Usage { message: safe!("{} has no cache or history", option.0), advice });
        }
        let (connection, _) = connect(global, self.config, self.env).await?;
        let (store, place) = (store(&connection)?, place(&connection));
        if let Some(path) = store.unused_history().filter(|_| store.history().is_empty()) {
            note_unused_history(path, &place, self.say);
        }
        Ok((store, place))
    }
}

fn store(connection: &Connection) -> Result<Store, Error> {
    Store::of(connection).ok_or_else(|| Error::NotKept {
        message: "no home directory for the cache".into(),
        advice: "Set HOME, or XDG_CACHE_HOME and XDG_STATE_HOME, to absolute paths.".into(),
    })
}

/// Names a workspace for messages: `production (api.dialnexa.com)`, or only the host if the profile is `default`.
fn place(connection: &Connection) -> Safe {
    let host = connection.api.base_url.host();
    if connection.profile.as_str() == "default" { host } else { safe!("{} ({})", connection.profile, host) }
}

/// Notes that the rows are from the cache, and their age.
pub(super) fn note_cache_age(read_at: Timestamp, now: Timestamp, place: &Safe, say: Verbosity) {
    let (age, utc) = (clock::recent_age_in_words(read_at, now), clock::utc(read_at));
    say.note(&safe!("{}: from the cache, read {} ({})", place, age, utc));
}

/// Returns the cached listing, or an error if there is none.
pub(super) fn found_in_cache<T>(read: Result<Option<T>, Unusable>, place: &Safe, say: Verbosity) -> Result<T, Error> {
    let found = read.unwrap_or_else(|why| {
        say.note(&safe!("{}: cache unusable: {}", place, clean(&why.to_string())));
        None
    });
    found.ok_or_else(|| Error::NotKept {
        message: safe!("{}: no cached listing yet", place),
        advice: "Any full read fills the cache, such as hookscope list.".into(),
    })
}
