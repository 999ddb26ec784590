//! Facts from outside the listing: delivery attempts, probes of destinations and the history.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use url::Url;

use crate::analysis::deliveries::DeliveryTally;
use crate::analysis::reach::{Reach, State, Trouble};
use crate::model::without_final_dot;

/// A kind of facts that a rule may need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactKind {
    Deliveries,
    Probe,
}

impl FactKind {
    /// The option that provides them.
    pub const fn option(self) -> &'static str {
        match self {
            Self::Deliveries => "--deliveries",
            Self::Probe => "--probe",
        }
    }
}

/// Facts from outside the listing.
#[derive(Debug, Clone, Default)]
pub struct ExternalFacts {
    /// The deliveries of webhooks; `None` without `--deliveries`.
    pub deliveries: Option<Arc<DeliveryTally>>,
    /// The results of probes, by origin ([`origin_of`]); `None` if nothing was probed.
    pub probes: Option<HashMap<Box<str>, Probe>>,
    /// The last time that the history has inactive webhooks as active, by id.
    pub last_active: Arc<HashMap<Box<str>, LastActive>>,
    /// The thresholds of the rules.
    pub limits: Limits,
}

/// The last time that the history has an inactive webhook as active.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastActive {
    pub seen: Timestamp,
    /// The time of the first snapshot after that in which it is inactive; `None` if that is now.
    pub inactive_by: Option<Timestamp>,
}

/// The thresholds from which facts are findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most failures in a hundred attempts that are not a finding.
    pub failure_percent: u64,
    /// The fewest attempts for which a rate is meaningful.
    pub attempts: u64,
    /// The fewest days for which a certificate must still be valid.
    pub tls_days: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { failure_percent: 10, attempts: 20, tls_days: 14 }
    }
}

/// The result of probing one destination.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Probe {
    /// Why it is unreachable: `dns`, `refused`, `timeout`, `tls-expired`, `tls-untrusted`, `tls-name`, `reset`…; `None` if it
    /// is reachable, or cannot be probed (a private address).
    pub dead: Option<&'static str>,
    /// The number of whole days for which its certificate is still valid.
    pub tls_days_left: Option<i64>,
}

impl From<&Reach> for Probe {
    fn from(reach: &Reach) -> Self {
        Self {
            dead: reach.trouble.filter(|_| reach.state() == State::Dead).map(Trouble::word),
            tls_days_left: reach.certificate.map(|lasts| lasts.days_left),
        }
    }
}

/// The key of a destination in [`ExternalFacts::probes`]: scheme, host and port, such as `https://hooks.acme.com`. A dot at the end of
/// the host is dropped.
pub fn origin_of(url: &Url) -> String {
    let host = without_final_dot(url.host_str().unwrap_or_default());
    match url.port() {
        Some(port) => format!("{}://{host}:{port}", url.scheme()),
        None => format!("{}://{host}", url.scheme()),
    }
}

impl ExternalFacts {
    /// Returns true if there are facts of this kind, even if they are about no webhook.
    pub fn has(&self, kind: FactKind) -> bool {
        match kind {
            FactKind::Deliveries => self.deliveries.is_some(),
            FactKind::Probe => self.probes.is_some(),
        }
    }

    /// The result of probing the destination of a URL.
    pub fn probe(&self, url: &Url) -> Option<&Probe> {
        self.probes.as_ref()?.get(origin_of(url).as_str())
    }
}
