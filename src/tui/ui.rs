//! The state of the screen: the focus, the overlay, and the last frame.

use super::copy::PlainText;
use super::copy_menu::CopyMenu;
use super::detail::DetailForm;
use super::export_prompt::ExportPrompt;
use super::layout::clamp;
use super::notice::Notice;
use super::picker::Picker;
use super::session::changes::BaselineChoice;
use super::terminal::frame_limiter::KeyRepeat;
use super::view_kind::View;
use crate::keymap::Action;

/// The pane that has the focus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Focus {
    #[default]
    List,
    Detail,
}

/// The part that covers the panes and receives the keys.
#[derive(Debug, Clone, Default)]
pub enum Overlay {
    #[default]
    None,
    Help {
        scroll: usize,
    },
    Palette(Picker<Action>),
    /// The workspaces, by index among the profiles.
    Profiles(Picker<usize>),
    /// The baselines to choose from.
    Baselines(Picker<BaselineChoice>),
    CopyMenu(Box<CopyMenu>),
    /// The prompt of the filter.
    Filter,
    /// The prompt for the file of an export.
    Export(ExportPrompt),
    /// A text on an otherwise empty screen, to select by hand.
    PlainText(PlainText),
}

impl Overlay {
    /// Returns true for an overlay that shows nothing of a workspace, and so is kept when the workspace changes.
    fn is_of_no_session(&self) -> bool {
        matches!(self, Self::Help { .. } | Self::Palette(_) | Self::Profiles(_))
    }
}

/// The state of the screen.
#[derive(Debug, Default)]
pub struct Ui {
    pub size: (u16, u16),
    pub view: View,
    pub focus: Focus,
    pub overlay: Overlay,
    pub notice: Option<Notice>,
    pub detail_form: DetailForm,
    /// Presses of the keys that move a selection.
    pub moves: KeyRepeat,
    /// Presses of all keys.
    pub presses: KeyRepeat,
    /// True while a switch to another workspace is in progress.
    pub switching: bool,
}

impl Ui {
    pub fn new((width, height): (u16, u16)) -> Self {
        Self { size: clamp(width, height), ..Self::default() }
    }

    /// Prepares the screen for another workspace. Only overlays that show nothing of a workspace are kept.
    pub fn for_next_session(&mut self) {
        self.focus = Focus::List;
        self.notice = None;
        self.switching = false;
        if !self.overlay.is_of_no_session() {
            self.overlay = Overlay::None;
        }
    }
}
