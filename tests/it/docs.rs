//! The README and the pages in docs/: every command block runs, every reference table is the code's, every link leads
//! somewhere. `UPDATE_DOCS=1 cargo test --test it docs` rewrites outputs and tables; read the difference before it is committed.
#![expect(
    clippy::panic,
    clippy::string_slice,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a helper that cannot do its work fails the test, and a block that is skipped is named"
)]

mod names;
mod page;
mod run;
mod tables;

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use clap::Parser as _;
use hookscope::cli::{Cli, placement};
use page::{Block, Page, root};
use run::{Sandbox, Step, agree, missing, steps, updated};

use crate::pty::session::{Exit, Setup};

/// The characters that end a command in a shell.
const OPERATORS: [char; 9] = ['|', '>', '<', '&', ';', ')', '`', '\n', '#'];

fn is_update() -> bool {
    std::env::var_os("UPDATE_DOCS").is_some()
}

/// The arguments of every `hookscope …` in a text.
fn commands_in(text: &str) -> Vec<Vec<String>> {
    let joined = text.replace("\\\n", " ");
    let starts = joined.match_indices("hookscope").filter(|(start, word)| {
        let before = joined[..*start].chars().next_back().is_none_or(|c| !c.is_alphanumeric() && !"/._-~$\"".contains(c));
        let after = joined[start + word.len()..].chars().next().is_none_or(|c| c == ' ' || c == '\n');
        before && after
    });
    starts.map(|(start, _)| words(&joined[start..])).collect()
}

/// The words of the first command of a shell text.
fn words(text: &str) -> Vec<String> {
    let (mut quote, mut end) = (None, text.len());
    for (index, c) in text.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            None if c == '\'' || c == '"' => quote = Some(c),
            None if OPERATORS.contains(&c) => {
                end = index;
                break;
            }
            _ => {}
        }
    }
    shlex::split(&text[..end]).unwrap_or_else(|| panic!("cannot be split into words: {}", &text[..end]))
}

/// Every `hookscope` command of a text is one that the program knows.
fn check_parses(at: &str, text: &str) {
    for words in commands_in(text) {
        let command = placement::command();
        match command.clone().try_get_matches_from(&words) {
            Ok(matches) => {
                let words: Vec<_> = words.iter().map(Into::into).collect();
                let refused = placement::check(&command, &matches, &words).err();
                assert!(refused.is_none(), "{at}: {words:?}\n{refused:?}");
            }
            Err(error) => assert_eq!(error.exit_code(), 0, "{at}: {words:?}\n{error}"),
        }
    }
}

/// Returns true if a line opens the explorer.
fn is_explorer(line: &str) -> bool {
    let is_assignment = |word: &&str| word.contains('=') && !word.starts_with('-');
    let is_hookscope = line.split_whitespace().find(|word| !is_assignment(word)) == Some("hookscope");
    matches!(commands_in(line).as_slice(), [words] if is_hookscope
        && Cli::try_parse_from(words).is_ok_and(|cli| cli.command.is_none()))
}

/// Opens the explorer in a terminal, waits for its first frame, and quits.
fn open_explorer(sandbox: &Sandbox, line: &str) {
    let script = format!("cd '{}' && {line}", sandbox.path().display());
    let setup = Setup::new("sh", &["-c", &script]);
    let setup = sandbox.variables().into_iter().fold(setup, |setup, (name, value)| setup.env(name, &value));
    let mut session = setup.start();
    session.wait_text("help");
    session.type_keys("q");
    assert_eq!(session.exit(), Exit::Code(0), "{line}");
}

/// Runs a block. Returns the text that it should have, if that differs.
fn run_block(sandbox: &Sandbox, at: &str, block: &Block, count: &mut usize) -> Option<String> {
    if let Some(program) = missing(&block.text) {
        eprintln!("{at}: skipped, {program} is missing");
        return None;
    }
    if block.language == "console" {
        let steps = steps(&block.text);
        *count += steps.len();
        let (explorer, steps): (Vec<_>, Vec<_>) = steps.into_iter().partition(|step| is_explorer(&step.command));
        for step in &explorer {
            assert!(step.shown.is_empty() && steps.is_empty(), "{at}: the explorer prints nothing");
            open_explorer(sandbox, &step.command);
        }
        return if steps.is_empty() { None } else { run_session(sandbox, at, &steps) };
    }
    *count += commands_in(&block.text).len().max(1);
    if block.text.lines().any(is_explorer) {
        for line in block.text.lines() {
            if is_explorer(line) {
                open_explorer(sandbox, line);
            } else {
                sandbox.script(line).unwrap_or_else(|output| panic!("{at}: {line}\n{output}"));
            }
        }
    } else {
        sandbox.script(&block.text).unwrap_or_else(|output| panic!("{at}: {output}"));
    }
    None
}

fn run_session(sandbox: &Sandbox, at: &str, steps: &[Step]) -> Option<String> {
    let printed = sandbox.session(steps);
    assert_eq!(printed.len(), steps.len(), "{at}: the shell ended early");
    let mut differs = false;
    for (index, (step, (lines, code))) in steps.iter().zip(&printed).enumerate() {
        // 1 is a finding or a difference; 141 is `sort` before `head`. The page shows any other failure.
        let shows = |line: &String| line.starts_with("hookscope: ") || line.starts_with("FAIL");
        let is_shown = step.shown.iter().any(shows) || steps.get(index + 1).is_some_and(|next| next.command == "echo $?");
        assert!(matches!(code, 0 | 1 | 141) || is_shown, "{at}: exit code {code}: {}\n{lines:?}", step.command);
    }
    let text = steps.iter().zip(&printed).fold(String::new(), |mut text, (step, (printed, _))| {
        let agrees = agree(&step.shown, printed);
        differs |= !agrees;
        let shown = if agrees { step.shown.clone() } else { updated(&step.shown, printed) };
        let command = step.command.split_inclusive('\n').collect::<Vec<_>>();
        for (index, line) in command.iter().enumerate() {
            let prompt = match (index, command.get(index.wrapping_sub(1))) {
                (0, _) => "$ ",
                (_, Some(before)) if before.ends_with("\\\n") => "",
                _ => "> ",
            };
            write!(text, "{prompt}{line}").unwrap();
        }
        text.push('\n');
        for line in shown {
            writeln!(text, "{line}").unwrap();
        }
        text
    });
    differs.then_some(text)
}

/// Runs all blocks of a page in order. Returns the number of commands.
async fn check_page(page: &Page) -> usize {
    let server = hookscope::demo::DemoServer::start(hookscope::demo::DemoOptions::default()).await.unwrap();
    let sandbox = Sandbox::new(&server.base_url());
    let (mut count, mut text, mut shift, mut differing) = (0, page.text.clone(), 0_isize, String::new());
    for block in page.blocks() {
        let at = format!("{}:{}", page.path.display(), block.line);
        if let Some(name) = block.file_name() {
            sandbox.write(name, &block.text);
            continue;
        }
        let update = match block.language.as_str() {
            "console" | "sh" if !block.no_run => run_blocking(&sandbox, &at, &block, &mut count),
            "sh" => {
                let checked = Command::new("sh").args(["-n", "-c", &block.text]).status().unwrap();
                assert!(checked.success(), "{at}: not a shell script");
                check_parses(&at, &block.text);
                None
            }
            "yaml" | "ini" | "crontab" => {
                check_parses(&at, &block.text);
                None
            }
            "toml" => {
                sandbox.write("block.toml", &block.text);
                sandbox
                    .script("hookscope --config block.toml config show")
                    .unwrap_or_else(|output| panic!("{at}: {output}"));
                None
            }
            "json" => {
                serde_json::from_str::<serde_json::Value>(&block.text).unwrap_or_else(|error| panic!("{at}: {error}"));
                None
            }
            "promql" | "python" => None,
            other => panic!("{at}: blocks of {other:?} are not tested"),
        };
        if let Some(update) = update {
            writeln!(differing, "{at}:\n{update}").unwrap();
            let range =
                block.range.start.checked_add_signed(shift).unwrap()..block.range.end.checked_add_signed(shift).unwrap();
            shift += isize::try_from(update.len()).unwrap() - isize::try_from(range.len()).unwrap();
            text.replace_range(range, &update);
        }
    }
    if is_update() {
        fs::write(root().join(&page.path), text).unwrap();
    } else {
        assert!(differing.is_empty(), "the commands print something else (UPDATE_DOCS=1 rewrites the page):\n{differing}");
    }
    count
}

/// Runs a block while the server keeps answering on this thread's runtime.
fn run_blocking(sandbox: &Sandbox, at: &str, block: &Block, count: &mut usize) -> Option<String> {
    tokio::task::block_in_place(|| run_block(sandbox, at, block, count))
}

macro_rules! pages {
    ($($test:ident $path:literal;)*) => {
        const TESTED: &[&str] = &[$($path),*];
        $(#[tokio::test(flavor = "multi_thread")]
        async fn $test() {
            let count = check_page(&Page::named($path)).await;
            eprintln!("{}: {count} commands ran", $path);
        })*
    };
}

pages! {
    commands_in_the_readme_run "README.md";
    commands_about_the_architecture_run "docs/architecture.md";
    commands_about_the_audit_run "docs/audit.md";
    commands_about_changes_run "docs/changes.md";
    commands_about_the_configuration_run "docs/configuration.md";
    commands_about_the_explorer_run "docs/explorer.md";
    commands_about_the_filter_run "docs/filter.md";
    commands_about_formats_run "docs/formats.md";
    commands_about_metrics_run "docs/metrics.md";
    commands_about_migration_run "docs/migration.md";
    commands_about_the_probe_run "docs/probe.md";
    commands_in_scripts_run "docs/scripts.md";
    commands_about_the_terminal_run "docs/terminal.md";
    commands_for_troubleshooting_run "docs/troubleshooting.md";
}

#[test]
fn every_page_is_tested() {
    let paths: Vec<_> = Page::all().into_iter().map(|page| page.path.display().to_string()).collect();
    let paths: Vec<_> = paths.iter().map(String::as_str).filter(|path| *path != "CHANGELOG.md").collect();
    assert_eq!(paths, TESTED);
}

#[test]
fn links_lead_to_files_and_headings() {
    for page in Page::all() {
        let at = page.path.display();
        for link in page.links().iter().filter(|link| !link.contains("://")) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { page.path.clone() } else { page.path.parent().unwrap().join(file) };
            assert!(root().join(&target).exists(), "{at}: {link} leads nowhere");
            if !anchor.is_empty() {
                let anchors = Page::named(&target.display().to_string()).anchors();
                assert!(anchors.iter().any(|known| known == anchor), "{at}: {link} names no heading of {anchors:?}");
            }
        }
    }
}

#[test]
fn reference_tables_are_those_of_the_code() {
    let mut unused: Vec<_> = tables::all();
    for page in Page::all() {
        let mut text = page.text.clone();
        for (name, table) in tables::all() {
            let open = format!("<!-- table: {name} -->\n");
            let Some(start) = text.find(&open).map(|start| start + open.len()) else { continue };
            let length = text[start..].find("<!-- end -->").unwrap_or_else(|| panic!("{name} has no end"));
            text.replace_range(start..start + length, &table);
            unused.retain(|(unused, _)| *unused != name);
        }
        assert!(
            !text.contains("<!-- table:") || text.matches("<!-- table:").count() == text.matches("<!-- end -->").count()
        );
        if is_update() {
            fs::write(root().join(&page.path), text).unwrap();
        } else {
            assert!(text == page.text, "{}: a table is not the code's (UPDATE_DOCS=1 rewrites it)", page.path.display());
        }
    }
    let names: Vec<_> = unused.iter().map(|(name, _)| name).collect();
    assert!(names.is_empty(), "no page has the tables {names:?}");
}
