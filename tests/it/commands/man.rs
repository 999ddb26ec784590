//! The man pages: every command has one, each reference leads to a page, and formatters have nothing to complain about.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use hookscope::cli::help;
use hookscope::keymap::ACTIONS;

use super::Home;

/// The names of the pages of a command and of those below it.
fn names(command: &clap::Command, parent: &str, names: &mut BTreeSet<String>) {
    for below in command.get_subcommands() {
        let name = format!("{parent}-{}", below.get_name());
        names.insert(format!("{name}.1"));
        self::names(below, &name, names);
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

async fn written() -> (Home, BTreeSet<String>) {
    let home = Home::new();
    home.run(&["man", "--dir", "pages"]).await.data();
    let found = fs::read_dir(home.path("pages")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let found = found.collect();
    (home, found)
}

#[tokio::test]
async fn every_command_has_a_page_and_every_reference_leads_to_one() {
    let (home, found) = written().await;
    let mut expected = BTreeSet::from(["hookscope.1".to_owned(), "hookscope-config.5".to_owned()]);
    names(&help::command(Some(80)), "hookscope", &mut expected);
    assert_eq!(found, expected);
    assert_eq!(home.run(&["man"]).await.data(), home.read("pages/hookscope.1"));
    for name in &found {
        let page = home.read(&format!("pages/{name}")).replace("\\-", "-").replace("\\fB", "").replace("\\fR", "");
        let references = page.match_indices("hookscope").filter_map(|(at, _)| {
            let (name, rest) = page.get(at..)?.split_once('(')?;
            let is_name = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
            let section = rest.chars().next()?;
            (is_name && rest.get(1..)?.starts_with(')')).then(|| format!("{name}.{section}"))
        });
        let references: Vec<_> = references.collect();
        assert!(!references.is_empty(), "{name} refers to no page");
        for reference in references {
            assert!(found.contains(&reference), "{name} refers to {reference}");
        }
    }
}

#[tokio::test]
async fn the_main_page_has_its_sections() {
    let home = Home::new();
    let page = home.run(&["man"]).await.data().replace("\\-", "-").replace("\\*(Aq", "'");
    let words = one_line(&page);
    let mut rest = page.as_str();
    for section in [
        "NAME",
        "SYNOPSIS",
        "COMMANDS",
        "KEYS",
        "FILTER",
        "FILES",
        "ENVIRONMENT",
        "\"EXIT STATUS\"",
        "EXAMPLES",
        "\"SEE ALSO\"",
    ] {
        let heading = format!("\n.SH {section}\n");
        let (_, after) = rest.split_once(&heading).unwrap_or_else(|| panic!("no {section} in\n{rest}"));
        rest = after;
    }
    for entry in ACTIONS {
        assert!(words.contains(entry.help), "{}", entry.name);
    }
    for line in hookscope::analysis::query::help().lines().filter(|line| !line.contains('\\')) {
        assert!(page.contains(line), "{line}");
    }
    for (_, meaning) in hookscope::error::EXIT_CODES {
        assert!(words.contains(&meaning.replace('`', "")), "{meaning}");
    }
}

#[tokio::test]
async fn the_page_of_the_config_has_every_key() {
    let (home, _) = written().await;
    let page = one_line(&home.read("pages/hookscope-config.5").replace("\\-", "-").replace("\\*(Aq", "'"));
    for line in include_str!("../../../config.example.toml").lines() {
        let key = line.strip_prefix('#').filter(|key| !key.is_empty() && !key.starts_with(' '));
        if let Some(key) = key {
            assert!(page.contains(&format!("\\fB{}\\fR", key.replace('\\', "\\\\"))), "{key}");
        } else if let Some(words) = line.strip_prefix("# ") {
            let first: Vec<_> = words.split(' ').take(4).collect();
            assert!(page.contains(&first.join(" ")), "{words}");
        }
    }
}

#[tokio::test]
async fn formatters_have_nothing_to_complain_about() {
    let (home, found) = written().await;
    for name in &found {
        let page = home.read(&format!("pages/{name}"));
        assert!(page.bytes().all(|byte| byte == b'\n' || (b' '..=b'~').contains(&byte)), "{name}");
        assert!(page.lines().all(|line| line.trim_end() == line), "{name} has spaces at the end of a line");
        let opened = |request: &str| page.lines().filter(|line| *line == request).count();
        assert_eq!((opened(".nf"), opened(".RE")), (opened(".fi"), opened(".RS 4")), "{name}");
    }
    let mut mandoc = Command::new("mandoc");
    mandoc.arg("-Tlint").args(found.iter().map(|name| home.path("pages").join(name))).stdin(Stdio::null());
    match mandoc.output() {
        Ok(output) => assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{output:?}"),
        Err(error) => eprintln!("mandoc is not installed, so the pages are not linted: {error}"),
    }
}

#[tokio::test]
async fn other_files_of_the_directory_stay_and_ours_are_replaced() {
    let home = Home::new();
    home.write("pages/other.1", "other");
    home.write("pages/hookscope.1", "old");
    fs::set_permissions(home.path("pages/hookscope.1"), fs::Permissions::from_mode(0o644)).unwrap();
    for _ in 0..2 {
        home.run(&["man", "--dir", "pages"]).await.data();
        assert_eq!(home.read("pages/other.1"), "other");
        assert!(home.read("pages/hookscope.1").contains(".TH HOOKSCOPE 1 "));
        let mode = fs::metadata(home.path("pages/hookscope.1")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o644);
    }
    let left = fs::read_dir(home.path("pages")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(left.into_iter().all(|name| name.ends_with(".1") || name.ends_with(".5")));
}

#[tokio::test]
async fn a_directory_that_cannot_be_written_is_named() {
    let home = Home::new();
    home.write("file", "");
    for directory in ["/proc/pages", "file", "file/below"] {
        let ended = home.run(&["man", "--dir", directory]).await;
        let words = ended.refusal(4);
        assert!(words.contains(directory) && !words.contains("os error"), "{words}");
    }
}

#[tokio::test]
async fn the_pages_are_the_same_in_every_environment() {
    let (home, found) = written().await;
    let mut command = home.command(&["man", "--dir", "again"]);
    command.env("LANG", "de_DE.ISO-8859-1").env("TZ", "Asia/Kathmandu").env("COLUMNS", "40").env("XDG_CONFIG_HOME", "/x");
    super::Ended::of(command).await.data();
    for name in &found {
        assert_eq!(home.read(&format!("again/{name}")), home.read(&format!("pages/{name}")), "{name}");
    }
}
