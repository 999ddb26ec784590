//! Commands where the system gives them less than they would like.

use rustix::process::Pid;

use super::{Ended, Home, ONCE};
use crate::faults::server::{Envelope, Reply, Server, gate, row};
use crate::support::allow_no_more_threads;

#[tokio::test]
async fn where_no_other_thread_can_be_started_work_waits_for_the_first_one() {
    let gate = gate();
    let server = Server::always(Reply::json(Envelope::Seed.wrap(&row(1), 1, 100, "1")).behind(&gate)).await;
    let home = Home::with_config(ONCE);
    let child = home.at(&server.base_url(), &["list", "-o", "ids"]).spawn().unwrap();
    server.until(|log| log.requests().count() == 1).await;
    allow_no_more_threads(Pid::from_raw(child.id().unwrap().cast_signed()).unwrap());
    gate.add_permits(100);
    assert_eq!(Ended::from(&child.wait_with_output().await.unwrap()).data(), "w1\n");
    // A thread besides those of the runtime wrote it.
    let cached = Ended::of(home.at(&server.base_url(), &["list", "--cached", "-q", "-o", "ids"])).await;
    assert_eq!(cached.data(), "w1\n");
}
