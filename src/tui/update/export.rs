//! The export: its prompt, and the result of writing the file.

use std::path::Path;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::base::files::Existing;
use crate::base::text::{Safe, grouped};
use crate::safe;
use crate::tui::app::App;
use crate::tui::copy_menu::NOTICE_EDGES;
use crate::tui::export_prompt::{
    ExportPrompt, FORMATS, SHORTEST_PATH, WARNING, ending_of, expand_home, shown, with_next_ending,
};
use crate::tui::job_id::JobId;
use crate::tui::jobs::{self, Task};
use crate::tui::message::{Effect, draw_if};
use crate::tui::prompt::Prompt;
use crate::tui::session::Session;
use crate::tui::ui::Overlay;

impl App {
    pub(super) fn open_export(&mut self) -> Vec<Effect> {
        if self.session.list.lines.loaded() == 0 {
            return self.warn("nothing to export");
        }
        let words = if self.session.marks.is_empty() { self.in_session(Session::need_everything_or_say) } else { None };
        let day = self.now.wall.strftime("%Y-%m-%d");
        let plain = |c: char| if c.is_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' };
        let profile: String = self.session.workspace.profile.as_str().chars().map(plain).collect();
        self.ui.overlay = Overlay::Export(ExportPrompt {
            prompt: Prompt::new(&format!("webhooks-{profile}-{day}.json")),
            rows: self.session.chosen(),
            marked: (!self.session.marks.is_empty()).then(|| self.session.marks.len()),
            words: self.export_in_words(),
            is_growing: self.session.marks.is_empty(),
            exists: None,
            job: None,
            error: words,
        });
        vec![Effect::Draw]
    }

    /// Adds the rows to an export that were loaded since its prompt was opened.
    pub(super) fn grow_export(&mut self) {
        let (rows, words, is_growing) = (self.session.chosen_of_shown(), self.export_in_words(), !self.session.is_settled());
        if let Overlay::Export(export) = &mut self.ui.overlay
            && export.is_growing
            && export.job.is_none()
        {
            (export.rows, export.words, export.is_growing) = (rows, words, is_growing);
        }
    }

    fn export_in_words(&self) -> Safe {
        if !self.session.marks.is_empty() {
            return safe!("{} marked", grouped(self.session.marks.len() as u64));
        }
        safe!("{}{}", grouped(self.session.list.lines.shown_here()), self.session.list.lines.of_which())
    }

    pub(super) fn key_in_export(&mut self, event: KeyEvent) -> Vec<Effect> {
        let Overlay::Export(export) = &mut self.ui.overlay else { return Vec::new() };
        match event.code {
            KeyCode::Esc => return self.close_overlay(),
            // The file is already being written.
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
        let Overlay::Export(export) = &mut self.ui.overlay else { return Vec::new() };
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
        let task = Task::Export(jobs::ExportTask { rows, format: *format, path, existing, now, marked });
        let (id, effect) = self.session.jobs.start(task);
        export.job = Some(id);
        vec![effect, Effect::Draw]
    }

    /// Pastes into the file name.
    pub(super) fn type_into_export(&mut self, text: &str) -> Vec<Effect> {
        let Overlay::Export(export) = &mut self.ui.overlay else { return Vec::new() };
        if export.job.is_some() {
            return Vec::new();
        }
        export.prompt.insert(text);
        export.error = None;
        draw_if(true)
    }

    /// The prompt of the file that a job writes, if it is still open.
    fn export_of(&mut self, job: JobId) -> Option<&mut ExportPrompt> {
        match &mut self.ui.overlay {
            Overlay::Export(export) if export.job == Some(job) => Some(export),
            _ => None,
        }
    }

    /// A notice with a path, which is shortened in the middle if it is too long for the footer.
    fn with_path(&self, before: &Safe, path: &Path, behind: &Safe) -> Safe {
        let besides = NOTICE_EDGES + WARNING + before.width() + behind.width();
        let room = usize::from(self.ui.size.0).saturating_sub(besides).max(SHORTEST_PATH);
        safe!("{}{}{}", before, shown(path).fit_middle(room, self.settings.glyphs.ellipsis), behind)
    }

    pub(super) fn exported(&mut self, id: JobId, path: &Path, webhooks: u64, marked: Option<usize>) -> Vec<Effect> {
        if self.export_of(id).is_some() {
            self.ui.overlay = Overlay::None;
        }
        match marked.map(|marked| marked as u64).filter(|&marked| webhooks < marked) {
            Some(marked) => {
                let words = safe!("exported {} of {} marked to ", grouped(webhooks), grouped(marked));
                self.warn(self.with_path(&words, path, &"; the others are no longer listed".into()))
            }
            None => {
                let words = safe!("exported {} to ", grouped(webhooks));
                self.inform(self.with_path(&words, path, &Safe::default()))
            }
        }
    }

    pub(super) fn export_exists(&mut self, id: JobId, path: &Path) -> Vec<Effect> {
        let words = self.with_path(&"not exported: ".into(), path, &" exists".into());
        let Some(export) = self.export_of(id) else { return self.warn(words) };
        export.job = None;
        export.exists = Some(path.to_string_lossy().into_owned());
        export.error = Some("this file exists: enter again replaces it, esc keeps it".into());
        vec![Effect::Draw]
    }

    pub(super) fn not_exported(&mut self, id: JobId, path: &Path, words: Safe, is_of_system: bool) -> Vec<Effect> {
        let words = if is_of_system { self.with_path(&"cannot write ".into(), path, &safe!(": {}", words)) } else { words };
        let Some(export) = self.export_of(id) else { return self.warn(words) };
        export.job = None;
        export.error = Some(words);
        vec![Effect::Draw]
    }
}
