//! The workspaces that the explorer can show, and the switch in progress.

use std::future::{Future, pending};
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::base::text::Safe;
use crate::config::{Connection, Profile, Profiles};
use crate::safe;

/// The workspaces. The default has none to switch to, as for the demo or a file.
#[derive(Debug, Default)]
pub struct Workspaces {
    profiles: Option<Arc<Profiles>>,
    /// The start of a command for the initial workspace, and for any other one, which needs a profile.
    here: Vec<String>,
    elsewhere: Vec<String>,
    underway: Option<(usize, JoinHandle<Resolved>)>,
}

/// The connection to a workspace, or the reason why there is none.
pub type Resolved = Result<Box<Connection>, Safe>;

impl Workspaces {
    pub fn new(profiles: Option<Profiles>, here: Vec<String>, elsewhere: Vec<String>) -> Self {
        Self { profiles: profiles.map(Arc::new), here, elsewhere, underway: None }
    }

    pub fn all(&self) -> &[Profile] {
        self.profiles.as_ref().map_or(&[], |profiles| profiles.all())
    }

    pub fn start_at(&self) -> usize {
        self.profiles.as_ref().map_or(0, |profiles| profiles.start_at())
    }

    /// The name of a workspace whose key command may prompt the user, and so needs the terminal.
    pub fn asks(&self, at: usize) -> Option<&Safe> {
        self.all().get(at).filter(|profile| profile.asks).map(|profile| &profile.shown)
    }

    /// The start of a command for a workspace.
    pub fn invocation(&self, at: usize) -> Vec<String> {
        if at == self.start_at() {
            return self.here.clone();
        }
        let name = self.all().get(at).and_then(|profile| profile.name.clone());
        let option = name.map(|name| ["--profile".to_owned(), name]);
        self.elsewhere.iter().cloned().chain(option.into_iter().flatten()).collect()
    }

    /// Starts to connect to a workspace, in a thread that may wait for a slow file system. Cancels a switch in progress.
    pub fn start(&mut self, at: usize) {
        self.stop();
        let resolve = self.resolve(at);
        let runtime = Handle::current();
        self.underway = Some((at, spawn_blocking(move || runtime.block_on(resolve))));
    }

    /// Cancels a switch in progress.
    pub fn stop(&mut self) {
        if let Some((_, task)) = self.underway.take() {
            // A thread that waits for a file system cannot be aborted, but its result is ignored.
            task.abort();
        }
    }

    /// Waits for the switch in progress.
    pub async fn resolved(&mut self) -> (usize, Resolved) {
        let Some((at, task)) = &mut self.underway else { return pending().await };
        let (at, joined) = (*at, task.await);
        self.underway = None;
        // A panic in the task has already ended the explorer through the panic hook.
        (at, joined.unwrap_or_else(|_aborted| Err("the switch was canceled".into())))
    }

    /// Gets the connection to a workspace. A key command runs here, and shares the terminal.
    pub fn resolve(&self, at: usize) -> impl Future<Output = Resolved> + Send + 'static {
        let profiles = self.profiles.clone();
        async move {
            let Some(profiles) = profiles else { return Err("no profile to switch to".into()) };
            let name = profiles.all().get(at).map(|profile| profile.shown.clone()).unwrap_or_default();
            let connection = profiles.connection(at).await;
            connection.map(Box::new).map_err(|error| safe!("cannot switch to {}: {}", name, error.brief()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Environment, WorkspaceOptions};

    async fn workspaces() -> Workspaces {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("config.toml");
        std::fs::write(&path, "[profiles.a]\napi_key_command = ['printf', 'id:a']\n[profiles.b]\n").unwrap();
        let env = Environment { api_key: Some("id:env".into()), ..Environment::default() };
        let config = Config::load(Some(&path), &env).unwrap();
        let start = config.connection(&WorkspaceOptions::default(), &env).await.unwrap();
        let profiles = Profiles::new(&config, &WorkspaceOptions::default(), &env, &start).unwrap();
        let words = |words: &str| words.split(' ').map(str::to_owned).collect();
        Workspaces::new(Some(profiles), words("hookscope --base-url x"), words("hookscope --config c"))
    }

    #[tokio::test]
    async fn the_latest_switch_is_the_one_that_is_under_way_until_it_is_stopped() {
        let mut workspaces = workspaces().await;
        workspaces.start(2);
        workspaces.start(1);
        let (at, connection) = workspaces.resolved().await;
        assert_eq!((at, connection.unwrap().api.key.expose()), (1, "id:a"));
        assert!(workspaces.underway.is_none());
        workspaces.start(2);
        let (at, error) = workspaces.resolved().await;
        assert_eq!((at, error.unwrap_err().as_str()), (2, "cannot switch to b: no API key for profile b"));
        workspaces.start(1);
        workspaces.stop();
        assert!(workspaces.underway.is_none());
    }

    #[tokio::test]
    async fn each_has_the_words_that_lead_to_it() {
        let workspaces = workspaces().await;
        let words = |at| workspaces.invocation(at).join(" ");
        assert_eq!(words(0), "hookscope --base-url x");
        assert_eq!(words(1), "hookscope --config c --profile a");
        assert_eq!((workspaces.asks(1).map(Safe::as_str), workspaces.asks(2)), (Some("a"), None));
        assert_eq!(Workspaces::default().invocation(0), Vec::<String>::new());
        assert!(Workspaces::default().resolve(0).await.is_err());
    }
}
