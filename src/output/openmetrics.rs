//! Gauges as OpenMetrics text, without timestamps: what the textfile collector of `node_exporter` takes.
//!
//! Source: <https://prometheus.io/docs/specs/om/open_metrics_spec/>.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, text};
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use crate::analysis::audit::Severity;
use crate::analysis::coverage::EventCoverage;
use crate::analysis::probed::Probed;
use crate::analysis::reach::{Reach, State};
use crate::base::text::clean_head;

/// The most columns of a label's value: event names are chosen by the workspace's users.
const LABEL_COLUMNS: usize = 80;
/// Events that have labels of their own, the known ones first; the others are counted together.
const MOST_EVENTS: usize = 200;
/// Destinations that have labels of their own; the others are counted.
const MOST_ORIGINS: usize = 1_000;
/// Columns of a destination: the longest name that DNS has, with scheme and port.
const ORIGIN_COLUMNS: usize = 270;
/// The label of the other events.
const OTHER_EVENTS: &str = "(other)";

/// The measurements of one workspace.
#[derive(Debug, Default)]
pub struct Measured {
    /// The profile, when several are read.
    pub profile: Option<Arc<str>>,
    /// Everything was read, and consistently.
    pub is_complete: bool,
    /// Seconds that reading took; `None` when nothing could be read, and then nothing else is known.
    pub seconds: Option<f64>,
    pub active: u64,
    pub inactive: u64,
    /// Webhooks that do not say whether they are active.
    pub unknown: u64,
    /// Malformed rows.
    pub malformed: u64,
    pub events: Vec<EventCoverage>,
    /// Every rule that was run, with its severity and the number of its findings.
    pub findings: Vec<(&'static str, Severity, u64)>,
    /// Findings that the config accepts.
    pub waived: u64,
    /// The probed destinations, if there was a probe.
    pub probed: Option<Probed>,
}

impl Measured {
    /// A workspace that could not be read.
    pub fn unread(profile: Option<Arc<str>>) -> Self {
        Self { profile, ..Self::default() }
    }
}

/// The whole document, up to its `# EOF`.
pub fn openmetrics(measured: Vec<Measured>) -> Result<String, fmt::Error> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Gauges(measured)));
    let mut out = String::new();
    text::encode(&mut out, &registry)?;
    Ok(out)
}

/// All gauges, always in the same order.
#[derive(Debug)]
struct Gauges(Vec<Measured>);

type Labels = Vec<(&'static str, String)>;
type Samples<N> = Vec<(Labels, N)>;

impl Collector for Gauges {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let all = &self.0;
        let read = || all.iter().filter(|one| one.seconds.is_some());
        let complete = all.iter().map(|one| (one.labels([]), i64::from(one.is_complete))).collect();
        gauge(&mut encoder, "dialnexa_webhook_read_complete", "1 if the last read was complete, else 0", complete)?;
        let seconds = read().map(|one| (one.labels([]), one.seconds.unwrap_or_default())).collect();
        gauge(&mut encoder, "dialnexa_webhook_read_seconds", "Duration of the last read in seconds", seconds)?;
        let webhooks = read().flat_map(Measured::webhooks).collect();
        gauge(&mut encoder, "dialnexa_webhooks", "Webhooks in the workspace", webhooks)?;
        let malformed = read().map(|one| (one.labels([]), number(one.malformed))).collect();
        gauge(&mut encoder, "dialnexa_webhook_malformed_rows", "Malformed rows in the listing", malformed)?;
        let events = read().flat_map(Measured::subscriptions).collect();
        gauge(&mut encoder, "dialnexa_webhook_subscriptions", "Webhooks subscribed to an event", events)?;
        let findings = read().flat_map(Measured::found).collect();
        gauge(&mut encoder, "dialnexa_webhook_findings", "Audit findings that are not waived", findings)?;
        let waived = read().map(|one| (one.labels([]), number(one.waived))).collect();
        gauge(&mut encoder, "dialnexa_webhook_findings_waived", "Audit findings waived in the config", waived)?;
        let probes: Vec<_> = all.iter().filter_map(ProbeSamples::of).collect();
        let success = probes.iter().flat_map(ProbeSamples::successes).collect();
        let help = "1 if a destination of active webhooks is reachable from this host, else 0";
        gauge(&mut encoder, "dialnexa_webhook_probe_success", help, success)?;
        let days = probes.iter().flat_map(ProbeSamples::days_left).collect();
        let help = "Days until the certificate of a destination expires";
        gauge(&mut encoder, "dialnexa_webhook_probe_tls_days_left", help, days)?;
        let untried = probes.iter().map(|probes| (probes.of.labels([]), number(probes.untried))).collect();
        let help = "Destinations not probed because their address is private";
        gauge(&mut encoder, "dialnexa_webhook_probe_untried", help, untried)?;
        let omitted = probes.iter().map(|probes| (probes.of.labels([]), number(probes.omitted))).collect();
        let help = "Probed destinations beyond the limit of samples";
        gauge(&mut encoder, "dialnexa_webhook_probe_omitted", help, omitted)
    }
}

fn gauge<N>(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, samples: Samples<N>) -> fmt::Result
where
    ConstGauge<N>: EncodeMetric,
{
    if samples.is_empty() {
        return Ok(());
    }
    let kind = prometheus_client::metrics::MetricType::Gauge;
    let mut metrics = encoder.encode_descriptor(name, help, None, kind)?;
    for (labels, value) in samples {
        let value = ConstGauge::new(value);
        if labels.is_empty() {
            // Without labels there is one sample.
            return value.encode(metrics);
        }
        value.encode(metrics.encode_family(&labels)?)?;
    }
    Ok(())
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The destinations of a workspace that have samples of their own.
struct ProbeSamples<'a> {
    of: &'a Measured,
    /// By label, which may be there only once.
    shown: BTreeMap<String, &'a Reach>,
    omitted: u64,
    untried: u64,
}

impl<'a> ProbeSamples<'a> {
    /// If there are too many, unreachable ones go first, then those whose certificates expire first.
    fn of(of: &'a Measured) -> Option<Self> {
        let mut tried: Vec<_> = Vec::new();
        let mut untried = 0;
        for (origin, seen) in of.probed.as_ref()?.iter() {
            match seen.reach.state() {
                State::Untried => untried += 1,
                State::Dead | State::Reachable => {
                    tried.push((clean_head(&origin.to_string(), ORIGIN_COLUMNS).to_string(), &seen.reach));
                }
            }
        }
        let days_left = |reach: &Reach| reach.certificate.map_or(i64::MAX, |lasts| lasts.days_left);
        let urgency = |reach: &Reach| (reach.state() == State::Reachable, days_left(reach));
        tried.sort_by(|(one, this), (other, that)| urgency(this).cmp(&urgency(that)).then_with(|| one.cmp(other)));
        let all = tried.len();
        let mut shown = BTreeMap::new();
        for (label, reach) in tried {
            if shown.len() < MOST_ORIGINS {
                shown.entry(label).or_insert(reach);
            }
        }
        let omitted = (all - shown.len()) as u64;
        Some(Self { of, shown, omitted, untried })
    }

    fn labels(&self, origin: &str) -> Labels {
        self.of.labels([]).into_iter().chain([("origin", origin.to_owned())]).collect()
    }

    fn successes(&self) -> Samples<i64> {
        let sample =
            |(origin, reach): (&String, &&Reach)| (self.labels(origin), i64::from(reach.state() == State::Reachable));
        self.shown.iter().map(sample).collect()
    }

    fn days_left(&self) -> Samples<i64> {
        let sample = |(origin, reach): (&String, &&Reach)| Some((self.labels(origin), reach.certificate?.days_left));
        self.shown.iter().filter_map(sample).collect()
    }
}

impl Measured {
    fn labels<const N: usize>(&self, more: [(&'static str, &str); N]) -> Labels {
        let profile = self.profile.as_deref().map(|profile| ("profile", profile));
        let clean = |(name, value)| (name, clean_head(value, LABEL_COLUMNS).to_string());
        profile.into_iter().chain(more).map(clean).collect()
    }

    fn webhooks(&self) -> Samples<i64> {
        let mut samples = vec![
            (self.labels([("active", "true")]), number(self.active)),
            (self.labels([("active", "false")]), number(self.inactive)),
        ];
        if self.unknown > 0 {
            samples.push((self.labels([("active", "unknown")]), number(self.unknown)));
        }
        samples
    }

    /// By event and state. Names that are cut to the same label are counted together, since no label may be there twice.
    fn subscriptions(&self) -> Samples<i64> {
        let (known, others): (Vec<_>, Vec<_>) = self.events.iter().partition(|event| event.known);
        let mut events: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        for (place, event) in known.into_iter().chain(others).enumerate() {
            let label = if place < MOST_EVENTS {
                event.event.clean_head(LABEL_COLUMNS).to_string()
            } else {
                OTHER_EVENTS.to_owned()
            };
            let (active, inactive) = events.entry(label).or_default();
            *active += event.active;
            *inactive += event.inactive;
        }
        let sample = |(label, (active, inactive)): (String, (u64, u64))| {
            [("true", active), ("false", inactive)]
                .map(|(state, count)| (self.labels([("event", label.as_str()), ("active", state)]), number(count)))
        };
        events.into_iter().flat_map(sample).collect()
    }

    fn found(&self) -> Samples<i64> {
        let sample = |&(rule, severity, count): &(&'static str, Severity, u64)| {
            (self.labels([("rule", rule), ("severity", severity.name())]), number(count))
        };
        self.findings.iter().map(sample).collect()
    }
}
