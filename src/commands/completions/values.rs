//! Candidates for the values of options and arguments.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::sync::Arc;

use clap_complete::engine::{CompletionCandidate, PathCompleter, ValueCompleter};

use crate::analysis::audit::RULES;
use crate::analysis::query;
use crate::analysis::sort::{self, SORT_KEYS};
use crate::analysis::vocabulary::CURRENT;
use crate::base::clock::Moment;
use crate::cache::Store;
use crate::cli;
use crate::commands::help::TOPICS;
use crate::config::{Config, Connection, Environment, WorkspaceOptions};
use crate::demo::{DemoOptions, DemoWorkspace};
use crate::model::{Interner, host};
use crate::output::columns_help;

/// The most candidates for one word.
const MOST: usize = 1_000;
/// Fields and parts of the URL for `--ignore`.
const IGNORABLE: [&str; 8] = ["url", "url.scheme", "url.host", "url.path", "url.query", "events", "is_active", "created_at"];

/// A value, with a description if it needs one.
type Candidate = (String, Option<&'static str>);

/// Candidates of all arguments, for the workspace that the command line chooses.
#[derive(Debug, Default)]
pub(super) struct ValueCandidates {
    workspace: Arc<CompletedWorkspace>,
}

impl ValueCandidates {
    /// The options that choose a workspace are looked for among the words themselves: an unfinished command line cannot be
    /// parsed.
    pub(super) fn new(words: &[OsString]) -> Self {
        let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
        let value = |name: &str| {
            let separate = words.windows(2).rev().find_map(|pair| match pair {
                [option, value] if option == name => Some(value.to_string()),
                _ => None,
            });
            let prefix = format!("{name}=");
            separate.or_else(|| words.iter().rev().find_map(|word| word.strip_prefix(&prefix).map(str::to_owned)))
        };
        Self {
            workspace: Arc::new(CompletedWorkspace {
                config: value("--config").map(PathBuf::from),
                profile: value("--profile"),
                base_url: value("--base-url"),
                is_demo: words.iter().any(|word| word == "--demo"),
            }),
        }
    }

    /// Returns the completer of an argument; `None` if the library completes it, as it does files and fixed choices.
    pub(super) fn of(&self, command: &str, argument: &str) -> Option<Completer> {
        let list: fn(&CompletedWorkspace, &str) -> Vec<Candidate> = match (command, argument) {
            (_, "filter") => filter,
            (_, "profile") => |workspace, _| workspace.profiles(),
            ("hookscope list", "sort") => |_, _| sorts(),
            ("hookscope list", "columns") => |_, word| columns(word),
            ("hookscope audit", "rule" | "skip" | "explain") => |_, _| rules(),
            ("hookscope get" | "hookscope probe", "ids") => |workspace, word| workspace.ids(word),
            ("hookscope diff", "old" | "new") | ("hookscope watch", "since") => |_, _| times(),
            (_, "ignore") => |_, _| plain(IGNORABLE),
            ("hookscope help", "topic") => |_, _| topics(),
            _ => return None,
        };
        let takes_files = matches!(argument, "old" | "new" | "since");
        Some(Completer { workspace: Arc::clone(&self.workspace), list, takes_files })
    }
}

/// Lists the candidates of one argument.
pub(super) struct Completer {
    workspace: Arc<CompletedWorkspace>,
    list: fn(&CompletedWorkspace, &str) -> Vec<Candidate>,
    takes_files: bool,
}

impl ValueCompleter for Completer {
    fn complete(&self, current: &OsStr) -> Vec<CompletionCandidate> {
        let Some(word) = current.to_str() else { return Vec::new() };
        let candidates = (self.list)(&self.workspace, word).into_iter();
        let starts = candidates.filter(|(value, _)| value.starts_with(word)).take(MOST);
        let candidate = |(value, help): Candidate| CompletionCandidate::new(value).help(help.map(Into::into));
        let mut found: Vec<_> = starts.map(candidate).collect();
        if self.takes_files {
            found.extend(PathCompleter::file().complete(current));
        }
        found
    }
}

/// Returns true if a value from the config or the API is safe in a command line: every shell reads it as one word without
/// quotes, and it does not look like an option.
fn is_word(value: &str) -> bool {
    value.is_ascii() && is_harmless(value) && value.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_')
}

/// Returns true if no character is special to a shell inside a word.
pub(super) fn is_harmless(text: &str) -> bool {
    text.chars().all(|c| c.is_alphanumeric() || "._:/@%+,=~-".contains(c))
}

fn plain<'a>(words: impl IntoIterator<Item = &'a str>) -> Vec<Candidate> {
    words.into_iter().map(|word| (word.to_owned(), None)).collect()
}

fn sorts() -> Vec<Candidate> {
    let both = |entry: &sort::Entry| [(entry.name.to_owned(), Some(entry.help)), (format!("{}:desc", entry.name), None)];
    SORT_KEYS.iter().flat_map(both).collect()
}

/// Completes a list of columns with those that it does not have yet.
fn columns(word: &str) -> Vec<Candidate> {
    let before = word.rfind(',').map_or("", |comma| word.get(..=comma).unwrap_or_default());
    let taken: Vec<_> = before.split(',').collect();
    let columns = columns_help().into_iter().find(|(commands, _)| commands.starts_with("list"));
    let columns = columns.into_iter().flat_map(|(_, columns)| columns);
    let free = columns.filter(|(name, _)| !taken.contains(name));
    free.map(|(name, about)| (format!("{before}{name}"), Some(about))).collect()
}

fn rules() -> Vec<Candidate> {
    RULES.iter().map(|rule| (rule.id.to_owned(), Some(rule.about))).collect()
}

fn topics() -> Vec<Candidate> {
    let topics = TOPICS.iter().map(|topic| (topic.name.to_owned(), Some(topic.about)));
    let root = cli::help::command(None);
    let commands: Vec<_> = root.get_subcommands().map(|command| (command.get_name().to_owned(), None)).collect();
    topics.chain(commands).collect()
}

fn times() -> Vec<Candidate> {
    plain(["live", "cache", "yesterday", "1h", "1d", "1w"])
}

/// The last term of a filter.
fn filter(workspace: &CompletedWorkspace, word: &str) -> Vec<Candidate> {
    let start = word.rfind(' ').map_or(0, |blank| blank + 1);
    let (before, term) = word.split_at_checked(start).unwrap_or(("", word));
    let (sign, term) = term.split_at_checked(usize::from(term.starts_with(['-', '!']))).unwrap_or(("", term));
    let Some((field, value)) = term.split_once(':') else {
        let fields = query::fields().map(|(name, help)| (format!("{before}{sign}{name}:"), Some(help)));
        return fields.collect();
    };
    // A `|` starts another value; `=` matches the whole text.
    let start = value.rfind(['|', '=']).map_or(0, |at| at + 1);
    let Some((operator, _)) = value.split_at_checked(start) else { return Vec::new() };
    let prefix = format!("{before}{sign}{field}:{operator}");
    let values = match field {
        "event" => workspace.events(),
        "host" => workspace.hosts(),
        "id" => workspace.ids(""),
        _ => plain(query::field_values(field)),
    };
    values.into_iter().map(|(value, help)| (format!("{prefix}{value}"), help)).collect()
}

/// The workspace whose ids, events and hosts are candidates.
#[derive(Debug, Default)]
struct CompletedWorkspace {
    config: Option<PathBuf>,
    profile: Option<String>,
    base_url: Option<String>,
    is_demo: bool,
}

impl CompletedWorkspace {
    fn load(&self) -> Option<(Config, Environment)> {
        let env = Environment::read().ok()?;
        Some((Config::load(self.config.as_deref(), &env).ok()?, env))
    }

    fn profiles(&self) -> Vec<Candidate> {
        let config = self.load();
        let names = config.iter().flat_map(|(config, _)| config.profiles());
        // A name with a colon may be an API key.
        names.filter(|name| is_word(name) && !name.contains(':')).map(|name| (name.to_owned(), None)).collect()
    }

    /// Calls `each` with the id, the URL and the events of every webhook in the demo or the cache. Sends no request and runs
    /// no key command, so it finds nothing for a workspace whose key comes from a command.
    fn each(&self, mut each: impl FnMut(&str, &str, &mut dyn Iterator<Item = &str>)) {
        if self.is_demo {
            let workspace = DemoWorkspace::new(DemoOptions::default().webhooks);
            for webhook in (0..workspace.len(None)).filter_map(|position| workspace.nth(None, position)) {
                each(&webhook.id, &webhook.url, &mut webhook.events.iter().map(AsRef::as_ref));
            }
            return;
        }
        let Some(store) = self.connection().as_ref().and_then(Store::to_read) else { return };
        let Ok(Some(cached)) = store.read(&Interner::default(), Moment::now().wall) else { return };
        for row in cached.rows.webhooks() {
            each(row.id(), row.url(), &mut row.event_names());
        }
    }

    fn connection(&self) -> Option<Connection> {
        let (config, env) = self.load()?;
        let selection = WorkspaceOptions { profile: self.profile.clone(), base_url: self.base_url.clone() };
        if config.workspace(&selection, &env).ok()?.key().ok()?.asks() {
            return None;
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
        runtime.block_on(config.connection(&selection, &env)).ok()
    }

    fn ids(&self, start: &str) -> Vec<Candidate> {
        let mut ids = Vec::new();
        self.each(|id, _, _| {
            if ids.len() < MOST && id.starts_with(start) && is_word(id) {
                ids.push((id.to_owned(), None));
            }
        });
        ids
    }

    fn events(&self) -> Vec<Candidate> {
        let mut names: BTreeSet<String> = CURRENT.into_iter().map(str::to_owned).collect();
        self.each(|_, _, events| {
            for name in events {
                if names.len() < MOST && !names.contains(name) && is_word(name) {
                    names.insert(name.to_owned());
                }
            }
        });
        names.into_iter().map(|name| (name, None)).collect()
    }

    fn hosts(&self) -> Vec<Candidate> {
        let mut hosts = BTreeSet::new();
        self.each(|_, url, _| {
            let is_wanted = |host: &str| hosts.len() < MOST && !hosts.contains(host) && is_word(host);
            if let Some(host) = host(url).filter(|host| is_wanted(host)) {
                hosts.insert(host.into_owned());
            }
        });
        hosts.into_iter().map(|host| (host, None)).collect()
    }
}
