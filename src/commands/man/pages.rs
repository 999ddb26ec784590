//! The text of the man pages, in roff.

use clap::{Arg, Command};
use roff::{Inline, Roff, bold, italic, roman};

use crate::analysis::query;
use crate::base::text::clean;
use crate::cli::examples::{self, Example};
use crate::config::{VARIABLES, example};
use crate::error::EXIT_CODES;
use crate::keymap::{ACTIONS, COPIES};

/// The date in the header of every page: that of the last change to the pages, so that each build writes the same bytes.
const DATE: &str = "2026-11-28";

/// Files of the program, with what they hold.
const FILES: &[(&str, &str)] = &[
    ("~/.config/hookscope/config.toml", "Config file; see hookscope-config(5)."),
    ("~/.cache/hookscope/", "Cache: the last consistent listing of each workspace, without keys and secrets."),
    ("~/.local/state/hookscope/history/", "History: saved snapshots of each workspace."),
    ("~/.local/state/hookscope/", "Filter history of the explorer and, with HOOKSCOPE_LOG, the log."),
];

/// One man page.
pub(super) struct ManPage {
    /// The file name, such as `hookscope-list.1`.
    pub(super) name: String,
    pub(super) text: String,
}

/// Every page.
pub(super) fn all(root: &Command) -> Vec<ManPage> {
    let mut pages = vec![main(root), config()];
    root.get_subcommands().for_each(|command| add(&mut pages, command, ""));
    pages
}

fn add(pages: &mut Vec<ManPage>, command: &Command, parent: &str) {
    let name = format!("{parent} {}", command.get_name()).trim_start().to_owned();
    pages.push(of_command(command, &name));
    command.get_subcommands().for_each(|below| add(pages, below, &name));
}

/// hookscope(1).
pub(super) fn main(root: &Command) -> ManPage {
    let mut page = Writer::new("hookscope", "1", &about(root));
    page.synopsis(root);
    page.section("DESCRIPTION");
    page.paragraph(
        "hookscope shows the webhooks of a DialNexa workspace: their destinations, events and state. It sends GET requests to the \
         API and changes nothing.",
    );
    page.paragraph(
        "Without a command, hookscope opens the explorer, an interactive view in the terminal. With --demo, it uses an embedded \
         demo workspace and needs neither a key nor a network.",
    );
    page.section("COMMANDS");
    page.commands(root, "");
    page.options(root);
    page.section("KEYS");
    page.paragraph("Keys of the explorer. The [keys] section of the config changes them.");
    page.keys();
    page.section("FILTER");
    page.verbatim(&query::help());
    page.table("FILES", FILES);
    page.table("ENVIRONMENT", VARIABLES);
    page.section("EXIT STATUS");
    for (code, meaning) in EXIT_CODES {
        page.entry(vec![bold(code)], &meaning.replace('`', ""));
    }
    page.paragraph("When several apply, the highest of 2 to 5 wins over 1.");
    page.examples(examples::of(""));
    let commands = root.get_subcommands().map(|command| format!("hookscope-{}(1)", command.get_name()));
    page.see_also(commands.chain(["hookscope-config(5)".to_owned()]));
    page.end()
}

/// The page of a command, by its name below `hookscope`, such as `config init`.
fn of_command(command: &Command, name: &str) -> ManPage {
    let mut page = Writer::new(&page_name(name), "1", &about(command));
    page.synopsis(command);
    page.section("DESCRIPTION");
    page.paragraph(&format!("{}.", about(command)));
    if command.has_subcommands() {
        page.section("COMMANDS");
        page.commands(command, name);
    }
    page.options(command);
    page.paragraph("The global options are described in hookscope(1).");
    page.examples(examples::of(name));
    let parent = name.rsplit_once(' ').map(|(parent, _)| format!("{}(1)", page_name(parent)));
    let below = command.get_subcommands().map(|below| format!("{}-{}(1)", page_name(name), below.get_name()));
    let config = name.starts_with("config").then(|| "hookscope-config(5)".to_owned());
    page.see_also(["hookscope(1)".to_owned()].into_iter().chain(parent).chain(below).chain(config));
    page.end()
}

/// hookscope-config(5), from the sample config.
fn config() -> ManPage {
    let mut page = Writer::new("hookscope-config", "5", "config file of hookscope");
    page.section("DESCRIPTION");
    page.paragraph(
        "The config file is TOML. hookscope reads ~/.config/hookscope/config.toml, or the file that --config or HOOKSCOPE_CONFIG \
         names. Every key is optional and shown with its default. An unknown key or an invalid value is an error.",
    );
    page.section("TOP LEVEL AND PROFILES");
    let (mut comment, mut keys): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    let sample = example();
    let lines: Vec<&str> = sample.lines().collect();
    for (number, line) in lines.iter().enumerate() {
        let next = lines.get(number + 1).copied().unwrap_or_default();
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            page.section(&name.to_uppercase());
            page.paragraph(format!("Keys of the section [{name}]. {}", comment.join(" ")).trim_end());
            comment.clear();
        } else if let Some(words) = line.strip_prefix("# ") {
            comment.push(words);
        } else if let Some(key) = line.strip_prefix('#').filter(|key| !key.is_empty()) {
            keys.push(key);
        }
        let ends = !next.starts_with('#') || next == "#" || (next.starts_with("# ") && !keys.is_empty());
        if ends && !keys.is_empty() {
            page.keys_of_config(&keys, &comment.join(" "));
            keys.clear();
            comment.clear();
        } else if (next.is_empty() || next == "#") && !comment.is_empty() {
            page.paragraph(&comment.join(" "));
            comment.clear();
        }
    }
    page.section("EXAMPLES");
    page.paragraph("A config with two workspaces:");
    page.verbatim(
        "default_profile = \"production\"\n\
         [profiles.production]\n\
         color = \"red\"\n\
         api_key_command = [\"pass\", \"show\", \"dialnexa/production\"]\n\
         [profiles.staging]\n\
         api_key_file = \"~/.config/hookscope/staging.key\"\n",
    );
    page.see_also(["hookscope(1)".to_owned(), "hookscope-config(1)".to_owned()].into_iter());
    page.end()
}

fn page_name(command: &str) -> String {
    format!("hookscope {command}").replace(' ', "-")
}

fn about(command: &Command) -> String {
    command.get_about().map(ToString::to_string).unwrap_or_default()
}

/// Columns of a line of text: escapes make it longer, and formatters complain about more than 80.
const COLUMNS: usize = 66;

/// A page that is being written.
struct Writer {
    name: String,
    roff: Roff,
    /// True after a heading, which begins a paragraph by itself.
    is_fresh: bool,
}

impl Writer {
    fn new(name: &str, section: &str, about: &str) -> Self {
        let mut roff = Roff::new();
        let version = format!("hookscope {}", env!("CARGO_PKG_VERSION"));
        roff.control("TH", [name.to_uppercase().as_str(), section, DATE, &version, "hookscope manual"]);
        roff.control("SH", ["NAME"]);
        let mut page = Self { name: format!("{name}.{section}"), roff, is_fresh: false };
        page.text(&format!("{name} - {about}"));
        page
    }

    fn end(self) -> ManPage {
        ManPage { name: self.name, text: self.roff.render() }
    }

    fn section(&mut self, heading: &str) {
        self.roff.control("SH", [heading]);
        self.is_fresh = true;
    }

    fn paragraph(&mut self, text: &str) {
        self.begin_paragraph();
        self.text(text);
    }

    fn begin_paragraph(&mut self) {
        if !self.is_fresh {
            self.roff.control("PP", []);
        }
        self.is_fresh = false;
    }

    /// Text that the formatter fills.
    fn text(&mut self, text: &str) {
        for line in clean(text).paragraph(COLUMNS) {
            self.roff.text([roman(line.as_str())]);
        }
        self.is_fresh = false;
    }

    /// A term and its description.
    fn entry(&mut self, term: Vec<Inline>, text: &str) {
        self.roff.control("TP", []);
        self.roff.text(term);
        self.text(text);
    }

    /// Lines as they are.
    fn verbatim(&mut self, text: &str) {
        self.begin_paragraph();
        self.roff.control("nf", []);
        for line in text.lines() {
            self.roff.text([roman(line)]);
        }
        self.roff.control("fi", []);
    }

    fn table(&mut self, heading: &str, rows: &[(&str, &str)]) {
        self.section(heading);
        for (name, text) in rows {
            self.entry(vec![bold(*name)], text);
        }
    }

    fn synopsis(&mut self, command: &Command) {
        self.section("SYNOPSIS");
        let usage = command.clone().render_usage().to_string();
        self.roff.text([roman(usage.trim_start_matches("Usage:").trim())]);
    }

    fn commands(&mut self, command: &Command, parent: &str) {
        for below in command.get_subcommands() {
            let name = format!("{parent} {}", below.get_name());
            let page = page_name(name.trim_start());
            self.entry(vec![bold(page), roman("(1)")], &about(below));
        }
    }

    fn options(&mut self, command: &Command) {
        let shown = |arg: &&Arg| !arg.is_hide_set();
        let mut heading = None;
        for arg in command.get_arguments().filter(shown) {
            let of_arg = arg.get_help_heading().unwrap_or("Options").to_uppercase();
            if heading.as_ref() != Some(&of_arg) {
                self.section(&of_arg);
                heading = Some(of_arg);
            }
            let default: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
            let default = match default.as_slice() {
                [default] if arg.get_action().takes_values() && !arg.is_hide_default_value_set() => {
                    format!(" The default is {default}.")
                }
                _ => String::new(),
            };
            let help = match arg.get_id().as_str() {
                "help" => "Print help; -h prints a summary".to_owned(),
                _ => arg.get_long_help().or_else(|| arg.get_help()).map(ToString::to_string).unwrap_or_default(),
            };
            let sentence =
                |text: &str| if text.ends_with(['.', ':', ']', '"']) { text.to_owned() } else { format!("{text}.") };
            let paragraphs: Vec<_> = help.split("\n\n").map(sentence).collect();
            self.option(arg, &format!("{}{default}", paragraphs.join("\n\n")));
        }
    }

    /// An option with the paragraphs of its help. A paragraph that starts like a TOML table is an example.
    fn option(&mut self, arg: &Arg, help: &str) {
        self.roff.control("TP", []);
        self.roff.text(term_of(arg));
        for (number, paragraph) in help.split("\n\n").enumerate() {
            if number > 0 {
                self.roff.control("IP", []);
            }
            let is_example = paragraph.starts_with('[') && paragraph.contains('\n');
            if is_example {
                self.roff.control("nf", []);
                for line in paragraph.lines() {
                    self.roff.text([roman(line)]);
                }
                self.roff.control("fi", []);
            } else {
                self.text(paragraph);
            }
        }
    }

    fn keys(&mut self) {
        for entry in ACTIONS {
            self.entry(vec![bold(entry.keys.join(" "))], entry.help);
        }
        for (key, _, words) in COPIES {
            self.entry(vec![bold(format!("y {key}"))], &format!("copy: {words}"));
        }
    }

    /// Keys of the config with their comment, or for actions, which have none, with their help.
    fn keys_of_config(&mut self, keys: &[&str], text: &str) {
        if text.is_empty() {
            for key in keys {
                let name = key.split(' ').next().unwrap_or_default();
                let help = ACTIONS.iter().find(|entry| entry.name == name).map_or("", |entry| entry.help);
                self.entry(vec![bold(*key)], help);
            }
            return;
        }
        for (number, key) in keys.iter().enumerate() {
            self.roff.control(if number == 0 { "TP" } else { "TQ" }, []);
            self.roff.text([bold(*key)]);
        }
        self.text(text);
    }

    fn examples(&mut self, examples: &[Example]) {
        self.section("EXAMPLES");
        for example in examples {
            self.paragraph(&format!("{}:", example.about));
            self.roff.control("RS", ["4"]);
            self.roff.control("nf", []);
            self.roff.text([bold(example.line)]);
            self.roff.control("fi", []);
            self.roff.control("RE", []);
        }
    }

    fn see_also(&mut self, pages: impl Iterator<Item = String>) {
        self.section("SEE ALSO");
        let mut pages: Vec<_> = pages.collect();
        pages.sort_by_key(|page| (page.ends_with("(5)"), page.clone()));
        pages.dedup();
        for (number, page) in pages.iter().enumerate() {
            let (name, section) = page.split_at(page.len() - "(1)".len());
            let comma = if number + 1 < pages.len() { "," } else { "" };
            self.roff.text([bold(name), roman(format!("{section}{comma}"))]);
        }
    }
}

/// `-o, --output FORMAT`
fn term_of(arg: &Arg) -> Vec<Inline> {
    let value = arg.get_value_names().and_then(|names| names.first()).map(ToString::to_string);
    let mut term = Vec::new();
    if let Some(short) = arg.get_short() {
        term.push(bold(format!("-{short}")));
    }
    if let Some(long) = arg.get_long() {
        term.extend([roman(if term.is_empty() { "" } else { ", " }), bold(format!("--{long}"))]);
    }
    if let Some(value) = value.filter(|_| arg.get_action().takes_values()) {
        term.extend([roman(if term.is_empty() { "" } else { " " }), italic(value)]);
    }
    term
}
