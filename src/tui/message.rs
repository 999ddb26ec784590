//! The messages to the state machine, and its effects.

use crossterm::event::{KeyEvent, MouseEvent};

use super::jobs::{Done, Job, RemovalQuestion};
use super::notice::Notice;
use super::prober::ProbeEvent;
use super::session::workspace::WorkspaceInfo;
use super::workers::{RowsAnswer, RowsRequest};
use crate::analysis::audit::{AuditRequest, FindingsIndex};
use crate::analysis::destinations::Origin;
use crate::base::text::{Safe, Untrusted};
use crate::fetch::{Demand, FetchEvent};

/// One thing that happened.
#[derive(Debug, Clone)]
pub enum Message {
    /// The loop has begun.
    Begun,
    Key(KeyEvent),
    Paste(Untrusted),
    Mouse(MouseEvent),
    Resize {
        width: u16,
        height: u16,
    },
    Fetch(FetchEvent),
    /// A frame was drawn.
    Drawn,
    /// The rows to show.
    Rows(RowsAnswer),
    /// Findings.
    Audited(Box<FindingsIndex>),
    /// The result of a job.
    Done(Box<Done>),
    /// The result of a probe.
    Probed(ProbeEvent),
    /// The moment came that `App::next_wake` named.
    Tick,
    /// Suspending did not work, for this reason.
    NotSuspended(&'static str),
    /// From now on the answers are those of another workspace.
    Switched(Box<WorkspaceInfo>),
    /// Another workspace cannot be shown, for this reason.
    NotSwitched(Safe),
    /// Why the key command, run again, gave no key.
    NotRenewed(Safe),
}

/// One thing that the loop is to do. The state machine itself does no IO.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// The screen has changed.
    Draw,
    /// Show a notice. The state machine does that itself.
    Notice(Notice),
    /// Draw every cell again.
    Redraw,
    /// Tell the fetch task what is wanted now.
    Demand(Demand),
    /// Find the rows to show.
    FilterSort(RowsRequest),
    Audit(Box<AuditRequest>),
    /// Do this beside the loop.
    Run(Box<Job>),
    /// Probe these destinations beside the loop, before those that still wait.
    Probe(Vec<Origin>),
    /// End the probes that are under way.
    StopProbing,
    /// Ask the API for these webhooks one by one; what came of it is that of a job.
    Ask(RemovalQuestion),
    /// Put a text on the user's clipboard.
    Copy(Untrusted),
    Mouse(bool),
    /// Keep the filters that were typed, the newest last.
    Remember(Vec<String>),
    /// Show another workspace, by its place among the profiles. It takes the place of a switch that is under way.
    Switch(usize),
    /// Stay with the workspace that is shown: a switch that is under way ends.
    Stay,
    /// Read the key again that the API refused, if that needs the terminal. Otherwise the client does it by itself.
    RenewKey,
    Suspend,
    Quit,
}

/// Shows a warning.
pub fn warn(words: impl Into<Safe>) -> Vec<Effect> {
    vec![Effect::Notice(Notice::Warning(words.into()))]
}

/// Shows a notice that is no warning.
pub fn inform(words: impl Into<Safe>) -> Vec<Effect> {
    vec![Effect::Notice(Notice::Info(words.into()))]
}

/// Draws, if something changed.
pub fn draw_if(changed: bool) -> Vec<Effect> {
    if changed { vec![Effect::Draw] } else { Vec::new() }
}
