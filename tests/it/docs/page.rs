//! A Markdown page: its code blocks, links, headings and generated tables.

use std::collections::HashMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// A fenced code block.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    /// The first word of the info string: `console`, `sh`, `toml`, …
    pub(crate) language: String,
    /// True if the info string contains `no-run`.
    pub(crate) no_run: bool,
    pub(crate) text: String,
    /// The byte range of the text in the page.
    pub(crate) range: Range<usize>,
    /// The line of the opening fence, from 1.
    pub(crate) line: usize,
}

impl Block {
    /// The file that a first line such as `# map.toml` names.
    pub(crate) fn file_name(&self) -> Option<&str> {
        let name = self.text.lines().next()?.strip_prefix("# ")?;
        (name.contains('.') && !name.contains(['/', ' '])).then_some(name)
    }
}

/// A page of the documentation.
pub(crate) struct Page {
    /// From the root of the project.
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

impl Page {
    fn read(path: PathBuf) -> Self {
        let text = fs::read_to_string(root().join(&path)).unwrap();
        Self { path, text }
    }

    /// README.md, CHANGELOG.md and everything in docs/.
    pub(crate) fn all() -> Vec<Self> {
        let mut paths: Vec<_> = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        paths.sort();
        let docs =
            paths.iter().map(|name| Path::new("docs").join(name)).filter(|path| path.extension().is_some_and(|e| e == "md"));
        ["README.md", "CHANGELOG.md"].map(PathBuf::from).into_iter().chain(docs).map(Self::read).collect()
    }

    pub(crate) fn named(name: &str) -> Self {
        Self::read(PathBuf::from(name))
    }

    fn events(&self) -> impl Iterator<Item = (Event<'_>, Range<usize>)> {
        Parser::new_ext(&self.text, Options::ENABLE_TABLES).into_offset_iter()
    }

    pub(crate) fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut open: Option<Block> = None;
        for (event, range) in self.events() {
            match event {
                Event::Start(Tag::CodeBlock(kind)) => {
                    let info = if let CodeBlockKind::Fenced(info) = &kind { info.as_ref() } else { "" };
                    let mut words = info.split_whitespace();
                    open = Some(Block {
                        language: words.next().unwrap_or_default().to_owned(),
                        no_run: words.any(|word| word == "no-run"),
                        text: String::new(),
                        range: 0..0,
                        line: self.text[..range.start].lines().count() + 1,
                    });
                }
                Event::Text(text) => {
                    if let Some(block) = &mut open {
                        let start = if block.text.is_empty() { range.start } else { block.range.start };
                        block.range = start..range.end;
                        block.text.push_str(&text);
                    }
                }
                Event::End(TagEnd::CodeBlock) => blocks.extend(open.take()),
                _ => {}
            }
        }
        blocks
    }

    /// The targets of links and pictures.
    pub(crate) fn links(&self) -> Vec<String> {
        self.events()
            .filter_map(|(event, _)| match event {
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => Some(dest_url.into_string()),
                _ => None,
            })
            .collect()
    }

    /// The anchors of the headings, as GitHub makes them.
    pub(crate) fn anchors(&self) -> Vec<String> {
        let mut seen: HashMap<String, usize> = HashMap::new();
        let mut anchors = Vec::new();
        let mut heading: Option<String> = None;
        for (event, _) in self.events() {
            match event {
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::Text(text) | Event::Code(text) => {
                    if let Some(heading) = &mut heading {
                        heading.push_str(&text);
                    }
                }
                Event::End(TagEnd::Heading(_)) => {
                    let anchor = slug(&heading.take().unwrap_or_default());
                    let count = seen.entry(anchor.clone()).or_default();
                    anchors.push(if *count == 0 { anchor } else { format!("{anchor}-{count}") });
                    *count += 1;
                }
                _ => {}
            }
        }
        anchors
    }
}

fn slug(heading: &str) -> String {
    let kept =
        heading.to_lowercase().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_')).collect::<String>();
    kept.replace(' ', "-")
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
