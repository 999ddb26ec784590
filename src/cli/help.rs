//! The layout of `-h` and `--help`: `-h` fits a terminal of 24 lines, `--help` adds examples, and the global options are
//! described once, at `hookscope`.

use clap::{Arg, Command};

use super::{examples, placement};

/// Commands that `hookscope -h` names without describing them.
const MINOR: [&str; 5] = ["history", "cache", "demo", "completions", "man"];

/// The options in `hookscope -h`.
const OPTIONS: &str = "\
Options: --config, --profile, --from, --cached, --demo, ... (see hookscope --help)

Without a command, hookscope opens the explorer. Try it: hookscope --demo";

/// In place of the global options of a command.
const GLOBAL_OPTIONS: &str = "Global options: --config, --profile, --from, --demo, ... (see hookscope --help)";

const TOPICS: &str = "\
Without a command, hookscope opens the explorer. More help:
  hookscope help COMMAND
  hookscope help filter | config | exit-codes | formats | keys";

/// The commands with their help, for a terminal of `columns`, or for the current one.
pub fn command(columns: Option<usize>) -> Command {
    let root = match columns {
        Some(columns) => placement::command().term_width(columns),
        None => placement::command(),
    };
    let mut root = lay_out(root).mut_subcommands(|command| add_examples(command, ""));
    // Only a built command has its global options.
    root.build();
    root.mut_subcommands(collapse)
}

/// The help of `hookscope` itself.
fn lay_out(root: Command) -> Command {
    let minor = |command: Command| if MINOR.contains(&command.get_name()) { command.hide(true) } else { command };
    let commands = root.clone().mut_subcommands(minor).help_template("Commands:\n{subcommands}").render_help();
    let short = format!("{}\n  {}\n\n{OPTIONS}", commands.to_string().trim_end(), MINOR.join(", "));
    let options = root.clone().help_template("{all-args}").render_help();
    let long = format!("{}\n\n{}\n\n{TOPICS}", options.to_string().trim_end(), section(""));
    root.help_template("{about-with-newline}\n{usage-heading} {usage}{after-help}").after_help(short).after_long_help(long)
}

/// Adds the examples of a command and of those below it.
fn add_examples(command: Command, parent: &str) -> Command {
    let name = format!("{parent} {}", command.get_name()).trim_start().to_owned();
    let long = format!("{}\n\n{GLOBAL_OPTIONS}", section(&name));
    let command = command.after_help(GLOBAL_OPTIONS).after_long_help(long);
    command.mut_subcommands(|below| add_examples(below, &name))
}

/// Hides the global options of a command and of those below it.
fn collapse(command: Command) -> Command {
    let hide = |arg: Arg| if arg.is_global_set() { arg.hide(true) } else { arg };
    command.mut_args(hide).mut_subcommands(collapse)
}

/// The section of examples.
fn section(command: &str) -> String {
    let mut text = "Examples:\n".to_owned();
    for example in examples::of(command) {
        text.push_str(&format!("  # {}\n  $ {}\n\n", example.about, example.line));
    }
    text.truncate(text.trim_end().len());
    text
}
