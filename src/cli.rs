//! The command line: commands, global options and their help. The arguments of each command are in [`args`], examples in
//! [`examples`], the layout of the help in [`help`], the words of a usage error in [`usage`].

pub mod args;
pub mod examples;
pub mod help;
pub mod placement;
pub mod usage;
mod values;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use self::args::{
    AuditArgs, DiffArgs, EventsArgs, GetArgs, HistoryArgs, ListArgs, MetricsArgs, PlanArgs, ProbeArgs, SnapshotArgs,
    WatchArgs,
};
use self::values::{between, port};
use crate::error::Error;
use crate::model::Scope;
use crate::output::Verbosity;
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
    pub scope: Option<Scope>,
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
    pub fn say(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, true) => Verbosity::Verbose,
            (false, false) => Verbosity::Normal,
        }
    }

    /// Rejects options that contradict each other. The parser does not notice if one comes before the command and the other
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
