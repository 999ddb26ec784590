//! Rewords errors of the argument parser as two lines, like any other error: what is wrong, and what to do.

use std::collections::VecDeque;
use std::error::Error as _;
use std::ffi::OsString;

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::base::text::{Safe, clean_head};
use crate::error::Error;
use crate::safe;

/// The most columns of a typed word that a message repeats.
const WORD: usize = 60;

/// Rewords an error of the parser. `words` is the command line.
pub fn explain(error: &clap::Error, root: &Command, words: &[OsString]) -> Error {
    let details = Details { error, root, words };
    let (message, advice) = details.reword();
    Error::Usage { message, advice: Some(advice.unwrap_or_else(|| details.see_help())) }
}

/// An error of the parser with its context.
struct Details<'a> {
    error: &'a clap::Error,
    root: &'a Command,
    words: &'a [OsString],
}

impl Details<'_> {
    fn reword(&self) -> (Safe, Option<Safe>) {
        match self.error.kind() {
            ErrorKind::InvalidSubcommand => self.unknown_command(),
            ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                (safe!("{} needs a command: {}", self.command(), choices_of(&self.subcommands())), None)
            }
            ErrorKind::UnknownArgument => self.unknown_argument(),
            ErrorKind::InvalidValue if self.text(ContextKind::InvalidValue).is_empty() => self.missing_value(),
            ErrorKind::InvalidValue => self.wrong_choice(),
            ErrorKind::ValueValidation => self.wrong_value(),
            ErrorKind::TooManyValues => (safe!("{} takes no value", self.option()), None),
            ErrorKind::ArgumentConflict => self.conflict(),
            ErrorKind::MissingRequiredArgument => {
                (safe!("{} needs an argument: {}", self.command(), self.arguments()), None)
            }
            ErrorKind::InvalidUtf8 => ("an argument is not valid UTF-8".into(), None),
            _ => (self.first_line(), None),
        }
    }

    fn unknown_command(&self) -> (Safe, Option<Safe>) {
        let word = self.text(ContextKind::InvalidSubcommand);
        let command = self.command();
        let message = match command.as_str() {
            "hookscope" => safe!("unknown command {}", word),
            _ => safe!("{}: unknown command {}", command, word),
        };
        let list = safe!("Commands: {}", list(&self.subcommands()));
        let nearest = self.nearest(ContextKind::InvalidSubcommand, ContextKind::SuggestedSubcommand);
        (message, Some(if nearest.is_empty() { list } else { safe!("Did you mean {}? {}", nearest, list) }))
    }

    fn unknown_argument(&self) -> (Safe, Option<Safe>) {
        let word = self.text(ContextKind::InvalidArg);
        let nearest = self.nearest(ContextKind::InvalidArg, ContextKind::SuggestedArg);
        if !word.as_str().starts_with('-') {
            return (safe!("{} takes no argument {}", self.command(), word), None);
        }
        let advice = (!nearest.is_empty()).then(|| safe!("Did you mean {}? {}", nearest, self.see_help()));
        let message = match self.command().as_str() {
            "hookscope" => safe!("unknown option {}", word),
            command => safe!("{}: unknown option {}", clean_head(command, WORD), word),
        };
        (message, advice)
    }

    fn missing_value(&self) -> (Safe, Option<Safe>) {
        let choices = self.words(ContextKind::ValidValue);
        let (option, value) = self.option_and_value();
        if choices.is_empty() {
            return (safe!("{} needs a value: {}", option, value), None);
        }
        (safe!("{} needs a value: {}", option, choices_of(&choices)), None)
    }

    fn wrong_choice(&self) -> (Safe, Option<Safe>) {
        let choices = choices_of(&self.words(ContextKind::ValidValue));
        let word = self.text(ContextKind::InvalidValue);
        let nearest = self.nearest(ContextKind::InvalidValue, ContextKind::SuggestedValue);
        let advice = (!nearest.is_empty()).then(|| safe!("Did you mean {}?", nearest));
        (safe!("{} must be {}, not {}", self.option(), choices, word), advice)
    }

    /// The parsers of [`super::values`] state what the value must be.
    fn wrong_value(&self) -> (Safe, Option<Safe>) {
        let why = self.error.source().map(ToString::to_string).unwrap_or_default();
        (safe!("{} {}", self.option(), clean_head(&why, 200)), None)
    }

    fn conflict(&self) -> (Safe, Option<Safe>) {
        let (option, _) = self.option_and_value();
        match self.words(ContextKind::PriorArg).first() {
            Some(other) if name_of(other) != option.as_str() => {
                let other = clean_head(name_of(other), WORD);
                (safe!("{} and {} cannot be used together", option, other), Some("Leave one of them out.".into()))
            }
            _ => (safe!("{} is given twice", option), Some("Leave one of them out.".into())),
        }
    }

    /// The command that the error is about, such as `list` or `config init`; `hookscope` without one.
    fn command(&self) -> Safe {
        let words = self.command_words();
        if words.is_empty() { "hookscope".into() } else { clean_head(&words.join(" "), WORD) }
    }

    /// The words of the command: those in the parser's line of usage, else those that were typed.
    fn command_words(&self) -> Vec<String> {
        let words: Vec<_> = match self.error.get(ContextKind::Usage) {
            Some(ContextValue::StyledStr(usage)) => usage.to_string().split_whitespace().map(str::to_owned).collect(),
            _ => self.words.iter().map(|word| word.to_string_lossy().into_owned()).collect(),
        };
        let (mut command, mut found) = (self.root, Vec::new());
        for word in words {
            if let Some(below) = command.find_subcommand(&word) {
                command = below;
                found.push(word);
            }
        }
        found
    }

    fn subcommands(&self) -> Vec<String> {
        let words = self.command_words();
        let command = words.iter().try_fold(self.root, |command, word| command.find_subcommand(word)).unwrap_or(self.root);
        command.get_subcommands().map(|command| command.get_name().to_owned()).collect()
    }

    fn see_help(&self) -> Safe {
        match self.command().as_str() {
            "hookscope" => "hookscope --help lists the options and commands.".into(),
            command => safe!("hookscope {} --help describes the options.", clean_head(command, WORD)),
        }
    }

    fn option(&self) -> Safe {
        self.option_and_value().0
    }

    /// `--limit` and `N` of `--limit <N>`; `SHELL` twice of an argument without a name.
    fn option_and_value(&self) -> (Safe, Safe) {
        let shown = self.words(ContextKind::InvalidArg).into_iter().next().unwrap_or_default();
        let name = name_of(&shown);
        let value = shown.split_once(' ').map_or(name, |(_, value)| name_of(value));
        (clean_head(name, WORD), clean_head(value, WORD))
    }

    fn first_line(&self) -> Safe {
        let text = self.error.to_string();
        let line = text.lines().next().unwrap_or_default();
        clean_head(line.strip_prefix("error: ").unwrap_or(line), 200)
    }

    /// The words of the error context, joined and cleaned.
    fn text(&self, kind: ContextKind) -> Safe {
        clean_head(&self.words(kind).join(" "), WORD)
    }

    /// The names of the arguments that the error is about.
    fn arguments(&self) -> Safe {
        let words = self.words(ContextKind::InvalidArg);
        let names: Vec<&str> = words.iter().map(|word| name_of(word)).collect();
        clean_head(&names.join(" "), WORD)
    }

    /// The parser's suggestions for what was typed, as far as they are close to it.
    fn nearest(&self, typed: ContextKind, suggested: ContextKind) -> Safe {
        let typed = self.words(typed).join(" ");
        let near: Vec<_> = self.words(suggested).into_iter().filter(|word| is_close(&typed, word)).collect();
        choices_of(&near)
    }

    fn words(&self, kind: ContextKind) -> Vec<String> {
        match self.error.get(kind) {
            Some(ContextValue::String(word)) => vec![word.clone()],
            Some(ContextValue::Strings(words)) => words.clone(),
            Some(ContextValue::StyledStr(text)) => vec![text.to_string()],
            _ => Vec::new(),
        }
    }
}

fn list(words: &[String]) -> Safe {
    clean_head(&words.join(", "), 400)
}

/// `a, b or c`
fn choices_of(words: &[String]) -> Safe {
    match words {
        [] => Safe::default(),
        [only] => clean_head(only, WORD),
        [others @ .., last] => safe!("{} or {}", list(others), clean_head(last, WORD)),
    }
}

/// Returns true if `typed` is probably meant to be `word`: a prefix of it, or a spelling that differs in one place, by at
/// most a third of what was typed. Two swapped letters count as one.
fn is_close(typed: &str, word: &str) -> bool {
    let [typed, word] = [typed, word].map(|word| word.trim_start_matches('-').to_lowercase());
    let [mut left, mut right] = [&typed, &word].map(|word| word.chars().collect::<VecDeque<_>>());
    let length = left.len();
    if length > 1 && word.starts_with(&typed) {
        return true;
    }
    while left.front().is_some() && left.front() == right.front() {
        (_, _) = (left.pop_front(), right.pop_front());
    }
    while left.back().is_some() && left.back() == right.back() {
        (_, _) = (left.pop_back(), right.pop_back());
    }
    let is_swap = left.len() == 2 && left.iter().eq(right.iter().rev());
    let changed = if is_swap { 1 } else { left.len().max(right.len()) };
    changed * 3 <= length
}

/// Returns `--limit` for `--limit <N>`, and `ID` for `<ID>...`.
fn name_of(shown: &str) -> &str {
    let name = shown.split(' ').next().unwrap_or(shown);
    match name.strip_prefix(['<', '[']) {
        Some(inner) => inner.split(['>', ']']).next().unwrap_or(inner),
        None => name,
    }
}
