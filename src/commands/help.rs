//! `hookscope help`: a command's options, or a topic at length.

use clap::CommandFactory;

use super::Exit;
use crate::analysis::{query, sort};
use crate::cli::Cli;
use crate::error::{EXIT_CODES, Error};
use crate::output::{Format, Output, columns_help};
use crate::safe;
use crate::text::clean_head;

/// Something that is explained at length.
struct Topic {
    name: &'static str,
    text: fn() -> String,
}

const TOPICS: [Topic; 4] = [
    Topic { name: "filter", text: query::help },
    Topic { name: "config", text: config },
    Topic { name: "exit-codes", text: exit_codes },
    Topic { name: "formats", text: formats },
];

/// Prints the help that is asked for.
pub(super) fn run(words: &[String]) -> Result<Exit, Error> {
    let topic = match words {
        [word] => TOPICS.iter().find(|topic| topic.name == word),
        _ => None,
    };
    let text = match topic {
        Some(topic) => (topic.text)(),
        None => of_command(words)?,
    };
    Output::stdout().send(|out| out.raw(text.as_bytes())).map(|_reader| Exit::Done)
}

fn of_command(words: &[String]) -> Result<String, Error> {
    let root = Cli::command();
    let mut command = &root;
    for word in words {
        command = command.find_subcommand(word).ok_or_else(|| Error::Usage {
            message: safe!("help: there is no command or topic {}", clean_head(word, 40)),
            advice: Some("Topics are filter, config, exit-codes and formats; hookscope --help lists the commands.".into()),
        })?;
    }
    // The very text of --help, which the parser makes longer for some commands than for others.
    let line = ["hookscope"].into_iter().chain(words.iter().map(String::as_str)).chain(["--help"]);
    let help = Cli::command().try_get_matches_from(line).err();
    Ok(help.map(|help| help.to_string()).unwrap_or_default())
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
    text.push_str(
        "audit has sarif (SARIF 2.1.0) and junit (JUnit XML) besides, and no ids; it masks credentials in every format.\n",
    );
    for (commands, columns) in columns_help() {
        text.push_str(&format!("\nColumns of {commands}\n\n"));
        for (name, about) in columns {
            text.push_str(&format!("  {name:<13}{about}\n"));
        }
    }
    text.push_str("\nKeys of --sort; :desc behind a key turns its order round\n\n");
    for entry in sort::SORT_KEYS {
        text.push_str(&format!("  {:<10}{}\n", entry.name, entry.help));
    }
    text
}
