//! Marks, and what is done with many webhooks at once.

use std::fs;

use hookscope::config::Clipboard;
use hookscope::tui::jobs::Outcome;
use hookscope::tui::list_pane::ViewList as _;
use hookscope::tui::message::{Effect, Message};
use hookscope::tui::ui::Overlay;

use crate::support::{Stage, page, press, setup, with};

fn forty() -> Stage {
    let mut stage = Stage::new(100, 30);
    stage.load(page(1, 0..40, Some(40)));
    stage
}

fn copied(stage: &Stage) -> String {
    let text = stage.effects.iter().find_map(|effect| if let Effect::Copy(text) = effect { Some(text) } else { None });
    text.map(|text| text.raw().to_owned()).unwrap_or_default()
}

#[test]
fn a_mark_goes_on_to_the_next_and_comes_off_again() {
    let mut stage = forty();
    stage.keys("space space");
    assert_eq!((stage.app.session.marks.len(), stage.selected().as_deref()), (2, Some("whk_000000000002")));
    assert!(stage.frame().contains("2 marked"), "{}", stage.frame());
    stage.keys("g space");
    assert_eq!(stage.app.session.marks.len(), 1);
    assert!(!stage.app.session.marks.contains("whk_000000000000") && stage.app.session.marks.contains("whk_000000000001"));
}

#[test]
fn marks_survive_filter_sort_and_refresh_and_can_be_searched_for() {
    let mut stage = forty();
    stage.keys("space /").paste("globex").keys("enter * esc s S r");
    stage.load(page(1, 0..40, Some(40)));
    assert_eq!(stage.app.session.marks.len(), 11);
    stage.keys("/").paste("is:marked").keys("enter");
    assert_eq!(stage.app.session.list.len(), 11);
    stage.keys("space");
    assert_eq!(stage.app.session.list.len(), 10, "what is not marked any more is not shown");
}

#[test]
fn no_command_is_copied_that_would_be_refused() {
    let mut stage = forty();
    for filter in ["-is:marked", "-probe:dead", "-finding:dead-destination"] {
        stage.keys("esc /").paste(filter).keys("enter");
        stage.effects.clear();
        stage.keys("y l");
        assert_eq!(copied(&stage), "", "{filter}");
        assert!(stage.frame().contains("no list command: this filter works in the explorer only"), "{}", stage.frame());
    }
    for filter in ["acme", "-finding:legacy-event"] {
        stage.keys("esc /").paste(filter).keys("enter y l");
        assert!(copied(&stage).ends_with(&format!("list --filter {filter}")), "{}", copied(&stage));
    }
}

#[test]
fn mark_all_marks_what_is_shown_and_the_second_time_takes_the_marks() {
    let mut stage = forty();
    stage.keys("*");
    assert_eq!(stage.app.session.marks.len(), 40);
    stage.keys("/").paste("billing").keys("enter *");
    assert_eq!(stage.app.session.marks.len(), 30, "all of them were marked, so their marks are taken");
}

#[test]
fn all_marks_can_be_taken_off_when_a_marked_webhook_is_gone() {
    let directory = tempfile::tempdir().unwrap();
    let mut stage = forty();
    // It is marked, and removed.
    stage.keys("G space k r").load(page(1, 0..39, Some(39)));
    assert_eq!(stage.app.session.marks.len(), 1);
    name(&mut stage, &directory.path().join("none.json"));
    assert!(stage.frame().contains("export 1 marked to "), "{}", stage.frame());
    stage.keys("enter");
    assert!(stage.frame().contains("none of the marked webhooks is still listed"), "{}", stage.frame());
    assert!(!directory.path().join("none.json").exists(), "an empty file would look like an empty workspace");
    stage.keys("esc * *");
    assert_eq!(stage.app.session.marks.len(), 0, "{}", stage.frame());
    // One that is not listed as removed any longer takes its mark along.
    let mut stage = forty();
    stage.keys("g space space G space k r").load(page(1, 0..39, Some(39)));
    assert_eq!(stage.app.session.marks.len(), 3);
    name(&mut stage, &directory.path().join("two.json"));
    stage.keys("enter");
    assert!(stage.frame().contains("! exported 2 of 3 marked to "), "{}", stage.frame());
    stage.keys(".");
    assert_eq!(stage.app.session.marks.len(), 2, "{}", stage.frame());
}

#[test]
fn mark_all_is_about_the_filter_under_which_it_was_pressed() {
    let mut stage = Stage::new(100, 30);
    stage.load(page(1, 0..100, Some(150))).keys("* /").paste("globex").keys("enter");
    stage.load(page(2, 100..150, Some(150)));
    assert!(stage.app.session.marks.is_empty(), "{}", stage.frame());
    let mut stage = Stage::new(100, 30);
    stage.load(page(1, 0..100, Some(150))).keys("/").paste("globex").keys("enter * esc");
    stage.load(page(2, 100..150, Some(150)));
    assert!(stage.app.session.marks.is_empty(), "{}", stage.frame());
}

#[test]
fn enter_twice_writes_a_file_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out.json");
    let mut stage = forty();
    name(&mut stage, &path);
    let first = stage.late_key("enter");
    let second = stage.late_key("enter");
    assert_eq!((first.len(), second.len()), (1, 0), "it is being written");
    stage.send_all(first);
    assert!(
        matches!(stage.app.ui.overlay, Overlay::None) && stage.footer().contains("exported 40 to "),
        "{}",
        stage.frame()
    );
}

#[test]
fn an_export_is_of_what_was_shown_when_it_was_opened() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out.ndjson");
    let mut stage = forty();
    stage.keys("r");
    stage.load(page(1, 0..40, Some(40)));
    name(&mut stage, &path);
    let generation = stage.generation();
    stage.wait(30);
    assert_eq!(stage.generation(), generation);
    // A refresh ends meanwhile.
    stage.app.session.load.auto_refresh = Some(stage.now.instant);
    stage.send(Message::Tick).load(page(1, 0..10, Some(10)));
    assert!(stage.frame().contains("export 40 to "), "{}", stage.frame());
    stage.keys("enter");
    assert!(stage.footer().contains("exported 40 to "), "{}", stage.frame());
}

#[test]
fn mark_all_waits_until_everything_is_here() {
    let mut stage = Stage::new(100, 30);
    stage.load(page(1, 0..100, Some(150))).keys("*");
    assert!(stage.app.session.marks.is_empty() && stage.app.session.demand().everything);
    assert!(stage.footer().contains(" loading to mark all: 1 of 2 pages  esc stops"), "{}", stage.frame());
    stage.load(page(2, 100..150, Some(150)));
    assert_eq!(stage.app.session.marks.len(), 150);
    let mut stage = Stage::new(100, 30);
    stage.load(page(1, 0..100, Some(150))).keys("* esc").load(page(2, 100..150, Some(150)));
    assert!(stage.app.session.marks.is_empty(), "esc stops that too");
}

#[test]
fn marking_a_part_says_that_it_is_one() {
    let mut stage = Stage::with(with(setup(100, 30), |setup| setup.settings.auto_load_limit = 100));
    stage.load(page(1, 0..100, Some(30_000))).keys("*");
    let frame = stage.frame();
    assert!(frame.contains("marked 100 webhooks; not all are loaded, L loads the rest"), "{frame}");
}

#[test]
fn copies_are_of_all_marked_webhooks() {
    let mut stage = forty();
    stage.keys("space space y i");
    assert_eq!(copied(&stage), "whk_000000000000\nwhk_000000000001");
    stage.keys("y j");
    let rows: Vec<serde_json::Value> = serde_json::from_str(&copied(&stage)).unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[1]["id"], "whk_000000000001");
}

/// Opens the export, and types a path in place of the proposed name.
fn name(stage: &mut Stage, path: &std::path::Path) {
    stage.keys("e ctrl-u").paste(&path.to_string_lossy());
}

#[test]
fn an_export_proposes_a_name_and_writes_what_is_shown() {
    let directory = tempfile::tempdir().unwrap();
    let mut stage = forty();
    assert!(stage.keys("e").frame().contains("export 40 to webhooks-production-2026-06-15.json"), "{}", stage.frame());
    stage.keys("tab");
    assert!(stage.frame().contains("webhooks-production-2026-06-15.ndjson"));
    stage.keys("esc /").paste("globex").keys("enter");
    for (ending, lines) in [("json", 12), ("ndjson", 10), ("csv", 11), ("md", 12)] {
        let path = directory.path().join(format!("out.{ending}"));
        name(&mut stage, &path);
        assert!(stage.frame().contains("export 10 to "), "{}", stage.frame());
        stage.keys("enter");
        assert!(stage.frame().contains("exported 10 to"), "{}", stage.frame());
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), lines, "{text}");
        assert!(text.contains("partners.globex.example.net") && !text.contains("hooks.acme"), "{text}");
    }
}

#[test]
fn an_export_never_replaces_a_file_silently() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out.json");
    fs::write(&path, "mine").unwrap();
    let mut stage = forty();
    name(&mut stage, &path);
    stage.keys("enter");
    assert!(stage.frame().contains("this file exists: enter again replaces it"), "{}", stage.frame());
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    stage.keys("esc");
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    name(&mut stage, &path);
    stage.keys("enter enter");
    assert!(fs::read_to_string(&path).unwrap().contains("whk_000000000039"));
}

#[test]
fn an_export_says_why_it_cannot_be_written() {
    let mut stage = forty();
    name(&mut stage, std::path::Path::new("/nowhere/at/all.json"));
    stage.keys("enter");
    assert!(stage.frame().contains("cannot write /nowhere/at/all.json: no such file or directory"), "{}", stage.frame());
    name(stage.keys("esc"), std::path::Path::new("/tmp/out.exe"));
    stage.keys("enter");
    assert!(stage.frame().contains("the name must end in .json, .ndjson, .csv or .md"), "{}", stage.frame());
}

#[test]
fn marked_webhooks_are_exported_whether_they_are_shown_or_not() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out.ndjson");
    let mut stage = forty();
    stage.keys("space j space /").paste("billing").keys("enter");
    name(&mut stage, &path);
    assert!(stage.frame().contains("export 2 marked to "), "{}", stage.frame());
    stage.keys("enter");
    let text = fs::read_to_string(&path).unwrap();
    let ids: Vec<_> = text.lines().map(|line| line.split('"').nth(3).unwrap()).collect();
    assert_eq!(ids, ["whk_000000000000", "whk_000000000002"], "{text}");
}

#[test]
fn an_export_of_a_part_says_so() {
    let mut stage = Stage::with(with(setup(100, 30), |setup| setup.settings.auto_load_limit = 100));
    stage.load(page(1, 0..100, Some(30_000))).keys("e");
    let frame = stage.frame();
    assert!(frame.contains("export 100 (loaded only) to"), "{frame}");
    assert!(frame.contains("L loads the rest"), "{frame}");
}

#[test]
fn webhooks_that_are_gone_are_shown_but_nothing_is_done_with_them() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out.ndjson");
    let mut stage = forty();
    stage.keys("r").load(page(1, 0..39, Some(39)));
    assert_eq!(stage.app.session.list.len(), 40, "{}", stage.frame());
    name(&mut stage, &path);
    assert!(stage.frame().contains("export 39 to "), "{}", stage.frame());
    stage.keys("enter");
    assert!(stage.frame().contains("exported 39 to"), "{}", stage.frame());
    assert!(!fs::read_to_string(&path).unwrap().contains("whk_000000000039"));
    stage.keys("*");
    assert!(
        stage.app.session.marks.len() == 39 && !stage.app.session.marks.contains("whk_000000000039"),
        "{}",
        stage.frame()
    );
    // One that was marked while it was there is not copied any more.
    stage.keys("* G space y i");
    assert!(stage.frame().contains("none of the marked webhooks is loaded"), "{}", stage.frame());
}

#[test]
fn only_destinations_that_are_still_in_use_are_probed() {
    let mut stage = Stage::new(100, 30);
    stage.load(page(1, 0..4, Some(4))).keys("r").load(page(1, 0..3, Some(3)));
    assert_eq!((stage.app.session.list.len(), stage.keys("P").asked().len()), (4, 3), "{}", stage.frame());
}

#[test]
fn what_ends_meanwhile_takes_nothing_away_from_what_is_typed() {
    let folder = tempfile::tempdir().unwrap();
    let mut stage = forty();
    stage.keys("e");
    name(&mut stage, &folder.path().join("a.json"));
    let exported = stage.late_key("enter");
    stage.keys("esc /").paste("pro");
    stage.send_all(exported);
    assert!(matches!(stage.app.ui.overlay, Overlay::Filter) && folder.path().join("a.json").exists());
    stage.keys("esc * y");
    let copied = stage.late_key("j");
    stage.app.settings.clipboard = Clipboard::Screen;
    stage.keys("/").paste("pro");
    stage.send_all(copied);
    assert!(matches!(stage.app.ui.overlay, Overlay::Filter), "{}", stage.frame());
    stage.keys("d q");
    assert_eq!(stage.app.session.filter.prompt().text(), "prodq");
    // A line for another file is no business of the last one either.
    stage.keys("esc e");
    name(&mut stage, &folder.path().join("a.json"));
    let exists = stage.late_key("enter");
    stage.keys("esc e");
    name(&mut stage, &folder.path().join("b.json"));
    stage.send_all(exists);
    assert!(stage.frame().contains("not exported: "), "{}", stage.frame());
    stage.keys("enter");
    assert!(folder.path().join("b.json").exists());
}

#[test]
fn what_is_marked_while_others_are_being_marked_stays_marked() {
    let mut stage = forty();
    stage.keys("/").paste("globex").keys("enter");
    let marked = stage.late_key("*");
    stage.keys("esc g space");
    stage.send_all(marked);
    assert_eq!((stage.app.session.marks.len(), stage.app.session.marks.contains("whk_000000000000")), (11, true));
    // Pressed twice while the first is still at work: marked, and not marked.
    stage.keys("* *");
    let first = stage.late_key("*");
    let second = stage.late_key("*");
    let before = stage.app.session.marks.len();
    stage.send_all(first).send_all(second);
    assert_eq!((before, stage.app.session.marks.len()), (0, 0));
}

#[test]
fn a_notice_about_a_copy_keeps_its_end() {
    let mut stage = Stage::new(80, 24);
    stage.load(page(1, 0..40, Some(40)));
    for (key, name) in [('u', "URL of"), ('i', "id"), ('j', "JSON of"), ('m', "Markdown of"), ('d', "delete command of")] {
        let words = format!(" copied {name} whk_000000000000; y {key} again shows it");
        stage.keys(&format!("y {key}"));
        assert!(stage.footer().starts_with(&words), "{}", stage.footer());
    }
    stage.resize(40, 15);
    assert!(stage.keys("y m").footer().ends_with("copied Markdown; y m again shows it"), "{}", stage.footer());
    stage.resize(80, 24);
    stage.keys("* y i");
    let words = " copied 40 ids, ";
    assert!(
        stage.footer().starts_with(words) && stage.footer().contains("on screen; y i again shows them"),
        "{}",
        stage.footer()
    );
    stage.keys("y m");
    assert!(stage.footer().contains(" copied 40 Markdown blocks"), "{}", stage.footer());
    assert!(stage.keys("y m").frame().contains("whk_000000000000"), "{}", stage.frame());
}

#[test]
fn an_export_says_where_the_file_is_and_why_there_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let long = folder.path().join("a".repeat(90));
    fs::create_dir(&long).unwrap();
    let mut stage = forty();
    stage.resize(80, 24);
    stage.keys("e");
    name(&mut stage, &long.join("webhooks.json"));
    stage.keys("enter");
    let footer = stage.footer();
    assert!(footer.starts_with(" exported 40 to /") && footer.trim_end().ends_with("aaaa/webhooks.json"), "{footer}");
    stage.keys("e");
    name(&mut stage, &folder.path().join("none/webhooks.json"));
    stage.keys("enter");
    let footer = stage.footer();
    assert!(
        footer.starts_with(" ! cannot write ") && footer.contains("/none/webhooks.json: no such file or directory"),
        "{footer}"
    );
    stage.keys("esc e");
    stage.resize(40, 15);
    assert!(stage.line(" export 40 to").contains(" export 40 to …"), "{}", stage.frame());
}

#[test]
fn an_export_that_nobody_waits_for_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let mut stage = Stage::new(100, 30);
    stage.load(page(1, 0..2_000, Some(2_000))).keys("e");
    name(&mut stage, &folder.path().join("a.json"));
    let effects = stage.app.update(Message::Key(press("enter")), stage.now);
    let job = effects.into_iter().find_map(|effect| if let Effect::Run(job) = effect { Some(job) } else { None });
    let done = job.unwrap().run(&|| false);
    assert!(matches!(&done.outcome, Outcome::NotExported { words, .. } if words.as_str().contains("stopped")), "{done:?}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_copy_of_marks_that_are_out_of_sight_says_so() {
    let mut stage = forty();
    stage.keys("space space y");
    assert!(stage.frame().contains(" copy: 2 marked (whk_000000000000, whk_000000000001) "), "{}", stage.frame());
    stage.keys("esc /").paste("globex").keys("enter y");
    let title = " copy: 2 marked, 0 on screen (whk_000000000000, whk_000000000001) ";
    assert!(stage.frame().contains(title), "{}", stage.frame());
}
