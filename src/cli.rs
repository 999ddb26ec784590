//! The command line: its types, and the first lines of its help. Examples are in [`examples`], the layout of the help in
//! [`help`], the words of a usage error in [`usage`].

pub mod examples;
pub mod help;
pub mod placement;
pub mod usage;
mod values;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use self::values::{at_least, between, port};
use crate::analysis::audit::Severity;
use crate::error::Error;
use crate::model::Scope;
use crate::output::{AuditFormat, Format, Say};
use crate::safe;

/// Explore and audit the webhooks of a DialNexa workspace, read-only
#[derive(Debug, Parser)]
#[command(
    name = "hookscope",
    version,
    max_term_width = 100,
    args_conflicts_with_subcommands = false,
    disable_help_subcommand = true
)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    /// Start with all, active or inactive webhooks
    #[arg(long, value_enum, value_name = "SCOPE", hide_possible_values = true, help_heading = "Explorer options")]
    pub scope: Option<ScopeArg>,
    /// Start with auto-refresh every SECONDS (5 to 86400)
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, value_parser = between(5, 86_400), help_heading = "Explorer options")]
    pub refresh: Option<u64>,
    /// Start with this filter (hookscope help filter)
    #[arg(long, value_name = "QUERY", allow_hyphen_values = true, help_heading = "Explorer options")]
    pub filter: Option<String>,
    /// Start in this view: webhooks, hosts, events, findings or changes
    #[arg(
        long,
        value_name = "NAME",
        value_parser = ["webhooks", "hosts", "events", "findings", "changes"],
        hide_possible_values = true,
        help_heading = "Explorer options"
    )]
    pub view: Option<String>,
    /// Show delivery results from an export (JSON, NDJSON or CSV)
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
    /// Read this config file [env: HOOKSCOPE_CONFIG]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Use this profile of the config [env: HOOKSCOPE_PROFILE]
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,
    /// Run on every profile (list, audit, probe, metrics)
    #[arg(long, global = true)]
    pub all_profiles: bool,
    /// Read a snapshot, JSON array or saved page, not the API; - is stdin
    #[arg(long, global = true, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// Use the cached listing instead of calling the API
    #[arg(long, global = true)]
    pub cached: bool,
    /// Base URL of the API; an empty path means /v1 [env: DIALNEXA_BASE_URL]
    #[arg(long, global = true, value_name = "URL")]
    pub base_url: Option<String>,
    /// Use the embedded demo workspace: no key, no network
    #[arg(long, global = true)]
    pub demo: bool,
    /// Use color: auto, always or never; auto honors NO_COLOR
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = ColorArg::Auto, hide_possible_values = true)]
    pub color: ColorArg,
    /// Limit the total time of each request (1 to 600) [default: 20]
    #[arg(long, global = true, value_name = "SECONDS", allow_negative_numbers = true, value_parser = between(1, 600))]
    pub timeout: Option<u64>,
    /// Print only errors on stderr
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Print sources, retries and causes of errors on stderr
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

    /// Refuses options that contradict each other. The parser does not notice when one comes before the command and the other
    /// after it.
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
            Some((one, other)) => Err(Error::Usage {
                message: safe!("{} and {} cannot be used together", one, other),
                advice: Some("Leave one of them out.".into()),
            }),
            None => Ok(()),
        }
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// List webhooks
    List(ListArgs),
    /// Show webhooks by id
    Get(GetArgs),
    /// List subscribers per event, and events without any
    Events(EventsArgs),
    /// Check whether destinations are reachable from this host
    Probe(ProbeArgs),
    /// Check webhooks against the audit rules
    Audit(AuditArgs),
    /// Print metrics of the workspace as OpenMetrics text
    Metrics(MetricsArgs),
    /// Write the workspace as canonical JSON, sorted by id, for git
    Snapshot(SnapshotArgs),
    /// Show what changed between two snapshots or points in time
    Diff(DiffArgs),
    /// Poll the workspace and print each change as one line of JSON
    Watch(WatchArgs),
    /// Plan a migration to other events, hosts or URLs; sends nothing
    Plan(PlanArgs),
    /// List the saved snapshots of the workspace
    History(HistoryArgs),
    /// Show where the cache is, or clear it
    Cache {
        #[command(subcommand)]
        command: CacheCommand,
    },
    /// Create, locate or show the configuration
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Diagnose problems: config, key, network, API, terminal
    Doctor,
    /// Print shell completions
    Completions {
        /// bash, zsh, fish, elvish or powershell
        #[arg(value_enum, value_name = "SHELL", hide_possible_values = true)]
        shell: Shell,
    },
    /// Print the man page, or write all man pages
    Man {
        /// Write every page to this directory
        ///
        /// The pages are hookscope.1, one for each command, such as hookscope-list.1, and hookscope-config.5. Other files in the
        /// directory stay as they are. To install the pages, move *.1 to share/man/man1 and *.5 to share/man/man5, below
        /// /usr/local or ~/.local.
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
    /// Serve the demo API, for trying out scripts
    Demo {
        #[command(subcommand)]
        command: DemoCommand,
    },
    /// Explain a command, or filter, config, exit-codes, formats, keys
    Help {
        /// A command, such as list or config init, or a topic
        #[arg(value_name = "TOPIC")]
        topic: Vec<String>,
    },
}

#[derive(Debug, Args)]
pub struct ListArgs {
    /// all, active or inactive
    #[arg(long, value_enum, value_name = "SCOPE", default_value_t = ScopeArg::All, hide_possible_values = true)]
    pub scope: ScopeArg,
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
    #[arg(long, value_enum, value_name = "SCOPE", default_value_t = ScopeArg::All, hide_possible_values = true)]
    pub scope: ScopeArg,
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
    #[arg(long, value_enum, value_name = "SCOPE", default_value_t = ScopeArg::All, hide_possible_values = true)]
    pub scope: ScopeArg,
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
    #[arg(long, value_enum, value_name = "SCOPE", default_value_t = ScopeArg::All, hide_possible_values = true)]
    pub scope: ScopeArg,
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

#[derive(Debug, Subcommand)]
pub enum CacheCommand {
    /// Print the directory of the cache
    Path,
    /// Remove the cached listings of all workspaces
    Clear {
        /// Also remove the saved snapshots
        #[arg(long)]
        history: bool,
    },
}

#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Write a config file (mode 0600); on a terminal, ask for the key
    Init {
        /// Replace an existing file, and keep it as FILE.bak
        #[arg(long)]
        force: bool,
    },
    /// Print the path of the config file
    Path,
    /// Print the effective values and the source of each
    Show,
}

#[derive(Debug, Subcommand)]
pub enum DemoCommand {
    /// Serve the demo API until interrupted; print the variables to export
    Serve {
        /// Number of webhooks
        #[arg(long, value_name = "N", default_value_t = 1_200, allow_negative_numbers = true, value_parser = between(0, 100_000_000))]
        webhooks: u64,
        /// Delay before each response, in milliseconds
        #[arg(long, value_name = "MS", default_value_t = 0, allow_negative_numbers = true, value_parser = between(0, 60_000))]
        latency: u64,
        /// Port on loopback; 0 takes any free port
        #[arg(long, value_name = "PORT", default_value_t = 0, allow_negative_numbers = true, value_parser = port())]
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
    /// Returns true if color is to be used. `no_color` is true if `NO_COLOR` is set.
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
