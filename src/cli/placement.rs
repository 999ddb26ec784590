//! Rejects options that the command would ignore, and suggests where to use them.
//!
//! The parser takes options of the explorer before any command, and global options with every command. An option that is
//! silently ignored is dangerous: `hookscope --filter host:old.example.com plan map.toml -o sh` would change every webhook.

use std::ffi::OsString;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory as _};

use super::Cli;
use crate::base::text::{Safe, clean};
use crate::error::Error;
use crate::safe;

/// Global options that select the webhooks to read. The others (`--config`, `--color`, …) are settings, which are harmless
/// where they have no effect.
const SOURCES: [&str; 6] = ["profile", "all-profiles", "from", "cached", "base-url", "demo"];

/// The source options that each command accepts. A command not listed accepts none; help and completions read nothing.
const TAKES: &[(&str, &[&str])] = &[
    ("hookscope", &["profile", "from", "base-url", "demo"]),
    ("list", &SOURCES),
    ("audit", &SOURCES),
    ("probe", &SOURCES),
    ("metrics", &SOURCES),
    ("get", ONE_WORKSPACE),
    ("events", ONE_WORKSPACE),
    ("snapshot", ONE_WORKSPACE),
    ("diff", ONE_WORKSPACE),
    ("plan", ONE_WORKSPACE),
    ("watch", &["profile", "base-url", "demo"]),
    ("history", &["profile", "base-url"]),
    ("doctor", &["profile", "base-url", "demo"]),
    ("config show", &["profile", "base-url"]),
    ("help", &SOURCES),
    ("completions", &SOURCES),
    ("man", &SOURCES),
];

const ONE_WORKSPACE: &[&str] = &["profile", "from", "cached", "base-url", "demo"];

/// Options that select the input or the output file, which can be given only once: of two values, it is not clear which one
/// is meant. Any other option is a setting that an alias may contain, so its last value wins.
const ONCE: [&str; 11] =
    ["config", "profile", "from", "base-url", "filter", "deliveries", "retired-file", "file", "since", "page", "explain"];

/// The command line to parse. If a setting is repeated, its last value wins.
pub fn command() -> Command {
    last_wins(Cli::command())
}

fn last_wins(command: Command) -> Command {
    let setting = |arg: Arg| {
        let is_once = arg.get_long().is_none_or(|long| ONCE.contains(&long));
        let is_replaced = matches!(arg.get_action(), ArgAction::Set | ArgAction::SetTrue);
        let id = arg.get_id().clone();
        if is_replaced && !is_once { arg.overrides_with(id) } else { arg }
    };
    command.mut_args(setting).mut_subcommands(last_wins)
}

/// Checks that the command uses every option that was given. `words` is the command line from the program's name on.
///
/// # Errors
///
/// The first option that the command would ignore, with the right spelling.
pub fn check(root: &Command, matches: &ArgMatches, words: &[OsString]) -> Result<(), Error> {
    refuse_repeated(root, words)?;
    let (mut name, mut command, mut of_command) = (String::new(), root, matches);
    while let Some((next, inner)) = of_command.subcommand() {
        let Some(found) = command.find_subcommand(next) else { break };
        (command, of_command) = (found, inner);
        name = if name.is_empty() { next.to_owned() } else { format!("{name} {next}") };
    }
    if !name.is_empty() {
        let own = root.get_arguments().filter(|arg| !arg.is_global_set());
        if let Some(arg) = own.into_iter().find(|arg| is_given(matches, arg)) {
            return Err(of_explorer(arg, &name, command));
        }
    }
    let name = if name.is_empty() { "hookscope" } else { &name };
    let takes = TAKES.iter().find(|(command, _)| *command == name).map_or(&[][..], |(_, takes)| takes);
    let source = |arg: &Arg| arg.get_long().and_then(|long| SOURCES.into_iter().find(|source| *source == long));
    let mut ignored = root.get_arguments().filter(|arg| is_given(of_command, arg)).filter_map(source);
    match ignored.find(|source| !takes.contains(source)) {
        Some(source) => Err(of_others(source, name)),
        None => Ok(()),
    }
}

/// Refuses a source that is given before a command and again after it: the parser would ignore the first one.
fn refuse_repeated(root: &Command, words: &[OsString]) -> Result<(), Error> {
    let globals: Vec<_> =
        root.get_arguments().filter(|arg| arg.is_global_set()).map(|arg| arg.clone().global(false)).collect();
    let root = root.clone().mut_args(|arg| arg.global(false)).mut_subcommands(|command| spread(command, &globals));
    let Ok(matches) = root.try_get_matches_from(words) else { return Ok(()) };
    let once: Vec<_> = globals.iter().filter(|arg| arg.get_long().is_some_and(|long| ONCE.contains(&long))).collect();
    let (mut level, mut before): (_, Vec<&Arg>) = (&matches, Vec::new());
    while let Some((name, inner)) = level.subcommand() {
        before.extend(once.iter().filter(|arg| is_given(level, arg)));
        if let Some(arg) = before.iter().find(|arg| is_given(inner, arg)) {
            let long = clean(arg.get_long().unwrap_or_default());
            return Err(Error::Usage {
                message: safe!("--{} is given twice: before {} and after it", long, clean(name)),
                advice: Some("Leave one of them out.".into()),
            });
        }
        level = inner;
    }
    Ok(())
}

/// Adds the global options to every level of a command, so that each level reports those given there.
fn spread(command: Command, globals: &[Arg]) -> Command {
    command.args(globals).mut_subcommands(|inner| spread(inner, globals))
}

fn is_given(matches: &ArgMatches, arg: &Arg) -> bool {
    matches.try_contains_id(arg.get_id().as_str()).is_ok()
        && matches.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine)
}

/// The error for an option of the explorer before a command.
fn of_explorer(arg: &Arg, name: &str, command: &Command) -> Error {
    let long = arg.get_long().unwrap_or_default();
    let value = arg.get_value_names().and_then(|names| names.first()).map_or("", |name| name.as_str());
    let spelled = clean(&format!("--{long} {value}"));
    let takes_it = command.get_arguments().any(|own| own.get_long() == Some(long));
    let (message, advice) = if takes_it {
        let message = safe!("--{} before a command is an explorer option", clean(long));
        (message, safe!("Write it after the command: hookscope {} {}", clean(name), spelled))
    } else {
        let message = safe!("{} does not take --{}, which is an explorer option", clean(name), clean(long));
        (message, safe!("Leave it out, or open the explorer: hookscope {}", spelled))
    };
    Error::Usage { message, advice: Some(advice) }
}

/// The error for a source of webhooks that the command does not read.
fn of_others(source: &'static str, name: &str) -> Error {
    let who = if name == "hookscope" { Safe::from("the explorer") } else { clean(name) };
    let reads = |(command, takes): &(&'static str, &[&str])| {
        (takes.contains(&source) && !matches!(*command, "hookscope" | "help" | "completions" | "man")).then_some(*command)
    };
    let commands: Vec<_> = TAKES.iter().filter_map(reads).collect();
    Error::Usage {
        message: safe!("{} does not take --{}", who, source),
        advice: Some(safe!("Leave it out. Commands that take it: {}", clean(&commands.join(", ")))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A value that the option accepts.
    fn value_for(arg: &Arg) -> Option<String> {
        if !arg.get_action().takes_values() {
            return None;
        }
        let possible = arg.get_possible_values();
        Some(possible.first().map_or_else(|| "30".to_owned(), |value| value.get_name().to_owned()))
    }

    fn words_of(arg: &Arg) -> Vec<String> {
        let long = format!("--{}", arg.get_long().unwrap());
        std::iter::once(long).chain(value_for(arg)).collect()
    }

    /// Every command, as its words and its required arguments.
    fn leaves(command: &Command, words: &[String]) -> Vec<(Vec<String>, Vec<String>)> {
        let subcommands: Vec<_> = command.get_subcommands().collect();
        if subcommands.is_empty() {
            let required = command.get_arguments().filter(|arg| arg.is_required_set());
            let value = |arg: &Arg| if arg.get_id() == "shell" { "bash".to_owned() } else { value_for(arg).unwrap() };
            return vec![(words.to_vec(), required.map(value).collect())];
        }
        let below = |inner: &&Command| leaves(inner, &[words, &[inner.get_name().to_owned()]].concat());
        subcommands.iter().flat_map(below).collect()
    }

    fn checked(words: &[String]) -> Result<(), String> {
        let root = command();
        let words = std::iter::once("hookscope".to_owned()).chain(words.iter().cloned());
        let words: Vec<OsString> = words.map(OsString::from).collect();
        let matches = root.clone().try_get_matches_from(&words).unwrap();
        check(&root, &matches, &words)
            .map_err(|error| error.lines().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    }

    #[test]
    fn no_option_of_the_explorer_is_ignored_before_any_command() {
        let root = command();
        let own: Vec<_> =
            root.get_arguments().filter(|arg| !arg.is_global_set() && arg.get_action().takes_values()).collect();
        assert!(own.iter().filter_map(|arg| arg.get_long()).eq(["scope", "refresh", "filter", "view", "deliveries"]));
        let leaves = leaves(&root, &[]);
        assert!(leaves.len() > 20);
        for (command, required) in leaves {
            for arg in &own {
                let words = [words_of(arg), command.clone(), required.clone()].concat();
                let refused = checked(&words).unwrap_err();
                let long = format!("--{}", arg.get_long().unwrap());
                let own_option = words_of(arg);
                let behind = [command.clone(), required.clone(), own_option].concat();
                let takes_it =
                    root.clone().try_get_matches_from(std::iter::once("hookscope".to_owned()).chain(behind.clone()));
                if takes_it.is_ok() {
                    assert!(refused.contains(&format!("hookscope {} {long} ", command.join(" "))), "{words:?}: {refused}");
                    assert_eq!(checked(&behind), Ok(()), "{behind:?}");
                } else {
                    assert!(refused.contains(&format!("does not take {long}")), "{words:?}: {refused}");
                }
            }
        }
    }

    #[test]
    fn a_source_that_a_command_does_not_read_is_refused_wherever_it_is_written() {
        let root = command();
        let globals: Vec<_> = root.get_arguments().filter(|arg| arg.is_global_set()).collect();
        for (command, required) in leaves(&root, &[]) {
            let name = command.join(" ");
            for arg in &globals {
                let long = arg.get_long().unwrap();
                let takes = TAKES.iter().find(|(known, _)| *known == name).map_or(&[][..], |(_, takes)| takes);
                let is_good = !SOURCES.contains(&long) || takes.contains(&long);
                let option = words_of(arg);
                for words in [
                    [option.clone(), command.clone(), required.clone()].concat(),
                    [command.clone(), required.clone(), option.clone()].concat(),
                ] {
                    let found = checked(&words);
                    assert_eq!(found.is_ok(), is_good, "{words:?}: {found:?}");
                }
            }
        }
        for words in [["--cached", "doctor"], ["cache", "path"]] {
            let found = checked(&words.map(str::to_owned));
            assert_eq!(found.is_ok(), words[0] == "cache", "{found:?}");
        }
        // Every name in the table is the name of a command.
        let names: Vec<_> = leaves(&root, &[]).into_iter().map(|(words, _)| words.join(" ")).collect();
        assert!(TAKES.iter().all(|(name, _)| *name == "hookscope" || names.iter().any(|known| known == name)));
    }

    #[test]
    fn a_value_is_not_given_before_the_command_and_again_after_it() {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        for (line, option) in [
            ("--from a.json list --from b.json", "--from"),
            ("--profile list list --profile b", "--profile"),
            ("--timeout 5 --base-url a audit --timeout 5 --base-url b", "--base-url"),
            ("--config a config show --config b", "--config"),
            ("config --profile a show --profile b", "--profile"),
        ] {
            let refused = checked(&words(line)).unwrap_err();
            assert!(refused.contains(&format!("{option} is given twice")), "{line}: {refused}");
        }
        for line in [
            "--from list list",
            "-q list -q",
            "--demo list --demo",
            "--profile a list --timeout 5",
            "list --from list",
            "--color never list --color always",
            "--timeout 5 list --timeout 6 --timeout 7",
        ] {
            assert_eq!(checked(&words(line)), Ok(()), "{line}");
        }
    }

    #[test]
    fn the_explorer_refuses_what_is_for_commands() {
        for option in ["--cached", "--all-profiles"] {
            let refused = checked(&[option.to_owned()]).unwrap_err();
            assert!(refused.contains("the explorer does not take") && refused.contains("list, audit"), "{refused}");
        }
        assert_eq!(checked(&["--demo", "--filter", "x", "--view", "hosts"].map(str::to_owned)), Ok(()));
    }

    #[test]
    fn an_output_is_a_format_in_every_command() {
        fn look(command: &Command) {
            for arg in command.get_arguments() {
                if arg.get_long() == Some("output") || arg.get_short() == Some('o') {
                    let names: Vec<&str> =
                        arg.get_value_names().unwrap_or_default().iter().map(clap::builder::Str::as_str).collect();
                    assert_eq!(names, ["FORMAT"], "{}", command.get_name());
                    assert_eq!((arg.get_long(), arg.get_short()), (Some("output"), Some('o')), "{}", command.get_name());
                }
            }
            command.get_subcommands().for_each(look);
        }
        look(&command());
    }
}
