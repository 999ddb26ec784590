//! The workspaces that a command reads: those of the API, the demo, or a file.

mod removal;

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use self::removal::Confirmations;
pub(super) use self::removal::Missing;
use super::note_terminal;
use super::progress::Progress;
use crate::api::{ApiError, Client, ErrorKind};
use crate::base::base_url::BaseUrl;
use crate::base::clock;
use crate::base::redact::ApiKey;
use crate::base::text::{Safe, clean};
use crate::cache::{CachedListing, Store, Unusable};
use crate::cli::Global;
use crate::config::{Config, Connection, Environment, WorkspaceOptions};
use crate::demo::{self, DemoOptions, DemoServer};
use crate::error::{Error, reason};
use crate::fetch::{self, Held, Limit, Reading, Source, Summary, Wanted};
use crate::model::{Interner, OwnedRow, RowPage, Rows, Scope, WebhookId};
use crate::output::Say;
use crate::safe;
use crate::snapshot::{self, FileListing};

/// One workspace, and how to read it.
pub(super) struct Workspace {
    /// The profile's name, when several workspaces are read.
    pub(super) profile: Option<Arc<str>>,
    /// The name for messages.
    place: Safe,
    say: Say,
    /// The cache and history; `None` for a file.
    memory: Option<Store>,
    origin: Origin,
}

enum Origin {
    Api(Box<Live>),
    File(FileListing),
}

/// All rows of a workspace, whatever their scope.
pub(super) const EVERYTHING: Wanted<'static> = Wanted::all(Scope::All);

/// A connection to the API that can be read repeatedly.
pub(super) struct Live {
    source: Source,
    policy: fetch::Policy,
    place: Safe,
    say: Say,
    /// The cache and history.
    memory: Option<Store>,
    confirmations: Confirmations,
    /// Keeps the demo server running.
    demo: Option<DemoServer>,
}

impl Live {
    fn progress(&self, drawn: bool) -> Progress {
        Progress::start(self.place.clone(), self.say, drawn)
    }

    /// Reads the wanted rows of the whole listing, consistently.
    pub(super) async fn read(&self, wanted: Wanted<'_>, drawn: bool) -> Result<Reading, ApiError> {
        let started = clock::Moment::now().wall;
        let mut reading = self.read_only(wanted, drawn).await?;
        let is_all = wanted.scope == Scope::All && wanted.limit == Limit::Everything && wanted.filter.is_none();
        if is_all && reading.summary.problems.is_empty() {
            if self.memory.is_some() {
                let (_, missing) = self.keep(reading.rows.clone(), started).await;
                reading.summary.problems.extend(missing.problem());
            } else if self.demo.is_none() {
                self.say.detail(&"this read is not cached: no home directory for the cache".into());
            }
        }
        Ok(reading)
    }

    async fn read_only(&self, wanted: Wanted<'_>, drawn: bool) -> Result<Reading, ApiError> {
        self.confirmations.start_over();
        let progress = self.progress(drawn);
        let reading = fetch::read_listing(&self.source, self.policy, wanted, |step| progress.note(step)).await?;
        self.confirmations.forget_listed(&reading.rows);
        Ok(reading)
    }

    /// Reads all webhooks without storing them.
    pub(super) async fn read_unstored(&self, drawn: bool) -> Result<(Rows, Summary, Timestamp), ApiError> {
        let started = clock::Moment::now().wall;
        let Reading { rows, summary } = self.read_only(EVERYTHING, drawn).await?;
        Ok((rows, summary, started))
    }
}

async fn get(
    source: &Source,
    policy: fetch::Policy,
    ids: &[WebhookId],
    progress: &Progress,
) -> Result<Vec<Result<Option<OwnedRow>, ApiError>>, ApiError> {
    let results = fetch::read_webhooks(source, policy, ids, |step| progress.note(step)).await?;
    let found = |result| match result {
        Ok(row) => Ok(Some(row)),
        Err(ApiError { kind: ErrorKind::NotFound, .. }) => Ok(None),
        Err(error) => Err(error),
    };
    Ok(results.into_iter().map(found).collect())
}

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

/// Opens the workspace that the options name.
pub(super) async fn open(global: &Global, config: &Config, env: &Environment, say: Say) -> Result<Workspace, Error> {
    if let Some(path) = &global.from {
        note_terminal(path, "webhooks", say);
        let listing = snapshot::read(path, &Interner::default())?;
        let place = snapshot::name(path);
        return Ok(Workspace { profile: None, place, say, memory: None, origin: Origin::File(listing) });
    }
    let (connection, server) = connect(global, config, env).await?;
    let interner = Interner::default();
    if global.cached { of_cache(&connection, &interner, say) } else { of_connection(&connection, server, &interner, say) }
}

/// Opens the store of the workspace that the options name, and returns it with the workspace's name for messages.
pub(super) async fn remembered(global: &Global, config: &Config, env: &Environment) -> Result<(Store, Safe), Error> {
    if let Some(option) = [("--demo", global.demo), ("--from", global.from.is_some())].iter().find(|(_, given)| *given) {
        let advice = global.demo.then(|| "Try it with hookscope demo serve.".into());
        return Err(Error::Usage { message: safe!("{} has no cache or history", option.0), advice });
    }
    let (connection, _) = connect(global, config, env).await?;
    let (store, place) = (store(&connection)?, place(&connection));
    if let Some(path) = store.unused_history().filter(|_| store.history().is_empty()) {
        note_unused_history(path, &place, global.say());
    }
    Ok((store, place))
}

/// Notes that the history of an earlier version is not used. Called only while the workspace has no history of its own.
fn note_unused_history(path: &Path, place: &Safe, say: Say) {
    let path = clean(&path.to_string_lossy());
    say.note(&safe!(
        "{}: the history of an earlier version is not used, as it may belong to another workspace or could not be renamed: {}",
        place,
        path
    ));
}

fn store(connection: &Connection) -> Result<Store, Error> {
    Store::of(connection).ok_or_else(|| Error::NotKept {
        message: "no home directory for the cache".into(),
        advice: "Set HOME, or XDG_CACHE_HOME and XDG_STATE_HOME, to absolute paths.".into(),
    })
}

/// Opens the cached listing instead of the API.
fn of_cache(connection: &Connection, interner: &Interner, say: Say) -> Result<Workspace, Error> {
    let place = place(connection);
    let now = clock::Moment::now().wall;
    let memory = store(connection)?;
    let cached = memory.read(interner, now);
    let CachedListing { rows, read_at } = found_in_cache(cached, &place, say)?;
    say_age(read_at, now, &place, say);
    let listing = FileListing::whole(rows);
    Ok(Workspace { profile: None, place, say, memory: Some(memory), origin: Origin::File(listing) })
}

/// Notes that the rows are from the cache, and their age.
pub(super) fn say_age(read_at: Timestamp, now: Timestamp, place: &Safe, say: Say) {
    let (age, utc) = (clock::recent_age_in_words(read_at, now), clock::utc(read_at));
    say.note(&safe!("{}: from the cache, read {} ({})", place, age, utc));
}

/// Returns the cached listing, or an error if there is none.
pub(super) fn found_in_cache<T>(read: Result<Option<T>, Unusable>, place: &Safe, say: Say) -> Result<T, Error> {
    let found = read.unwrap_or_else(|why| {
        say.note(&safe!("{}: cache unusable: {}", place, clean(&why.to_string())));
        None
    });
    found.ok_or_else(|| Error::NotKept {
        message: safe!("{}: no cached listing yet", place),
        advice: "Any full read fills the cache, such as hookscope list.".into(),
    })
}

/// Opens the workspaces of all profiles, one after the other. A failure does not prevent the others from being read.
pub(super) async fn open_all(
    global: &Global,
    config: &Config,
    env: &Environment,
    say: Say,
) -> Result<Vec<Result<Workspace, Error>>, Error> {
    if env.api_key.is_some() {
        return Err(Error::Usage {
            message: "--all-profiles: DIALNEXA_API_KEY is set, but it is the key of one workspace".into(),
            advice: Some("Unset it: each profile has its own key.".into()),
        });
    }
    let names: Vec<_> = config.profiles().collect();
    if names.is_empty() {
        return Err(Error::Usage {
            message: "--all-profiles: the config has no profiles".into(),
            advice: Some("Add a section [profiles.NAME] for each workspace, or remove the option.".into()),
        });
    }
    // Their rows may be sorted together.
    let interner = Interner::default();
    let mut workspaces = Vec::new();
    for name in names {
        workspaces.push(open_profile(name, global, config, env, &interner, say).await);
    }
    Ok(workspaces)
}

async fn open_profile(
    name: &str,
    global: &Global,
    config: &Config,
    env: &Environment,
    interner: &Interner,
    say: Say,
) -> Result<Workspace, Error> {
    let selection = WorkspaceOptions { profile: Some(name.to_owned()), base_url: global.base_url.clone() };
    let mut connection = config.connection(&selection, env).await?;
    override_timeout(&mut connection, global);
    let workspace =
        if global.cached { of_cache(&connection, interner, say)? } else { of_connection(&connection, None, interner, say)? };
    Ok(Workspace { profile: Some(name.into()), ..workspace })
}

fn of_connection(
    connection: &Connection,
    demo: Option<DemoServer>,
    interner: &Interner,
    say: Say,
) -> Result<Workspace, Error> {
    let place = place(connection);
    let key = connection.api.key.public_id().unwrap_or_else(|| "without a public id".into());
    say.detail(&safe!("{}, key {} from {}", place, key, connection.key_source.name()));
    let client = Client::new(&connection.api).map_err(|error| Error::Api { place: place.clone(), error })?;
    let source = Source::from(Arc::new(client)).interning(interner.clone());
    let live = Live {
        source,
        policy: connection.policy,
        place: place.clone(),
        say,
        memory: Store::of(connection),
        confirmations: Confirmations::default(),
        demo,
    };
    Ok(Workspace { profile: None, place, say, memory: live.memory.clone(), origin: Origin::Api(Box::new(live)) })
}

/// Names a workspace for messages: `production (api.dialnexa.com)`, or only the host if the profile is `default`.
fn place(connection: &Connection) -> Safe {
    let host = connection.api.base_url.host();
    if connection.profile.as_str() == "default" { host } else { safe!("{} ({})", connection.profile, host) }
}

/// Builds the error for a workspace that could not be read. After a transient error it mentions the cached listing, if there
/// is one.
fn failed(place: Safe, error: ApiError, memory: Option<&Store>) -> Error {
    match memory.filter(|_| error.is_transient()).and_then(Store::read_at) {
        Some(read_at) => {
            let cached = Box::new(clock::recent_age_in_words(read_at, clock::Moment::now().wall));
            Error::Unread { place, error, cached }
        }
        None => Error::Api { place, error },
    }
}

impl Workspace {
    pub(super) fn place(&self) -> &Safe {
        &self.place
    }

    /// The cache and history; `None` for a file.
    pub(super) fn memory(&self) -> Option<&Store> {
        self.memory.as_ref()
    }

    fn progress(&self, drawn: bool) -> Progress {
        Progress::start(self.place.clone(), self.say, drawn)
    }

    /// Reads the wanted rows of the whole listing, consistently.
    pub(super) async fn read(self, wanted: Wanted<'_>) -> Result<Reading, Error> {
        match self.origin {
            Origin::Api(live) => {
                let read = live.read(wanted, true).await;
                read.map_err(|error| failed(self.place, error, live.memory.as_ref()))
            }
            Origin::File(FileListing { rows, numbers }) => Ok(fetch::check_saved(&rows, numbers, wanted)),
        }
    }

    /// Reads all webhooks without storing them. Except for a file, also returns the connection and when they were read.
    pub(super) async fn read_unstored(self) -> Result<(Rows, Summary, Option<(Live, Timestamp)>), Error> {
        match self.origin {
            Origin::Api(live) => {
                let read = live.read_unstored(true).await;
                let (rows, summary, read_at) = read.map_err(|error| failed(self.place, error, live.memory.as_ref()))?;
                Ok((rows, summary, Some((*live, read_at))))
            }
            Origin::File(FileListing { rows, numbers }) => {
                let Reading { rows, summary } = fetch::check_saved(&rows, numbers, EVERYTHING);
                Ok((rows, summary, None))
            }
        }
    }

    /// Returns the connection to the API; `None` for a file.
    pub(super) fn into_live(self) -> Option<Live> {
        match self.origin {
            Origin::Api(live) => Some(*live),
            Origin::File(_) => None,
        }
    }

    /// Passes the wanted rows to `sink`, page by page.
    pub(super) async fn stream(
        self,
        wanted: Wanted<'_>,
        drawn: bool,
        sink: impl FnMut(Arc<RowPage>) -> ControlFlow<()>,
    ) -> Result<Summary, Error> {
        let progress = self.progress(drawn);
        match self.origin {
            Origin::Api(live) => {
                let Live { source, policy, memory, .. } = *live;
                let summary = fetch::stream_listing(&source, policy, wanted, |step| progress.note(step), sink).await;
                summary.map_err(|error| failed(self.place, error, memory.as_ref()))
            }
            Origin::File(FileListing { rows, numbers }) => Ok(fetch::stream_saved(&rows, numbers, wanted, sink)),
        }
    }

    /// Reads one page of `size` rows.
    pub(super) async fn read_page(self, scope: Scope, number: u64, size: u32) -> Result<Reading, Error> {
        let progress = self.progress(true);
        let place = self.place.clone();
        let (source, policy, _demo) = self.into_source();
        let reading = fetch::read_page(&source, policy, scope, number, size, |step| progress.note(step)).await;
        reading.map_err(|error| Error::Api { place, error })
    }

    /// Reads webhooks by id; `None` for each one not found. The flag is true if such a webhook does not exist: always with
    /// the API, and with a file only if it is complete.
    pub(super) async fn get(self, ids: &[WebhookId]) -> Result<(Vec<Result<Option<OwnedRow>, ApiError>>, bool), Error> {
        let progress = self.progress(true);
        let place = self.place.clone();
        let (source, policy, _demo, is_whole) = match self.origin {
            Origin::Api(live) => (live.source, live.policy, live.demo, true),
            Origin::File(FileListing { rows, numbers }) => {
                let Reading { rows, summary } = fetch::check_saved(&rows, numbers, EVERYTHING);
                (Source::from(Arc::new(Held::new(rows))), fetch::Policy::default(), None, summary.is_whole())
            }
        };
        let results = get(&source, policy, ids, &progress).await.map_err(|error| Error::Api { place, error })?;
        Ok((results, is_whole))
    }

    /// The source of single pages and webhooks. The demo's source works only while its server lives.
    fn into_source(self) -> (Source, fetch::Policy, Option<DemoServer>) {
        match self.origin {
            Origin::Api(live) => (live.source, live.policy, live.demo),
            Origin::File(listing) => (Source::from(Arc::new(Held::new(listing.rows))), fetch::Policy::default(), None),
        }
    }
}
