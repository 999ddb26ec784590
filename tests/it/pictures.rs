//! The pictures in docs/: they are what the explorer draws now, on any machine.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

use quick_xml::events::Event;

#[path = "../../examples/tour/main.rs"]
#[expect(dead_code, reason = "the example has a main function")]
mod tour;

#[tokio::test]
async fn the_pictures_show_what_the_explorer_draws() {
    let pictures = tour::pictures().await.unwrap();
    let is_stale = |picture: &&tour::Picture| fs::read_to_string(picture.path()).map_or(true, |svg| svg != picture.svg);
    let stale: Vec<_> = pictures.iter().filter(is_stale).map(|picture| picture.name).collect();
    assert!(stale.is_empty(), "stale in docs/: {}. Run `cargo run --example tour`", stale.join(", "));
}

/// The same test again, as on other machines.
#[test]
fn the_pictures_are_the_same_in_another_time_zone_and_locale() {
    let test = "pictures::the_pictures_show_what_the_explorer_draws";
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", test])
        .envs([
            ("TZ", "Pacific/Chatham"),
            ("LANG", "tr_TR.ISO-8859-9"),
            ("LC_ALL", "tr_TR.ISO-8859-9"),
            ("COLUMNS", "40"),
            ("LINES", "10"),
            ("NO_COLOR", "1"),
            ("TERM", "linux"),
            ("HOME", "/nonexistent"),
            ("HTTP_PROXY", "http://127.0.0.1:1"),
            ("DIALNEXA_API_KEY", "id:secret"),
        ])
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && stdout.contains("1 passed"), "{stdout}");
}

#[test]
fn the_pictures_have_nothing_that_github_strips_and_load_fast() {
    let docs = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")).unwrap();
    for path in docs.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|kind| kind == "svg")) {
        let svg = fs::read_to_string(&path).unwrap();
        assert!(svg.len() < 150_000, "{} has {} bytes", path.display(), svg.len());
        let mut reader = quick_xml::Reader::from_str(&svg);
        loop {
            match reader.read_event().unwrap() {
                Event::Start(tag) | Event::Empty(tag) => {
                    let tag = tag.name();
                    let is_known = ["svg", "title", "style", "g", "rect", "text"].contains(&tag.as_ref());
                    assert!(is_known, "{} has <{}>", path.display(), tag.as_ref());
                }
                Event::Eof => break,
                _ => {}
            }
        }
    }
}
