//! Marks, and what is done with many webhooks at once: copies and exports.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::copies::{CopyWords, NOTICE_EDGES};
use super::{Action, App, Effect, Overlay, Wish, draw_if};
use crate::files::Existing;
use crate::model::Scope;
use crate::output::Format;
use crate::safe;
use crate::text::{Safe, clean, grouped};
use crate::tui::jobs::{self, Chosen, Done, Job, Outcome, Task};
use crate::tui::prompt::Prompt;

/// The formats of an export, by the ending of its file.
const FORMATS: [(&str, Format); 4] =
    [("json", Format::Json), ("ndjson", Format::Ndjson), ("csv", Format::Csv), ("md", Format::Markdown)];

/// Columns of the sign of a warning.
const WARNING: usize = 2;
/// Columns of a path that are shown however narrow it is.
const SHORTEST_PATH: usize = 12;

/// The file that is to be written.
#[derive(Debug, Clone)]
pub struct Export {
    pub prompt: Prompt,
    /// What will be written: what was marked or shown when this was opened, or once that was loaded.
    rows: Chosen,
    marked: Option<usize>,
    /// How much that is, in words: it never looks like more than it is.
    pub words: Safe,
    /// More is on its way.
    is_growing: bool,
    /// Something is there under this name: the same name once more replaces it.
    pub exists: Option<String>,
    /// The job that writes it.
    job: Option<u64>,
    /// Why it was not written.
    pub error: Option<Safe>,
}

impl App {
    /// Marks the selected webhook or takes its mark, and goes on to the next.
    pub(super) fn mark(&mut self) -> Vec<Effect> {
        let Some(id) = self.selected_id() else { return self.warn("no webhook to mark") };
        self.toggle_mark(&id);
        let mut effects = vec![Effect::Draw];
        effects.extend(self.go(1));
        effects
    }

    pub(super) fn toggle_mark(&mut self, id: &str) {
        let marks = Arc::make_mut(&mut self.marks);
        if !marks.remove(id) {
            marks.insert(id);
        }
        self.flagged_anew();
    }

    /// Marks everything that is shown, once all of it is here.
    pub(super) fn mark_all(&mut self) -> Vec<Effect> {
        if self.has_to_wait(Wish::Mark) { draw_if(true) } else { self.mark_all_now() }
    }

    pub(super) fn mark_all_now(&mut self) -> Vec<Effect> {
        let rows = self.chosen_of_shown();
        self.run(Task::MarkAll { rows, marks: Arc::clone(&self.marks), is_of_all: self.scope == Scope::All })
    }

    /// What a copy, an export or a probe is about: the marked webhooks, else what is shown.
    pub(super) fn chosen(&self) -> Chosen {
        let only = (!self.marks.is_empty()).then(|| Arc::clone(&self.marks));
        Chosen { only, ..self.chosen_of_shown() }
    }

    /// What is shown, whatever is marked.
    pub(super) fn chosen_of_shown(&self) -> Chosen {
        Chosen { rows: self.listing.rows().clone(), order: self.listing.order().cloned(), only: None }
    }

    pub(super) fn run(&mut self, task: Task) -> Vec<Effect> {
        vec![Effect::Run(Box::new(self.job(task)))]
    }

    pub(super) fn job(&mut self, task: Task) -> Job {
        self.jobs.started += 1;
        Job { number: self.jobs.started, task }
    }

    /// Takes what came of a job, unless it was about another workspace.
    pub(super) fn done(&mut self, done: Done) -> Vec<Effect> {
        match done.outcome {
            // The file is the same whatever workspace is shown.
            Outcome::Deliveries(read) => self.take_deliveries(read),
            _ if done.number <= self.jobs.of_others => Vec::new(),
            Outcome::Matched(_) | Outcome::Marked { .. } | Outcome::Gathered(_) | Outcome::Compared(_)
                if done.number <= self.jobs.of_other_scopes =>
            {
                Vec::new()
            }
            Outcome::Matched(unmatched) => self.take_unmatched(&unmatched),
            Outcome::Marked { rows, before, .. } if !Arc::ptr_eq(&before, &self.marks) => {
                // Somebody marked others meanwhile.
                self.run(Task::MarkAll { rows, marks: Arc::clone(&self.marks), is_of_all: self.scope == Scope::All })
            }
            Outcome::Marked { marks, webhooks, on, .. } => {
                self.marks = marks;
                self.flagged_anew();
                let did = if on { "marked" } else { "unmarked" };
                let words = safe!("{} {} {}", did, grouped(webhooks), if webhooks == 1 { "webhook" } else { "webhooks" });
                if self.listing.is_all_here() {
                    return self.inform(words);
                }
                if self.listing.is_complete() {
                    return self.warn(safe!("{}{}", words, self.listing.of_which()));
                }
                let key = self.setup.keymap.key(Action::LoadEverything).unwrap_or_default();
                self.warn(safe!("{}; not all are loaded, {} loads the rest", words, key))
            }
            Outcome::Copied { text: None, .. } => self.warn("none of the marked webhooks is loaded"),
            Outcome::Copied { what, text: Some(text), webhooks, marked, on_screen } => {
                self.copied(what, &CopyWords::many(what, webhooks, marked, on_screen), text)
            }
            Outcome::Exported { path, webhooks, marked } => {
                if self.export_of(done.number).is_some() {
                    self.overlay = Overlay::None;
                }
                match marked.map(|marked| marked as u64).filter(|&marked| webhooks < marked) {
                    Some(marked) => {
                        let words = safe!("exported {} of {} marked to ", grouped(webhooks), grouped(marked));
                        self.warn(self.with_path(&words, &path, &"; the others are no longer listed".into()))
                    }
                    None => {
                        let words = safe!("exported {} to ", grouped(webhooks));
                        self.inform(self.with_path(&words, &path, &Safe::default()))
                    }
                }
            }
            Outcome::Exists { path } => {
                let words = self.with_path(&"not exported: ".into(), &path, &" exists".into());
                let Some(export) = self.export_of(done.number) else { return self.warn(words) };
                export.job = None;
                export.exists = Some(path.to_string_lossy().into_owned());
                export.error = Some("this file exists: enter again replaces it, esc keeps it".into());
                vec![Effect::Draw]
            }
            Outcome::Gathered(gathered) => self.gathered(done.number, gathered),
            Outcome::Compared(news) => self.take_news(done.number, news),
            Outcome::Recalled(found) => self.recalled(found),
            Outcome::Sifted { scope, rows } => self.sifted(scope, &rows),
            Outcome::Kept(kept) => self.kept(kept),
            Outcome::Searched(searched) => self.take_searched(done.number, searched),
            Outcome::Differences(changes) => self.take_changes(done.number, changes),
            Outcome::Histories(snapshots) => self.choose_basis(snapshots),
            Outcome::OpenedEarlier(found) => self.opened_earlier(found),
            Outcome::Opened { snapshot, past } => self.opened(snapshot, past),
            Outcome::Asked(fates) => self.take_fates(fates),
            Outcome::NotCopied { words } => self.warn(words),
            Outcome::NotExported { path, words, is_of_system } => {
                let words =
                    if is_of_system { self.with_path(&"cannot write ".into(), &path, &safe!(": {}", words)) } else { words };
                let Some(export) = self.export_of(done.number) else { return self.warn(words) };
                export.job = None;
                export.error = Some(words);
                vec![Effect::Draw]
            }
        }
    }

    /// The words around a path, which is cut in the middle where it is too long for the footer.
    fn with_path(&self, before: &Safe, path: &Path, behind: &Safe) -> Safe {
        let besides = NOTICE_EDGES + WARNING + before.width() + behind.width();
        let room = usize::from(self.size.0).saturating_sub(besides).max(SHORTEST_PATH);
        safe!("{}{}{}", before, shown(path).fit_middle(room, self.setup.glyphs.ellipsis), behind)
    }

    /// The line for the name of the file that a job writes, if it is still open.
    fn export_of(&mut self, job: u64) -> Option<&mut Export> {
        match &mut self.overlay {
            Overlay::Export(export) if export.job == Some(job) => Some(export),
            _ => None,
        }
    }

    /// Answers to jobs that were started until now are not taken.
    pub(super) fn forget_jobs(&mut self) {
        self.jobs.of_others = self.jobs.started;
        self.jobs.wishes.clear();
        self.match_again();
    }

    /// Another scope is shown: what is still found out about the rows of the last one is not taken, and what waited for all of
    /// them is not done to others. What was being compared is compared when its scope comes back.
    pub(super) fn forget_jobs_of_scope(&mut self) {
        self.jobs.of_other_scopes = self.jobs.started;
        self.jobs.wishes.clear();
        self.stop_gathering();
        self.match_again();
        self.compare_again();
    }

    pub(super) fn flagged_anew(&mut self) {
        self.changes.flags += 1;
        if self.filter.query().asks_for_flags() {
            self.arranging.ask_again();
        }
    }

    pub(super) fn open_export(&mut self) -> Vec<Effect> {
        if self.listing.loaded() == 0 {
            return self.warn("nothing to export");
        }
        let words = if self.marks.is_empty() { self.need_everything_or_say() } else { None };
        let day = self.now.wall.strftime("%Y-%m-%d");
        let plain = |c: char| if c.is_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' };
        let profile: String = self.setup.profile.as_str().chars().map(plain).collect();
        self.overlay = Overlay::Export(Export {
            prompt: Prompt::new(&format!("webhooks-{profile}-{day}.json")),
            rows: self.chosen(),
            marked: (!self.marks.is_empty()).then(|| self.marks.len()),
            words: self.export_in_words(),
            is_growing: self.marks.is_empty(),
            exists: None,
            job: None,
            error: words,
        });
        vec![Effect::Draw]
    }

    /// Takes along what is still being loaded for an export.
    pub(super) fn grow_export(&mut self) {
        let (rows, words, is_growing) = (self.chosen_of_shown(), self.export_in_words(), !self.is_settled());
        if let Overlay::Export(export) = &mut self.overlay
            && export.is_growing
            && export.job.is_none()
        {
            (export.rows, export.words, export.is_growing) = (rows, words, is_growing);
        }
    }

    fn export_in_words(&self) -> Safe {
        if !self.marks.is_empty() {
            return safe!("{} marked", grouped(self.marks.len() as u64));
        }
        safe!("{}{}", grouped(self.listing.shown_here()), self.listing.of_which())
    }

    pub(super) fn key_in_export(&mut self, event: KeyEvent) -> Vec<Effect> {
        let Overlay::Export(export) = &mut self.overlay else { return Vec::new() };
        match event.code {
            KeyCode::Esc => return self.close_overlay(),
            // It is being written under this name.
            _ if export.job.is_some() => return Vec::new(),
            KeyCode::Enter => return self.export(),
            KeyCode::Tab => export.prompt = Prompt::new(&with_next_ending(export.prompt.text())),
            KeyCode::Char('c') if event.modifiers.contains(KeyModifiers::CONTROL) => return vec![Effect::Quit],
            _ => {
                if !export.prompt.edit(event) {
                    return Vec::new();
                }
            }
        }
        export.error = None;
        vec![Effect::Draw]
    }

    fn export(&mut self) -> Vec<Effect> {
        let now = self.now.wall;
        let Overlay::Export(export) = &mut self.overlay else { return Vec::new() };
        let name = export.prompt.text().trim().to_owned();
        let Some((_, format)) = FORMATS.iter().find(|(ending, _)| ending_of(&name) == *ending) else {
            export.error = Some("the name must end in .json, .ndjson, .csv or .md".into());
            return vec![Effect::Draw];
        };
        let path = expand_home(&name);
        let replaces = export.exists.as_deref() == Some(&*path.to_string_lossy());
        let existing = if replaces { Existing::ReplacedAlike } else { Existing::Stays };
        export.error = Some("writing".into());
        let (rows, marked) = (export.rows.clone(), export.marked);
        let mut effects = self.run(Task::Export(jobs::Export { rows, format: *format, path, existing, now, marked }));
        let number = self.jobs.started;
        if let Overlay::Export(export) = &mut self.overlay {
            export.job = Some(number);
        }
        effects.push(Effect::Draw);
        effects
    }

    /// Pastes into the name of the file.
    pub(super) fn type_into_export(&mut self, text: &str) -> Vec<Effect> {
        let Overlay::Export(export) = &mut self.overlay else { return Vec::new() };
        if export.job.is_some() {
            return Vec::new();
        }
        export.prompt.insert(text);
        export.error = None;
        draw_if(true)
    }
}

fn ending_of(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, ending)| ending)
}

/// The name with the ending of the next format.
fn with_next_ending(name: &str) -> String {
    let place = FORMATS.iter().position(|(ending, _)| *ending == ending_of(name));
    let next = FORMATS.iter().cycle().nth(place.map_or(0, |place| place + 1)).map_or("json", |(ending, _)| ending);
    let stem = if place.is_some() { name.rsplit_once('.').map_or(name, |(stem, _)| stem) } else { name };
    format!("{stem}.{next}")
}

fn expand_home(name: &str) -> PathBuf {
    let home = directories::BaseDirs::new().map(|dirs| dirs.home_dir().to_owned());
    match (name.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(name),
    }
}

/// The absolute path, with `~` for the home directory.
fn shown(path: &Path) -> Safe {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let home = directories::BaseDirs::new().map(|dirs| dirs.home_dir().to_owned());
    match home.and_then(|home| path.strip_prefix(home).ok().map(Path::to_owned)) {
        Some(rest) => safe!("~/{}", clean(&rest.to_string_lossy())),
        None => clean(&path.to_string_lossy()),
    }
}
