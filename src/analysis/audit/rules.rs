//! The rules, one file each. To add a rule, write its file and add it to [`RULES`] and the modules below; help,
//! `--list-rules`, README and the config follow.

mod confusable_host;
mod credentials_in_url;
mod dead_destination;
mod duplicate_destination;
mod expired_waiver;
mod failing_deliveries;
mod insecure_url;
mod invalid_url;
mod legacy_event;
mod long_inactive;
mod malformed_row;
mod no_events;
mod padded_event;
mod private_destination;
mod repeated_event;
mod retired_destination;
mod test_endpoint;
mod tls_expiring;
mod uncovered_event;
mod unknown_event;
mod url_too_long;

use super::rule::Rule;
use crate::analysis::nearest;
use crate::base::text::{Safe, clean_head};
use crate::safe;

pub(super) use self::long_inactive::is_reported as is_long_inactive;

/// Every rule, in the order of reports.
pub const RULES: &[Rule] = &[
    invalid_url::RULE,
    insecure_url::RULE,
    private_destination::RULE,
    retired_destination::RULE,
    no_events::RULE,
    duplicate_destination::RULE,
    credentials_in_url::RULE,
    test_endpoint::RULE,
    unknown_event::RULE,
    legacy_event::RULE,
    confusable_host::RULE,
    url_too_long::RULE,
    failing_deliveries::RULE,
    dead_destination::RULE,
    tls_expiring::RULE,
    uncovered_event::RULE,
    long_inactive::RULE,
    malformed_row::RULE,
    expired_waiver::RULE,
    repeated_event::RULE,
    padded_event::RULE,
];

impl Rule {
    /// The rule of that name.
    ///
    /// # Errors
    ///
    /// There is none. The message suggests the one that was probably meant.
    pub fn find(name: &str) -> Result<&'static Self, Safe> {
        if let Some(rule) = Self::named(name) {
            return Ok(rule);
        }
        let shown = clean_head(name, 40);
        Err(match nearest(name, RULES.iter().map(|rule| rule.id)) {
            Some(meant) => safe!("unknown rule {}; did you mean {}?", shown, meant),
            None => safe!("unknown rule {}", shown),
        })
    }

    /// The rule of that name, if there is one.
    pub fn named(name: &str) -> Option<&'static Self> {
        RULES.iter().find(|rule| rule.id == name)
    }
}
