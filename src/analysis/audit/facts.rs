//! What rules know besides the listing: how deliveries went, and what a look at the destinations said. Whoever reads the one or
//! does the other hands it in here.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use url::Url;

use super::Needs;
use crate::analysis::deliveries::DeliveryTally;
use crate::analysis::reach::{Reach, State, Trouble};
use crate::model::without_final_dot;

/// Facts from outside the listing.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The deliveries of webhooks; `None` when nobody knows any.
    pub deliveries: Option<Arc<DeliveryTally>>,
    /// What was seen of destinations, by their origins ([`origin_of`]); `None` when nobody looked.
    pub probes: Option<HashMap<Box<str>, Probe>>,
    /// When the history saw webhooks active that are inactive now, by their ids.
    pub last_active: Arc<HashMap<Box<str>, LastActive>>,
    /// The limits that the rules hold them against.
    pub limits: Limits,
}

/// When a webhook that is inactive was last seen active.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastActive {
    pub seen: Timestamp,
    /// When it was first seen inactive after that; `None` when that is now.
    pub inactive_by: Option<Timestamp>,
}

/// From where on facts are findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Failures in a hundred attempts that are still good.
    pub failure_percent: u64,
    /// Attempts below which a rate says nothing.
    pub attempts: u64,
    /// Days that a certificate must still be valid.
    pub tls_days: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { failure_percent: 10, attempts: 20, tls_days: 14 }
    }
}

/// What a look at one destination said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Probe {
    /// Why it is dead: `dns`, `refused`, `timeout`, `tls-expired`, `tls-untrusted`, `tls-name`, `reset`…; `None` when it is
    /// alive, or when nobody could look (a private address).
    pub dead: Option<&'static str>,
    /// Whole days that its certificate is still valid.
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

/// The key of a destination in [`Facts::probes`]: scheme, host and port, such as `https://hooks.acme.com`. A dot at the end of
/// the host is dropped.
pub fn origin_of(url: &Url) -> String {
    let host = without_final_dot(url.host_str().unwrap_or_default());
    match url.port() {
        Some(port) => format!("{}://{host}:{port}", url.scheme()),
        None => format!("{}://{host}", url.scheme()),
    }
}

impl Facts {
    /// Whether there are facts of this kind, be it none about any webhook.
    pub fn has(&self, needs: Needs) -> bool {
        match needs {
            Needs::Deliveries => self.deliveries.is_some(),
            Needs::Probe => self.probes.is_some(),
        }
    }

    /// What was seen of the destination of a URL.
    pub fn probe(&self, url: &Url) -> Option<&Probe> {
        self.probes.as_ref()?.get(origin_of(url).as_str())
    }
}
