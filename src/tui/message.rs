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

/// A message to the state machine.
#[derive(Debug, Clone)]
pub enum Message {
    /// The loop has started.
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
    /// The rows to show have been found.
    Rows(RowsAnswer),
    /// The audit has results.
    Audited(Box<FindingsIndex>),
    /// The result of a job.
    Done(Box<Done>),
    /// The result of a probe.
    Probed(ProbeEvent),
    /// The time of `App::next_wake` has come.
    Tick,
    /// Suspending failed, for this reason.
    NotSuspended(&'static str),
    /// All further answers are from another workspace.
    Switched(Box<WorkspaceInfo>),
    /// Switching to another workspace failed, for this reason.
    NotSwitched(Safe),
    /// The key command was run again, but failed for this reason.
    NotRenewed(Safe),
}

/// An effect for the loop to carry out. The state machine itself does no IO.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Draw a frame, since the screen has changed.
    Draw,
    /// Show a notice. The state machine handles this effect itself.
    Notice(Notice),
    /// Draw every cell again.
    Redraw,
    /// Send the fetch task a new demand.
    Demand(Demand),
    /// Filter and sort the rows.
    FilterSort(RowsRequest),
    Audit(Box<AuditRequest>),
    /// Run a background job.
    Run(Box<Job>),
    /// Probe these destinations in the background, before those that are still waiting.
    Probe(Vec<Origin>),
    /// Cancel the probes in progress.
    StopProbing,
    /// Request these webhooks by id. The result is that of a job.
    Ask(RemovalQuestion),
    /// Copy a text to the clipboard.
    Copy(Untrusted),
    Mouse(bool),
    /// Save the filter history, the newest filter last.
    Remember(Vec<String>),
    /// Switch to the workspace with this index among the profiles. Replaces a switch in progress.
    Switch(usize),
    /// Cancel a switch in progress.
    Stay,
    /// Read a refused key again, if that needs the terminal. Otherwise the client does so by itself.
    RenewKey,
    Suspend,
    Quit,
}

/// Shows a warning.
pub fn warn(words: impl Into<Safe>) -> Vec<Effect> {
    vec![Effect::Notice(Notice::Warning(words.into()))]
}

/// Shows a notice that is not a warning.
pub fn inform(words: impl Into<Safe>) -> Vec<Effect> {
    vec![Effect::Notice(Notice::Info(words.into()))]
}

/// Draws if something changed.
pub fn draw_if(changed: bool) -> Vec<Effect> {
    if changed { vec![Effect::Draw] } else { Vec::new() }
}
