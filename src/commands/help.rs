//! `hookscope help`: the options and examples of a command, or a topic at length.

use crate::analysis::{nearest, query, sort};
use crate::base::text::{clean, clean_head};
use crate::cli;
use crate::config::{default_path, example};
use crate::error::{EXIT_CODES, Error, Exit};
use crate::keymap::{ACTIONS, COPIES, Entry};
use crate::output::{Format, Output, columns_help};
use crate::safe;

/// Columns of the topics.
const COLUMNS: usize = 80;

/// A help topic.
pub(super) struct Topic {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    text: fn() -> String,
}

pub(super) const TOPICS: [Topic; 5] = [
    Topic { name: "filter", about: "The filter language", text: query::help },
    Topic { name: "config", about: "The config file", text: config },
    Topic { name: "exit-codes", about: "What each exit code means", text: exit_codes },
    Topic { name: "formats", about: "Output formats, columns and sort keys", text: formats },
    Topic { name: "keys", about: "The keys of the explorer", text: keys },
];

/// Prints the requested help.
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
    let root = cli::help::command(None);
    let mut command = &root;
    for (depth, word) in words.iter().enumerate() {
        command = command.find_subcommand(word).ok_or_else(|| {
            let names: Vec<_> = command.get_subcommands().map(clap::Command::get_name).collect();
            let topics: Vec<_> = TOPICS.iter().map(|topic| topic.name).collect();
            let known = topics.iter().filter(|_| depth == 0).chain(&names).copied();
            let near = nearest(word, known).filter(|near| near != word);
            let near = near.map(|near| safe!("Did you mean {}? ", clean(near))).unwrap_or_default();
            Error::Usage {
                message: safe!("help: unknown command or topic {}", clean_head(word, 40)),
                advice: Some(match names.as_slice() {
                    [] => safe!("{}Topics: {}. hookscope --help lists the commands.", near, clean(&topics.join(", "))),
                    _ => safe!("{}Topics: {}. Commands: {}", near, clean(&topics.join(", ")), clean(&names.join(", "))),
                }),
            }
        })?;
    }
    // The parser renders the text of --help, with the name of the program in front.
    let line = ["hookscope"].into_iter().chain(words.iter().map(String::as_str)).chain(["--help"]);
    let help = root.clone().try_get_matches_from(line).err();
    Ok(help.map(|help| help.to_string()).unwrap_or_default())
}

/// A paragraph whose lines after the first one are indented.
fn hanging(start: &str, indent: usize, text: &str) -> String {
    let lines = clean(text).paragraph(COLUMNS - indent);
    let mut out = String::new();
    for (number, line) in lines.iter().enumerate() {
        let start = if number == 0 { start } else { "" };
        out.push_str(&format!("{start:<indent$}{line}\n"));
    }
    out
}

fn config() -> String {
    let place = default_path().map_or_else(
        || "No home directory was found; name a file with --config FILE.".to_owned(),
        |path| {
            let path = clean(&path.to_string_lossy());
            format!("hookscope reads {path},\nor the file that --config or HOOKSCOPE_CONFIG names.")
        },
    );
    format!(
        "The config file\n\n{place}\n\n\
         hookscope config init    writes the text below to that file\n\
         hookscope config show    prints the effective values and their sources\n\n{}",
        example()
    )
}

fn exit_codes() -> String {
    let mut text = "Exit codes\n\n".to_owned();
    for (code, meaning) in EXIT_CODES {
        text.push_str(&hanging(&format!("  {code}"), 17, meaning));
    }
    text.push_str("\nWhen several apply, the highest of 2 to 5 wins over 1.\n");
    text
}

fn formats() -> String {
    use clap::ValueEnum;
    let mut text = "Formats of -o\n\n".to_owned();
    for format in Format::value_variants() {
        if let Some(value) = format.to_possible_value() {
            let about = value.get_help().map(ToString::to_string).unwrap_or_default();
            text.push_str(&hanging(&format!("  {}", value.get_name()), 12, &about));
        }
    }
    text.push_str(
        "\n\
         The default is table on a terminal and tsv on a pipe. Tables and markdown mask\n\
         credentials in URLs; the other formats carry the true URL. In tsv and ids,\n\
         control characters, tabs and line breaks within a value become visible marks.\n\n\
         audit also has sarif (SARIF 2.1.0) and junit (JUnit XML), but no ids; it masks\n\
         credentials in every format.\n",
    );
    for (commands, columns) in columns_help() {
        text.push_str(&format!("\nColumns of {commands}\n\n"));
        for (name, about) in columns {
            text.push_str(&hanging(&format!("  {name}"), 16, about));
        }
    }
    text.push_str("\nSort keys; append :desc to reverse the order\n\n");
    for entry in sort::SORT_KEYS {
        text.push_str(&format!("  {:<10}{}\n", entry.name, entry.help));
    }
    text
}

fn keys() -> String {
    let mut text = "Keys of the explorer\n\n".to_owned();
    for Entry { keys, help, .. } in ACTIONS {
        text.push_str(&hanging(&format!("  {}", keys.join(" ")), 18, help));
    }
    text.push_str("\nKeys of the copy menu, which y opens\n\n");
    for (key, _, what) in COPIES {
        text.push_str(&format!("  {key:<16}{what}\n"));
    }
    text.push_str(
        "\n\
         These are the defaults. The [keys] section of the config changes them, and\n\
         ? in the explorer lists those in effect. The names of the actions are in\n\
         hookscope help config.\n",
    );
    text
}
