//! `hookscope help`: a command's options, or a topic at length.

use clap::CommandFactory;

use super::Exit;
use crate::analysis::{query, sort};
use crate::cli::Cli;
use crate::error::{EXIT_CODES, Error};
use crate::output::{Format, Output, columns_help};
use crate::safe;
use crate::text::clean_head;

/// A topic and what makes its text.
const TOPICS: [(&str, fn() -> String); 4] =
    [("filter", query::help), ("config", config), ("exit-codes", exit_codes), ("formats", formats)];

/// Prints the help that is asked for.
pub(super) fn run(words: &[String]) -> Result<Exit, Error> {
    let text = match words {
        [] => Cli::command().render_help().to_string(),
        [topic] if TOPICS.iter().any(|(name, _)| name == topic) => {
            TOPICS.iter().find(|(name, _)| name == topic).map(|(_, text)| text()).unwrap_or_default()
        }
        words => of_command(words)?,
    };
    Output::stdout().send(|out| out.raw(text.as_bytes())).map(|_reader| Exit::Done)
}

fn of_command(words: &[String]) -> Result<String, Error> {
    let mut root = Cli::command();
    // So that a command knows the options that all have, and is called by its whole name.
    root.build();
    let mut command = &mut root;
    for word in words {
        command = command.find_subcommand_mut(word).ok_or_else(|| Error::Usage {
            message: safe!("help: there is no command or topic {}", clean_head(word, 40)),
            advice: Some("Topics are filter, config, exit-codes and formats; hookscope --help lists the commands.".into()),
        })?;
    }
    Ok(command.render_help().to_string())
}

fn config() -> String {
    let place = crate::config::usual_path().map_or_else(
        || "There is no home directory to have one in; --config FILE names one.".to_owned(),
        |path| format!("It is read from {}, or from what --config FILE or HOOKSCOPE_CONFIG names.", path.display()),
    );
    format!(
        "The config file\n\n{place}\n`hookscope config init` writes this text there, `hookscope config show` says what is in effect.\n\n{}",
        include_str!("../../config.example.toml")
    )
}

fn exit_codes() -> String {
    let mut text = "Exit codes\n\n".to_owned();
    for (code, meaning) in EXIT_CODES {
        text.push_str(&format!("  {code:<15}{meaning}\n"));
    }
    text.push_str("\nWhen several hold, the highest of 2 to 5 wins over 1.\n");
    text
}

fn formats() -> String {
    use clap::ValueEnum;
    let mut text = "Formats of -o\n\n".to_owned();
    for format in Format::value_variants() {
        if let Some(value) = format.to_possible_value() {
            let about = value.get_help().map(ToString::to_string).unwrap_or_default();
            text.push_str(&format!("  {:<10}{about}\n", value.get_name()));
        }
    }
    text.push_str(
        "\nA table is what a terminal gets, tsv what a pipe gets. Tables and markdown mask credentials in URLs; all other formats\ncarry the true value. In tsv and ids, control characters, tabs and line breaks inside a value become visible marks.\n",
    );
    for (commands, columns) in columns_help() {
        text.push_str(&format!("\nColumns of {commands}\n\n"));
        for (name, about) in columns {
            text.push_str(&format!("  {name:<13}{about}\n"));
        }
    }
    text.push_str(&format!(
        "\nKeys of --sort\n\n  {}; each may end in :asc or :desc\n",
        sort::KEYS.map(|(name, _)| name).join(", ")
    ));
    text
}
