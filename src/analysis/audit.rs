//! The audit: rules over the webhooks of a workspace.
//!
//! One engine runs the rules and reports their findings. Commands collect them in a [`Report`]; the explorer keeps them in a
//! [`FindingsIndex`] and audits only rows that changed. Knowledge from outside the listing comes in as [`ExternalFacts`].
//! Start at [`Rule`] and `engine.rs`.

mod auditor;
mod context;
mod engine;
mod facts;
mod findings_index;
mod input;
mod message;
mod pattern;
mod report;
mod rule;
mod rule_set;
mod rules;
mod waiver;

pub use self::auditor::{AuditRequest, Auditor};
pub use self::context::AuditContext;
pub use self::engine::Audit;
pub use self::facts::{ExternalFacts, FactKind, LastActive, Limits, Probe, origin_of};
pub use self::findings_index::{AuditWork, FindingText, FindingsIndex, FindingsReader, WorkspaceFinding};
pub use self::message::shown_url;
pub use self::pattern::{Pattern, Patterns};
pub use self::report::{Finding, Report, WaivedFinding};
pub use self::rule::{Rule, Severity};
pub use self::rule_set::RuleSet;
pub use self::rules::RULES;
pub use self::waiver::{Waiver, WaiverTarget};

// For the rules.
use self::input::AuditInput;
use self::message::{enumerate, enumerate_safe, quoted};
use self::rule::{Check, Gather};

#[cfg(test)]
mod tests;
