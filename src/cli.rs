//! The command line: types only, and what `--help` says.

pub mod placement;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::analysis::audit::Severity;
use crate::error::Error;
use crate::model::Scope;
use crate::output::{AuditFormat, Format, Say};
use crate::safe;

/// See what DialNexa webhooks a workspace has: destinations, events, state. Read-only.
#[derive(Debug, Parser)]
#[command(
    name = "hookscope",
    version,
    max_term_width = 100,
    args_conflicts_with_subcommands = false,
    disable_help_subcommand = true,
    after_help = "Without a command, the explorer opens; hookscope --demo tries it without a key and without a network.\n\
                  At length: hookscope help filter | config | exit-codes | formats"
)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    /// Start with all, active or inactive webhooks
    #[arg(long, value_enum, value_name = "SCOPE", help_heading = "Explorer options")]
    pub scope: Option<ScopeArg>,
    /// Refresh every so many seconds from the start
    #[arg(
        long,
        value_name = "SECONDS",
        value_parser = clap::value_parser!(u64).range(5..=86_400),
        help_heading = "Explorer options"
    )]
    pub refresh: Option<u64>,
    /// The filter that it starts with; hookscope help filter explains the language
    #[arg(long, value_name = "QUERY", allow_hyphen_values = true, help_heading = "Explorer options")]
    pub filter: Option<String>,
    /// The view that it starts with
    #[arg(long, value_name = "NAME", value_parser = ["webhooks", "hosts", "events", "findings", "changes"], help_heading = "Explorer options")]
    pub view: Option<String>,
    /// An export of delivery attempts (JSON, NDJSON or CSV), to show how they went
    #[arg(long, value_name = "FILE", help_heading = "Explorer options")]
    pub deliveries: Option<PathBuf>,
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub struct Global {
    /// Config file instead of the usual one [env: HOOKSCOPE_CONFIG]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Which workspace of the config [env: HOOKSCOPE_PROFILE]
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,
    /// Every workspace of the config, one after the other (list, audit, probe, metrics)
    #[arg(long, global = true)]
    pub all_profiles: bool,
    /// A snapshot, JSON array or saved page instead of the API; - is stdin
    #[arg(long, global = true, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// What was read last instead of the API, for when it is down
    #[arg(long, global = true)]
    pub cached: bool,
    /// Address of the API; an empty path means /v1 [env: DIALNEXA_BASE_URL]
    #[arg(long, global = true, value_name = "URL")]
    pub base_url: Option<String>,
    /// Use the embedded demo workspace: no key, no network
    #[arg(long, global = true)]
    pub demo: bool,
    /// Colours: auto respects NO_COLOR
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = ColorArg::Auto)]
    pub color: ColorArg,
    /// Total time of one request
    #[arg(long, global = true, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=600))]
    pub timeout: Option<u64>,
    /// Only errors on stderr
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// More on stderr: where from, what was retried, causes of errors
    #[arg(short, long, global = true)]
    pub verbose: bool,
}

impl Global {
    pub fn say(&self) -> Say {
        match (self.quiet, self.verbose) {
            (true, _) => Say::Quiet,
            (false, true) => Say::Verbose,
            (false, false) => Say::Normal,
        }
    }

    /// Options that cannot both be meant. The argument parser does not see it when one stands before the command and the
    /// other behind it.
    pub fn check(&self) -> Result<(), Error> {
        let given = [
            ("--from", self.from.is_some()),
            ("--demo", self.demo),
            ("--cached", self.cached),
            ("--all-profiles", self.all_profiles),
            ("--base-url", self.base_url.is_some()),
            ("--profile", self.profile.is_some()),
            ("--quiet", self.quiet),
            ("--verbose", self.verbose),
        ];
        let contradictions = [
            ("--from", "--demo"),
            ("--from", "--base-url"),
            ("--from", "--all-profiles"),
            ("--from", "--cached"),
            ("--demo", "--cached"),
            ("--demo", "--base-url"),
            ("--demo", "--all-profiles"),
            ("--demo", "--profile"),
            ("--profile", "--all-profiles"),
            ("--quiet", "--verbose"),
        ];
        let is_given = |name| given.contains(&(name, true));
        match contradictions.into_iter().find(|(one, other)| is_given(one) && is_given(other)) {
            Some((one, other)) => {
                Err(Error::Usage { message: safe!("{} and {} cannot be used together", one, other), advice: None })
            }
            None => Ok(()),
        }
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print every webhook
    List(ListArgs),
    /// Print webhooks by their ids
    Get(GetArgs),
    /// Print who hears which event, and which known events nobody hears
    Events(EventsArgs),
    /// Say which destinations are reachable from this host
    Probe(ProbeArgs),
    /// Check every webhook against the rules, and say what is wrong
    Audit(AuditArgs),
    /// Print the state of the workspace as OpenMetrics text
    Metrics(MetricsArgs),
    /// Write the workspace as canonical JSON, sorted by id, fit for git
    Snapshot(SnapshotArgs),
    /// Print what changed between two snapshots, or between one and now
    Diff(DiffArgs),
    /// Print each change as one JSON line, reading again and again
    Watch(WatchArgs),
    /// Plan a migration to other events, hosts or URLs; nothing is ever sent
    #[command(after_help = PLAN_HELP)]
    Plan(PlanArgs),
    /// List the snapshots that were kept whenever a read found something else
    History(HistoryArgs),
    /// Find or empty the cache
    Cache {
        #[command(subcommand)]
        command: CacheCommand,
    },
    /// Write, find or show the configuration
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Say what does not work between here and the API, and why
    Doctor,
    /// Print completions for a shell
    Completions {
        #[arg(value_enum, value_name = "SHELL")]
        shell: Shell,
    },
    /// Print the manual page
    Man,
    /// The demo API alone, for trying out scripts
    Demo {
        #[command(subcommand)]
        command: DemoCommand,
    },
    /// Explain a command, or a topic: filter, config, exit-codes, formats
    Help {
        #[arg(value_name = "TOPIC")]
        topic: Vec<String>,
    },
}

#[derive(Debug, Args)]
pub struct ListArgs {
    /// All, active or inactive webhooks
    #[arg(long, value_enum, value_name = "SCOPE", default_value_t = ScopeArg::All)]
    pub scope: ScopeArg,
    /// Only webhooks that match (hookscope help filter)
    #[arg(long, value_name = "QUERY", allow_hyphen_values = true)]
    pub filter: Option<String>,
    /// Sort by a key, such as created or host:desc (hookscope help formats)
    #[arg(long, value_name = "KEY[:desc]")]
    pub sort: Option<String>,
    /// These columns or fields, in this order (hookscope help formats)
    #[arg(long, value_name = "A,B,…")]
    pub columns: Option<String>,
    /// At most so many webhooks, with no more requests than they need
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
    /// Only this page of the listing, of --limit webhooks (at most 100)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub page: Option<u64>,
    /// Read every page twice: what is printed is exactly the list at one moment
    #[arg(long, conflicts_with = "page")]
    pub verify: bool,
    /// csv for Excel: with a byte order mark, and ids that look like numbers kept as text
    #[arg(long, conflicts_with = "raw")]
    pub excel: bool,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// How data is written.
#[derive(Debug, Clone, Copy, Args)]
pub struct OutputArgs {
    /// table, tsv, json, ndjson, csv, markdown or ids; a table on a terminal, else tsv
    #[arg(short = 'o', long = "output", value_enum, value_name = "FORMAT", hide_possible_values = true)]
    pub format: Option<Format>,
    /// csv without the guard against formulas of spreadsheets
    #[arg(long)]
    pub raw: bool,
}

#[derive(Debug, Args)]
pub struct GetArgs {
    /// Ids, as list prints them
    #[arg(value_name = "ID", required = true)]
    pub ids: Vec<String>,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Args)]
pub struct EventsArgs {
    /// Only webhooks that match (hookscope help filter)
    #[arg(long, value_name = "QUERY", allow_hyphen_values = true)]
    pub filter: Option<String>,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Args)]
pub struct ProbeArgs {
    /// Only the destinations of these webhooks
    #[arg(value_name = "ID")]
    pub ids: Vec<String>,
    /// All, active or inactive webhooks
    #[arg(long, value_enum, value_name = "SCOPE", default_value_t = ScopeArg::All)]
    pub scope: ScopeArg,
    /// Only webhooks that match (hookscope help filter)
    #[arg(long, value_name = "QUERY", allow_hyphen_values = true)]
    pub filter: Option<String>,
    /// Also send one HEAD to each URL; any answer counts
    #[arg(long)]
    pub http: bool,
    /// Connect to private and loopback addresses too
    #[arg(long)]
    pub allow_private: bool,
    /// The most that each step may take: DNS, TCP, TLS, HEAD
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=60))]
    pub step_timeout: u64,
    /// Exit with 0 even if something is not reachable
    #[arg(long)]
    pub exit_zero: bool,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub struct AuditArgs {
    /// All, active or inactive webhooks
    #[arg(long, value_enum, value_name = "SCOPE", default_value_t = ScopeArg::All)]
    pub scope: ScopeArg,
    /// Only findings about webhooks that match (hookscope help filter)
    #[arg(long, value_name = "QUERY", allow_hyphen_values = true)]
    pub filter: Option<String>,
    /// Exit with 1 when something at least so severe is found
    #[arg(long, value_enum, value_name = "SEVERITY", default_value_t = FailOn::Error)]
    pub fail_on: FailOn,
    /// Exit with 0 whatever is found
    #[arg(long)]
    pub exit_zero: bool,
    /// Only these rules
    #[arg(long, value_name = "RULE", value_delimiter = ',', num_args = 1..)]
    pub rule: Vec<String>,
    /// All rules but these
    #[arg(long, value_name = "RULE", value_delimiter = ',', num_args = 1..)]
    pub skip: Vec<String>,
    /// Hosts or URLs that are retired, such as old.example.com or *.legacy.example.com
    #[arg(long, value_name = "PATTERN", num_args = 1..)]
    pub retired: Vec<String>,
    /// A file of such patterns, one a line; # begins a comment
    #[arg(long, value_name = "FILE")]
    pub retired_file: Option<PathBuf>,
    /// An export of delivery attempts (JSON, NDJSON or CSV): which webhooks fail; - is stdin
    #[arg(long, value_name = "FILE")]
    pub deliveries: Option<PathBuf>,
    /// Look whether the destinations of active webhooks are reachable from this host
    #[arg(long)]
    pub probe: bool,
    /// With --probe, the most that each step may take
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=60))]
    pub step_timeout: u64,
    /// Take no notice of the findings that the config accepts
    #[arg(long)]
    pub no_waivers: bool,
    /// table, tsv, json, ndjson, csv, markdown, sarif or junit; a table on a terminal, else tsv
    #[arg(short = 'o', long = "output", value_enum, value_name = "FORMAT", hide_possible_values = true)]
    pub format: Option<AuditFormat>,
    /// csv without the guard against formulas of spreadsheets
    #[arg(long)]
    pub raw: bool,
    /// Print the rules, with what they find
    #[arg(long, conflicts_with = "explain")]
    pub list_rules: bool,
    /// Print what a rule is about, why it matters and what to do
    #[arg(long, value_name = "RULE")]
    pub explain: Option<String>,
}

/// From which severity on an audit fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    Error,
    Warning,
    Info,
    Never,
}

impl FailOn {
    /// The least severity that fails; `None` for never.
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
    /// Where to, for a textfile collector; replaced as a whole. stdout without it
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Everywhere else this is a format: it is refused, so that no file of that name is made
    #[arg(short = 'o', long, value_name = "FORMAT", hide = true)]
    pub output: Option<OsString>,
    /// Look whether the destinations of active webhooks are reachable from this host
    #[arg(long)]
    pub probe: bool,
    /// With --probe, the most that each step may take
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=60))]
    pub step_timeout: u64,
}

#[derive(Debug, Args)]
pub struct SnapshotArgs {
    /// Where to; stdout without it
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Replace credentials in URLs by short salted hashes
    #[arg(long)]
    pub redact: bool,
}

#[derive(Debug, Args)]
pub struct DiffArgs {
    /// A file, live, cache, or a time of the history such as yesterday, 2h or 2026-11-01
    #[arg(value_name = "OLD")]
    pub old: String,
    /// Likewise; live without it
    #[arg(value_name = "NEW")]
    pub new: Option<String>,
    #[command(flatten)]
    pub compare: CompareArgs,
    /// Exit with 0 when there is a difference
    #[arg(long)]
    pub exit_zero: bool,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// What counts as a difference.
#[derive(Debug, Clone, Args)]
pub struct CompareArgs {
    /// A field that does not count, or a part of the URL such as url.query; may be repeated
    #[arg(long, value_name = "FIELD")]
    pub ignore: Vec<String>,
    /// Only webhooks that match, before or after (hookscope help filter)
    #[arg(long, value_name = "QUERY", allow_hyphen_values = true)]
    pub filter: Option<String>,
}

#[derive(Debug, Args)]
pub struct WatchArgs {
    /// Read every so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub every: u64,
    /// Begin with what changed since: a file, cache, or a time of the history such as 2h
    #[arg(long, value_name = "WHEN")]
    pub since: Option<String>,
    #[command(flatten)]
    pub compare: CompareArgs,
}

#[derive(Debug, Args)]
pub struct PlanArgs {
    /// What becomes of events, hosts and URLs
    #[arg(value_name = "MAP.toml")]
    pub map: PathBuf,
    /// Only active or inactive webhooks
    #[arg(long, value_enum, value_name = "SCOPE", default_value_t = ScopeArg::All)]
    pub scope: ScopeArg,
    /// Only webhooks that match (hookscope help filter)
    #[arg(long, value_name = "QUERY", allow_hyphen_values = true)]
    pub filter: Option<String>,
    /// table, tsv, json, or sh for a script to read and run
    #[arg(short = 'o', long = "output", value_enum, value_name = "FORMAT", hide_possible_values = true)]
    pub format: Option<PlanFormat>,
}

/// The formats of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    Table,
    Tsv,
    Json,
    Sh,
}

const PLAN_HELP: &str = "A map:\n\n  \
    [events]                          # an event, and those in its place; none drops it\n  \
    \"call_ended\" = [\"call.completed\", \"call.failed\"]\n  \
    \"call_initiated\" = []\n  \
    [hosts]\n  \
    \"old.example.com\" = \"new.example.com\"\n  \
    [urls]                            # these URLs; they go before hosts\n  \
    \"https://old.example.com/a\" = \"https://new.example.com/b\"";

#[derive(Debug, Args)]
pub struct HistoryArgs {
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Subcommand)]
pub enum CacheCommand {
    /// Print where the cache is, or would be
    Path,
    /// Remove what is cached of every workspace
    Clear {
        /// The snapshots of the history too
        #[arg(long)]
        history: bool,
    },
}

#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Write the example, readable by you alone; on a terminal, ask for the key
    Init {
        /// Replace a file that is there
        #[arg(long)]
        force: bool,
    },
    /// Print where the config file is, or would be
    Path,
    /// Print the values in effect, and where each is from
    Show,
}

#[derive(Debug, Subcommand)]
pub enum DemoCommand {
    /// Serve the demo API until interrupted; prints the variables to export
    Serve {
        /// How many webhooks the workspace has
        #[arg(long, value_name = "N", default_value_t = 1_200, value_parser = clap::value_parser!(u64).range(..=100_000_000))]
        webhooks: u64,
        /// Milliseconds before each answer
        #[arg(long, value_name = "MS", default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=60_000))]
        latency: u64,
        /// Port on loopback; 0 takes any free one
        #[arg(long, value_name = "PORT", default_value_t = 0)]
        port: u16,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ScopeArg {
    All,
    Active,
    Inactive,
}

impl From<ScopeArg> for Scope {
    fn from(scope: ScopeArg) -> Self {
        match scope {
            ScopeArg::All => Self::All,
            ScopeArg::Active => Self::Active,
            ScopeArg::Inactive => Self::Inactive,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColorArg {
    Auto,
    Always,
    Never,
}

impl ColorArg {
    /// Whether colours are used, given what the environment says of them.
    pub fn enabled(self, no_color: bool) -> bool {
        match self {
            Self::Auto => !no_color,
            Self::Always => true,
            Self::Never => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
