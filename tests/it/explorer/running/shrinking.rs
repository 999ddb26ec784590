//! Servers that give no total, and a workspace that shrinks to less than a page.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use hookscope::base::base_url::BaseUrl;
use hookscope::base::redact::ApiKey;
use hookscope::config::Config;
use hookscope::tui::app::App;
use hookscope::tui::session::loading::LoadAll;
use hookscope::tui::workspaces::Workspaces;

use super::{Running, run};
use crate::faults::server::{self, Envelope, Reply, Server, rows};
use crate::support::{setup, with};

/// The numbers of the webhooks that a server has.
type Workspace = Arc<Mutex<Range<u64>>>;

async fn serve(envelope: Envelope, workspace: &Workspace) -> Server {
    let workspace = Arc::clone(workspace);
    Server::start(move |request| {
        let there = workspace.lock().unwrap().clone();
        match request.page() {
            // By id.
            0 => Reply::not_found(),
            page => {
                let size = request.limit();
                let on_page = there.clone().skip(usize::try_from((page - 1) * size).unwrap());
                let on_page = on_page.take(usize::try_from(size).unwrap());
                Reply::json(envelope.wrap(&rows(on_page), page, size, &there.count().to_string()))
            }
        }
    })
    .await
}

fn explorer(server: &Server) -> Running {
    let base_url = BaseUrl::parse(&server.base_url()).unwrap();
    let connection = Config::demo_connection(base_url.clone(), ApiKey::new(server::KEY).unwrap());
    run(with(setup(120, 40), |setup| setup.workspace.base_url = base_url), &connection, Workspaces::default())
}

impl Running {
    /// Presses a key that reads everything, and waits for the end of that read.
    async fn read_by(&mut self, key: &str) {
        let before = self.explorer.app.session.demand().generation;
        let is_read = |app: &App| {
            app.session.demand().generation != before
                && app.session.load.all == LoadAll::No
                && app.session.list.lines.is_consistent()
        };
        self.press(key);
        while !is_read(&self.explorer.app) {
            let advanced = tokio::time::timeout(super::PATIENCE, self.explorer.advance()).await;
            assert_eq!(advanced.unwrap().unwrap(), None);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_that_shrinks_is_read_as_what_it_is() {
    for envelope in [Envelope::Bare, Envelope::NoMeta] {
        for (key, left) in [("r", 0..4), ("r", 5..9), ("L", 0..4), ("L", 5..9)] {
            let workspace = Workspace::new(Mutex::new(0..9));
            let server = serve(envelope, &workspace).await;
            let mut running = explorer(&server);
            running.press("L");
            running.until("all of them", |frame| frame.contains("all 9")).await;
            *workspace.lock().unwrap() = left.clone();
            running.read_by(key).await;
            let what = format!("{envelope:?}, {key}, {left:?}");
            let frame = running.until("what is left", |frame| frame.contains("-5")).await;
            assert!(frame.contains("all 4") && !frame.contains("4 of "), "{what}: {frame}");
            assert_eq!(running.explorer.app.session.list.lines.loaded(), 4, "{what}: {frame}");
            running.press("5");
            let frame = running.until("what was removed", |frame| frame.contains("since startup, 12:00:00: -5")).await;
            assert!(!frame.contains("of 9") && !frame.contains("no change"), "{what}: {frame}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_read_from_page_1_on_each_time() {
    let workspace = Workspace::new(Mutex::new(0..7));
    let server = serve(Envelope::NoMeta, &workspace).await;
    let mut running = explorer(&server);
    running.until("the rows", |frame| frame.contains("7 of 7") || frame.contains("all 7")).await;
    let mut asked = server.log().pages().len();
    for press in 1..=4 {
        running.read_by("L").await;
        let pages = server.log().pages();
        let (first, second) = pages[asked..].split_at(2);
        // The page behind the last one shows that this is the end.
        assert_eq!(first, [1, 2], "press {press}: {pages:?}");
        // The second pass confirms the first, in any order.
        assert_eq!(BTreeSet::from_iter(second), [1, 2].iter().collect(), "press {press}: {pages:?}");
        assert_eq!(second.len(), 2, "press {press}: {pages:?}");
        asked = pages.len();
    }
}
