//! The mouse: it acts on what is on screen, or does nothing.

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use hookscope::api::{ApiError, ErrorKind};
use hookscope::fetch::FetchEvent;
use hookscope::tui::list_pane::ViewList as _;
use hookscope::tui::message::{Effect, Message};
use hookscope::tui::ui::Focus;

use super::memory::Home;
use crate::support::{Stage, page, press};

const CLICK: MouseEventKind = MouseEventKind::Down(MouseButton::Left);

fn event(kind: MouseEventKind, row: u16) -> Message {
    Message::Mouse(MouseEvent { kind, column: 5, row, modifiers: KeyModifiers::NONE })
}

/// The line of the screen that has the sign of the selection.
fn selected_line(stage: &Stage) -> Option<usize> {
    stage.frame().lines().position(|line| line.starts_with('▌'))
}

#[test]
fn the_mouse_works_only_when_it_is_on() {
    let mut stage = Stage::loaded(80, 24);
    stage.send(event(CLICK, 4));
    assert_eq!(stage.app.session.list.selected(), 0);
    stage.keys("m");
    assert!(stage.effects.contains(&Effect::Mouse(true)));
    stage.send(event(CLICK, 4));
    assert_eq!(stage.app.session.list.selected(), 3);
    stage.send(event(MouseEventKind::ScrollDown, 4));
    assert_eq!(stage.app.session.list.selected(), 6);
    stage.send(event(CLICK, 20));
    assert_eq!(stage.app.ui.focus, Focus::Detail);
    stage.send(event(CLICK, 0)).send(event(CLICK, 23));
    assert!(stage.effects.is_empty(), "header and footer are no rows");
    stage.keys("m");
    assert!(stage.effects.contains(&Effect::Mouse(false)));
}

#[test]
fn in_views_of_groups_it_selects_the_group_under_it() {
    for view in ["2", "3", "4"] {
        let mut stage = Stage::new(110, 40);
        stage.load(page(1, 0..40, Some(40))).keys("j j m").keys(view).keys("g");
        let webhook = stage.app.session.list.selected();
        assert_eq!(selected_line(&stage), Some(2), "view {view}");
        stage.send(event(CLICK, 3));
        assert_eq!(selected_line(&stage), Some(3), "view {view}\n{}", stage.frame());
        stage.send(event(MouseEventKind::ScrollUp, 20));
        assert_eq!(selected_line(&stage), Some(2), "view {view}");
        stage.send(event(MouseEventKind::ScrollDown, 20));
        let after_the_wheel = selected_line(&stage);
        assert_ne!(after_the_wheel, Some(2), "view {view}");
        for row in [0, 1, 38, 39] {
            stage.send(event(CLICK, row));
            assert_eq!(selected_line(&stage), after_the_wheel, "view {view}: line {row} has no group");
        }
        assert_eq!(stage.app.session.list.selected(), webhook, "the selection that is not on screen stays");
    }
}

#[test]
fn in_changes_it_selects_the_change_under_it_and_scrolls_the_detail() {
    let home = Home::new();
    let mut stage = super::changes::looked(&home, 80, 24);
    stage.keys("m 5 g");
    let webhook = stage.app.session.list.selected();
    stage.send(event(CLICK, 3));
    assert_eq!((stage.app.session.changes.list.cursor().selected(), selected_line(&stage)), (1, Some(3)));
    let detail = stage.app.layout().panes.detail().y + 1;
    stage.send(event(MouseEventKind::ScrollDown, detail));
    assert_eq!(stage.app.session.changes.list.cursor().selected(), 1, "the wheel over the detail scrolls the detail");
    stage.send(event(CLICK, detail));
    assert_eq!((stage.app.ui.focus, stage.app.session.changes.list.cursor().selected()), (Focus::Detail, 1));
    stage.send(event(MouseEventKind::ScrollUp, 3));
    assert_eq!((stage.app.session.changes.list.cursor().selected(), stage.app.session.list.selected()), (0, webhook));
    // Where the detail covers the list, a click on it selects nothing.
    let home = Home::new();
    let mut stage = super::changes::looked(&home, 60, 12);
    stage.keys("m 5 g tab").send(event(CLICK, 4));
    assert_eq!(stage.app.session.changes.list.cursor().selected(), 0);
}

/// A banner or a resize that arrives between a frame and a click moves the lines of the list.
#[test]
fn a_click_is_about_the_line_that_the_last_frame_showed() {
    let banner = |stage: &Stage| {
        let error = ApiError::new(ErrorKind::Status(500));
        Message::Fetch(FetchEvent::Failed { generation: stage.generation(), page: 2, error })
    };
    let smaller = |_: &Stage| Message::Resize { width: 80, height: 6 };
    let arrivals: [&dyn Fn(&Stage) -> Message; 2] = [&banner, &smaller];
    for (arrival, is_there) in arrivals.into_iter().zip([true, false]) {
        let mut stage = Stage::loaded(80, 24);
        stage.keys("m G g");
        let shown = stage.frame().lines().nth(4).unwrap().to_owned();
        let arrived = arrival(&stage);
        for message in [arrived, event(CLICK, 4), Message::Key(press("y")), Message::Key(press("i"))] {
            stage.effects = stage.app.update(message, stage.now);
        }
        let copied = stage.effects.iter().any(|effect| matches!(effect, Effect::Copy(_)));
        assert_eq!(copied, is_there);
        let selected = stage.frame().lines().nth(selected_line(&stage).unwrap()).unwrap().to_owned();
        let url = shown.split_whitespace().nth(1).unwrap();
        assert_eq!(selected.contains(url), is_there, "{selected}, not {shown}");
    }
}
