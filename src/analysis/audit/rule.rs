//! A rule of the audit: its texts and its check. The rules themselves are in [`rules`](super::rules).

use super::context::AuditContext;
use super::facts::FactKind;
use super::input::AuditInput;
use super::waiver::Waiver;
use crate::base::text::Safe;
use crate::model::{RowNumber, Rows};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    Info,
    Warning,
    Error,
}

impl Severity {
    /// The worst first.
    pub const ALL: [Self; 3] = [Self::Error, Self::Warning, Self::Info];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// The name in reports, options and the config. Stable.
    pub id: &'static str,
    /// The severity of its findings, unless the config sets another one.
    pub severity: Severity,
    /// The defect that it finds, in one line.
    pub about: &'static str,
    /// Why that matters.
    pub why: &'static str,
    /// How to resolve a finding.
    pub advice: &'static str,
    pub(super) check: Check,
}

/// Rules are compared by id.
impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Rule {}

/// A function that finds a defect of one webhook and describes it.
pub(super) type WebhookCheck = fn(&AuditInput<'_>, &AuditContext) -> Option<Safe>;

/// The check of a rule.
#[derive(Debug, Clone, Copy)]
pub(super) enum Check {
    /// Checks each webhook on its own.
    Webhook(WebhookCheck),
    /// Checks each webhook against facts from outside the listing; without such facts it finds nothing.
    Facts(FactKind, WebhookCheck),
    /// Compares all webhooks. A finding is about at least `least` of them.
    Webhooks { least: usize, start: fn() -> Box<dyn Gather> },
    /// Finds what no webhook has. It is not run on a part of a workspace.
    Absence(fn() -> Box<dyn Gather>),
    /// Checks each malformed row.
    Malformed(fn(&AuditInput<'_>) -> Option<Safe>),
    /// Checks each waiver.
    Waiver(fn(&Waiver, &AuditContext) -> Option<Safe>),
}

/// A check of all webhooks: it sees each once, in their order, and then reports its findings.
pub(super) trait Gather: Send {
    fn see(&mut self, webhook: &AuditInput<'_>, context: &AuditContext);
    /// Reports each finding: the webhooks that it is about, and a message.
    fn finish(self: Box<Self>, rows: &Rows, context: &AuditContext, report: &mut dyn FnMut(Vec<RowNumber>, Safe));
}

impl Rule {
    /// The facts that it needs besides the listing.
    pub const fn needs(&self) -> Option<FactKind> {
        match self.check {
            Check::Facts(kind, _) => Some(kind),
            _ => None,
        }
    }

    /// Returns true if its findings are about webhooks, not about the workspace or malformed rows.
    pub const fn is_about_webhooks(&self) -> bool {
        matches!(self.check, Check::Webhook(_) | Check::Facts(..) | Check::Webhooks { .. })
    }
}
