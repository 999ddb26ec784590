//! The command line: types only, and what `--help` says.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::model::Scope;

/// See what DialNexa webhooks a workspace has: destinations, events, state. Read-only.
///
/// Without a command, the explorer opens. `hookscope --demo` tries it without a key and without a network.
#[derive(Debug, Parser)]
#[command(name = "hookscope", version, max_term_width = 100, args_conflicts_with_subcommands = false)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    /// Start with all, active or inactive webhooks
    #[arg(long, value_enum, value_name = "SCOPE")]
    pub scope: Option<ScopeArg>,
    /// Refresh every so many seconds from the start
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(5..=86_400))]
    pub refresh: Option<u64>,
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options of every command.
#[derive(Debug, Args)]
pub struct Global {
    /// Config file instead of the usual one [env: HOOKSCOPE_CONFIG]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Which workspace of the config [env: HOOKSCOPE_PROFILE]
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,
    /// Address of the API; an empty path means /v1 [env: DIALNEXA_BASE_URL]
    #[arg(long, global = true, value_name = "URL", conflicts_with = "demo")]
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
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print every webhook
    List(ListArgs),
    /// The demo API alone, for trying out scripts
    Demo {
        #[command(subcommand)]
        command: DemoCommand,
    },
}

#[derive(Debug, Args)]
pub struct ListArgs {
    /// All, active or inactive webhooks
    #[arg(long, value_enum, value_name = "SCOPE", default_value_t = ScopeArg::All)]
    pub scope: ScopeArg,
    /// At most so many webhooks, with no more requests than they need
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
    /// Output format
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t = Format::Tsv)]
    pub output: Format,
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// id, state, url, events, time of creation; one webhook a line, no header
    Tsv,
    /// One array
    Json,
    /// One id a line
    Ids,
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
