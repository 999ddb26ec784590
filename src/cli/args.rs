//! The arguments of each command.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::values::{at_least, between};
use crate::analysis::audit::Severity;
use crate::model::Scope;
use crate::output::{AuditFormat, Format};

#[derive(Debug, Args)]
pub struct ListArgs {
    /// all, active or inactive
    #[arg(long, value_enum, value_name = "SCOPE", default_value_t = Scope::All, hide_possible_values = true)]
    pub scope: Scope,
    /// Only matching webhooks (hookscope help filter)
    #[arg(long, value_name = "QUERY", allow_hyphen_values = true)]
    pub filter: Option<String>,
    /// Sort by created, url, host, events, status or id
    ///
    /// :desc after the key reverses the order, as in created:desc. Without this option, webhooks keep the order of the API.
    #[arg(long, value_name = "KEY[:desc]")]
    pub sort: Option<String>,
    /// Columns, in this order (hookscope help formats)
    #[arg(long, value_name = "A,B,C")]
    pub columns: Option<String>,
    /// List at most N webhooks
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = at_least(1))]
    pub limit: Option<u64>,
    /// List only page N, of --limit webhooks (1 to 100)
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = at_least(1))]
    pub page: Option<u64>,
    /// Read every page twice to confirm a consistent list
    ///
    /// The output is then exactly the list at one moment, also for a server that reports no total.
    #[arg(long, conflicts_with = "page")]
    pub verify: bool,
    /// Write csv for Excel
    ///
    /// The file begins with a byte order mark, and ids that look like numbers stay text.
    #[arg(long, conflicts_with = "raw")]
    pub excel: bool,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Output format.
#[derive(Debug, Clone, Copy, Args)]
pub struct OutputArgs {
    /// table, tsv, json, ndjson, csv, markdown, ids
    ///
    /// The default is a table on a terminal, else tsv. hookscope help formats describes them.
    #[arg(short = 'o', long = "output", value_enum, value_name = "FORMAT", hide_possible_values = true)]
    pub format: Option<Format>,
    /// csv: do not defuse spreadsheet formulas
    #[arg(long)]
    pub raw: bool,
}

#[derive(Debug, Args)]
pub struct GetArgs {
    /// Webhook ids
    #[arg(value_name = "ID", required = true)]
    pub ids: Vec<String>,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Args)]
pub struct EventsArgs {
    /// Only matching webhooks (hookscope help filter)
    #[arg(long, value_name = "QUERY", allow_hyphen_values = true)]
    pub filter: Option<String>,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Args)]
pub struct ProbeArgs {
    /// Probe only the destinations of these webhooks
    #[arg(value_name = "ID")]
    pub ids: Vec<String>,
    /// all, active or inactive
    #[arg(long, value_enum, value_name = "SCOPE", default_value_t = Scope::All, hide_possible_values = true)]
    pub scope: Scope,
    /// Only matching webhooks (hookscope help filter)
    #[arg(long, value_name = "QUERY", allow_hyphen_values = true)]
    pub filter: Option<String>,
    /// Also send a HEAD request to each URL
    ///
    /// Any response counts as reachable. No other request is ever sent.
    #[arg(long)]
    pub http: bool,
    /// Allow private and loopback addresses
    #[arg(long)]
    pub allow_private: bool,
    /// Time limit per step (1 to 60)
    ///
    /// The steps are DNS, TCP, TLS and, with --http, HEAD.
    #[arg(long, value_name = "SECONDS", default_value_t = 5, allow_negative_numbers = true, value_parser = between(1, 60))]
    pub step_timeout: u64,
    /// Exit 0 even if a destination is unreachable
    #[arg(long)]
    pub exit_zero: bool,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub struct AuditArgs {
    /// all, active or inactive
    #[arg(long, value_enum, value_name = "SCOPE", default_value_t = Scope::All, hide_possible_values = true)]
    pub scope: Scope,
    /// Only findings about matching webhooks
    #[arg(long, value_name = "QUERY", allow_hyphen_values = true)]
    pub filter: Option<String>,
    /// Exit 1 on findings at or above this severity
    ///
    /// error (the default), warning, info or never.
    #[arg(
        long,
        value_enum,
        value_name = "SEVERITY",
        default_value_t = FailOn::Error,
        hide_possible_values = true,
        hide_default_value = true
    )]
    pub fail_on: FailOn,
    /// Exit 0 even if there are findings
    #[arg(long)]
    pub exit_zero: bool,
    /// Run only these rules
    #[arg(long, value_name = "RULE", value_delimiter = ',', num_args = 1..)]
    pub rule: Vec<String>,
    /// Skip these rules
    #[arg(long, value_name = "RULE", value_delimiter = ',', num_args = 1..)]
    pub skip: Vec<String>,
    /// Treat these hosts or URLs as retired
    ///
    /// A pattern is a host or a URL, such as old.example.com or *.legacy.example.com.
    #[arg(long, value_name = "PATTERN", num_args = 1..)]
    pub retired: Vec<String>,
    /// Read retired patterns from a file
    ///
    /// One pattern per line; # starts a comment.
    #[arg(long, value_name = "FILE")]
    pub retired_file: Option<PathBuf>,
    /// Check an export of delivery attempts
    ///
    /// A file in JSON, NDJSON or CSV; - is stdin. Reports webhooks whose deliveries fail.
    #[arg(long, value_name = "FILE")]
    pub deliveries: Option<PathBuf>,
    /// Also probe the destinations
    ///
    /// Checks whether the destinations of active webhooks are reachable from this host.
    #[arg(long)]
    pub probe: bool,
    /// Time limit per probe step (1 to 60)
    #[arg(long, value_name = "SECONDS", default_value_t = 5, allow_negative_numbers = true, value_parser = between(1, 60))]
    pub step_timeout: u64,
    /// Ignore the waivers of the config
    #[arg(long)]
    pub no_waivers: bool,
    /// tsv, json, csv, markdown, sarif, junit, ...
    ///
    /// table, tsv, json, ndjson, csv, markdown, sarif or junit. The default is a table on a terminal, else tsv.
    #[arg(short = 'o', long = "output", value_enum, value_name = "FORMAT", hide_possible_values = true)]
    pub format: Option<AuditFormat>,
    /// csv: do not defuse spreadsheet formulas
    #[arg(long)]
    pub raw: bool,
    /// List the rules
    #[arg(long, conflicts_with = "explain")]
    pub list_rules: bool,
    /// Explain a rule: what it finds, why, what to do
    #[arg(long, value_name = "RULE")]
    pub explain: Option<String>,
}

/// Lowest severity that makes an audit fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    Error,
    Warning,
    Info,
    Never,
}

impl FailOn {
    /// The lowest severity that fails; `None` for never.
    pub fn severity(self) -> Option<Severity> {
        match self {
            Self::Error => Some(Severity::Error),
            Self::Warning => Some(Severity::Warning),
            Self::Info => Some(Severity::Info),
            Self::Never => None,
        }
    }
}

#[derive(Debug, Args)]
pub struct MetricsArgs {
    /// Write to FILE instead of stdout
    ///
    /// The file is replaced atomically, for the textfile collector of the node exporter.
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Refused: `-o` is a format everywhere, and there is only one
    #[arg(short = 'o', long, value_name = "FORMAT", hide = true)]
    pub output: Option<OsString>,
    /// Also probe the destinations
    ///
    /// Checks whether the destinations of active webhooks are reachable from this host.
    #[arg(long)]
    pub probe: bool,
    /// Time limit per probe step (1 to 60)
    #[arg(long, value_name = "SECONDS", default_value_t = 5, allow_negative_numbers = true, value_parser = between(1, 60))]
    pub step_timeout: u64,
}

#[derive(Debug, Args)]
pub struct SnapshotArgs {
    /// File to write; stdout if omitted
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Replace credentials in URLs with short salted hashes
    #[arg(long)]
    pub redact: bool,
}

#[derive(Debug, Args)]
pub struct DiffArgs {
    /// A file, live, cache or a time: yesterday, 2h, 2026-11-01
    #[arg(value_name = "OLD")]
    pub old: String,
    /// The same; live if omitted
    #[arg(value_name = "NEW")]
    pub new: Option<String>,
    #[command(flatten)]
    pub compare: CompareArgs,
    /// Exit 0 even if there is a difference
    #[arg(long)]
    pub exit_zero: bool,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Differences to report.
#[derive(Debug, Clone, Args)]
pub struct CompareArgs {
    /// Ignore a field or a part of the URL, such as url.query
    ///
    /// May be repeated.
    #[arg(long, value_name = "FIELD")]
    pub ignore: Vec<String>,
    /// Only webhooks that match before or after the change
    #[arg(long, value_name = "QUERY", allow_hyphen_values = true)]
    pub filter: Option<String>,
}

#[derive(Debug, Args)]
pub struct WatchArgs {
    /// Seconds between reads (1 to 86400)
    #[arg(long, value_name = "SECONDS", default_value_t = 60, allow_negative_numbers = true, value_parser = between(1, 86_400))]
    pub every: u64,
    /// Start with the changes since a file, cache or a time: 2h
    #[arg(long, value_name = "WHEN")]
    pub since: Option<String>,
    #[command(flatten)]
    pub compare: CompareArgs,
}

#[derive(Debug, Args)]
pub struct PlanArgs {
    /// TOML file that maps events, hosts and URLs
    #[arg(value_name = "MAP.toml", long_help = MAP_HELP)]
    pub map: PathBuf,
    /// all, active or inactive
    #[arg(long, value_enum, value_name = "SCOPE", default_value_t = Scope::All, hide_possible_values = true)]
    pub scope: Scope,
    /// Only matching webhooks (hookscope help filter)
    #[arg(long, value_name = "QUERY", allow_hyphen_values = true)]
    pub filter: Option<String>,
    /// table, tsv, json, or sh for a shell script
    #[arg(short = 'o', long = "output", value_enum, value_name = "FORMAT", hide_possible_values = true)]
    pub format: Option<PlanFormat>,
}

const MAP_HELP: &str = "\
TOML file that maps events, hosts and URLs

For example:

[events]
\"call_ended\" = [\"call.completed\", \"call.failed\"]
\"call_initiated\" = []    # no replacement: drops the event
[hosts]
\"old.example.com\" = \"new.example.com\"
[urls]    # takes precedence over hosts
\"https://old.example.com/a\" = \"https://new.example.com/b\"";

/// The formats of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    Table,
    Tsv,
    Json,
    Sh,
}

#[derive(Debug, Args)]
pub struct HistoryArgs {
    #[command(flatten)]
    pub output: OutputArgs,
}
