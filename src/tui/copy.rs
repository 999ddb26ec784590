//! Copied texts: the true values, in forms that can be pasted into a shell or an incident channel. The API key is never
//! copied.

use std::borrow::Cow;

use crate::analysis::sort::Sort;
use crate::api::Client;
use crate::base::base_url::BaseUrl;
use crate::base::text::{Safe, clean, clean_head};
use crate::config::Multiplexer;
use crate::keymap::Copy;
use crate::model::{Field, RowRef, Scope, Webhook};
use crate::output::code;
use crate::safe;

/// The context in which copied commands work.
#[derive(Debug, Clone)]
pub struct CopyContext {
    pub base_url: BaseUrl,
    /// The start of a command that reaches the same workspace.
    pub invocation: Vec<String>,
    pub scope: Scope,
    /// The filter in effect; empty for none.
    pub filter: String,
    pub sort: Option<Sort>,
    /// Credentials in URLs are shown, so a report may contain them too.
    pub reveal: bool,
}

/// The reason why [`text`] has nothing to copy for a row.
pub fn refusal(row: RowRef<'_>) -> Safe {
    if row.is_webhook() {
        safe!("the id \"{}\" cannot be used in a URL", clean_head(row.id(), 40))
    } else {
        "a malformed row can only be copied as JSON".into()
    }
}

/// The text to copy; `None` if the row has no such text.
pub fn text(what: Copy, row: RowRef<'_>, place: &CopyContext) -> Option<String> {
    if what == Copy::Json {
        return Some(row.json().into_owned());
    }
    let webhook = &row.webhook()?;
    match what {
        Copy::Url => Some(webhook.url.raw().to_owned()),
        Copy::Id => Some(webhook.id.raw().to_owned()),
        Copy::Markdown => Some(markdown(webhook, place)),
        Copy::CurlGet => curl(webhook, place, ""),
        Copy::CurlPause => {
            curl(webhook, place, r#"-X PATCH -H 'Content-Type: application/json' -d '{"is_active": false}' "#)
        }
        Copy::CurlDelete => curl(webhook, place, "-X DELETE "),
        Copy::Json | Copy::ListCommand => None,
    }
}

/// The texts of several webhooks as one. Blocks of Markdown are separated by an empty line, since each ends with a line
/// break.
pub fn joined(what: Copy, texts: &[String]) -> String {
    match what {
        Copy::Json => format!("[\n{}\n]", texts.join(",\n")),
        _ => texts.join("\n"),
    }
}

/// A curl command that takes the key from the environment of the user's shell.
fn curl(webhook: &Webhook, place: &CopyContext, options: &str) -> Option<String> {
    let url = Client::webhook_url(&place.base_url, &webhook.id)?;
    let url = shlex::try_quote(url.as_str()).ok()?.into_owned();
    Some(format!(r#"curl -sS {options}-H "Authorization: Bearer $DIALNEXA_API_KEY" {url}"#))
}

/// The `hookscope list` command that shows the same rows.
pub fn list_command(place: &CopyContext) -> String {
    let mut words = place.invocation.clone();
    words.push("list".to_owned());
    if place.scope != Scope::All {
        words.extend(["--scope".to_owned(), place.scope.name().to_owned()]);
    }
    if !place.filter.trim().is_empty() {
        words.extend(["--filter".to_owned(), place.filter.clone()]);
    }
    if let Some(sort) = place.sort {
        let direction = if sort.descending { ":desc" } else { "" };
        words.extend(["--sort".to_owned(), format!("{}{direction}", sort.key.name())]);
    }
    let quoted = words.iter().map(|word| shlex::try_quote(word).unwrap_or_default());
    quoted.collect::<Vec<_>>().join(" ")
}

/// Markdown for an incident channel, which many people read: credentials stay masked unless they are revealed on screen.
fn markdown(webhook: &Webhook, place: &CopyContext) -> String {
    let state: Safe = match &webhook.is_active {
        Field::Value(true) => "active".into(),
        Field::Value(false) => "inactive".into(),
        Field::Odd(json) => code(&json.clean()),
        Field::Missing => "unknown".into(),
    };
    let events: Vec<_> = match &webhook.events {
        Field::Value(events) => events.iter().map(|event| code(&event.clean()).to_string()).collect(),
        Field::Odd(json) => vec![code(&json.clean()).to_string()],
        Field::Missing => Vec::new(),
    };
    let created = webhook.created_at.value().map_or_else(|| "unknown".into(), |created| code(&created.clean()));
    format!(
        "**Webhook** {}\n- url: {}\n- state: {state}\n- events: {}\n- created: {created}\n- API: {}\n",
        code(&webhook.id.clean()),
        code(&webhook.url.clean(place.reveal)),
        if events.is_empty() { "none".to_owned() } else { events.join(", ") },
        code(&place.base_url.clean()),
    )
}

/// The largest text to send through the terminal, in bytes, since several terminals drop longer ones.
pub const MAX_OSC52: usize = 74_000;

/// The largest piece of a sequence for GNU screen, in bytes. It drops pieces of more than 768 bytes.
const SCREEN_PIECE: usize = 700;

/// The sequence that asks a terminal to put a text on the clipboard. Depending on its settings, tmux either forwards a
/// wrapped sequence or handles a plain one, so both are sent. GNU screen forwards wrapped ones, in pieces.
pub fn osc52(text: &str, multiplexer: Option<Multiplexer>) -> Vec<u8> {
    use base64::Engine as _;
    let plain = format!("\x1b]52;c;{}\x07", base64::engine::general_purpose::STANDARD.encode(text));
    match multiplexer {
        None => plain.into_bytes(),
        Some(Multiplexer::Tmux) => {
            let wrapped = plain.replace('\x1b', "\x1b\x1b");
            format!("{plain}\x1bPtmux;{wrapped}\x1b\\").into_bytes()
        }
        Some(Multiplexer::Screen) => {
            let pieces = plain.as_bytes().chunks(SCREEN_PIECE);
            pieces.flat_map(|piece| [b"\x1bP", piece, b"\x1b\\"].concat()).collect()
        }
    }
}

/// Returns true if a text is too long to go through the terminal.
pub fn is_too_long(text: &str) -> bool {
    text.len() > MAX_OSC52
}

/// Breaks a command into continued lines, so that it can be selected on a screen of this width. Lines that the terminal
/// breaks would be pasted as separate commands.
fn continued(command: &str, columns: u16) -> String {
    let mut lines: Vec<String> = Vec::new();
    for word in shell_words(command) {
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() + CONTINUED.len() < columns.into() => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join(CONTINUED)
}

const CONTINUED: &str = " \\\n";

/// The words of a command as they are spelled, quotes included.
fn shell_words(command: &str) -> impl Iterator<Item = &str> {
    let mut quote = None;
    let mut is_escaped = false;
    command.split(move |c: char| {
        if std::mem::take(&mut is_escaped) {
            return false;
        }
        match quote {
            None if c == '\'' || c == '"' => quote = Some(c),
            Some(open) if c == open => quote = None,
            None | Some('"') if c == '\\' => is_escaped = true,
            _ => {}
        }
        c == ' ' && quote.is_none()
    })
}

/// A text for a plain screen, to select by hand.
#[derive(Debug, Clone)]
pub struct PlainText {
    what: Copy,
    text: String,
    /// Wrapped as by a terminal of this width.
    lines: Vec<Safe>,
    columns: u16,
    /// The number of lines above the screen.
    scroll: usize,
}

impl PlainText {
    pub fn new(what: Copy, text: String, columns: u16) -> Self {
        let spread: Vec<_> = if what.is_command() {
            text.lines().map(|command| Cow::Owned(continued(command, columns))).collect()
        } else {
            text.lines().map(Cow::Borrowed).collect()
        };
        // Keep empty lines, since they separate the blocks of Markdown.
        let lines =
            spread.iter().flat_map(|text| text.split('\n')).flat_map(|line| clean(line).chunks(columns.into())).collect();
        Self { what, text, lines, columns, scroll: 0 }
    }

    /// The true text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The lines on screen and below it.
    pub fn lines(&self) -> &[Safe] {
        self.lines.get(self.scroll..).unwrap_or_default()
    }

    pub fn scroll_by(&mut self, lines: isize) {
        self.scroll = self.scroll.saturating_add_signed(lines).min(self.lines.len().saturating_sub(1));
    }

    /// Wraps the text again if the width of the screen has changed.
    pub fn fit(&mut self, columns: u16) {
        if columns != self.columns {
            *self = Self::new(self.what, std::mem::take(&mut self.text), columns);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::row_of;

    fn place() -> CopyContext {
        let base_url = BaseUrl::parse("https://api.example.com").unwrap();
        CopyContext {
            base_url,
            invocation: vec!["hookscope".to_owned()],
            scope: Scope::Active,
            filter: String::new(),
            sort: None,
            reveal: false,
        }
    }

    #[test]
    fn commands_quote_what_came_from_outside_and_never_hold_the_key() {
        let row = row_of(r#"{"id":"a b'$(reboot)`id`/..","url":"https://x.com/?token=abc"}"#);
        for what in [Copy::CurlGet, Copy::CurlPause, Copy::CurlDelete] {
            let command = text(what, row.row(), &place()).unwrap();
            let words = shlex::split(&command).unwrap();
            assert_eq!(
                words.last().unwrap(),
                "https://api.example.com/v1/user-webhooks/a%20b%27%24%28reboot%29%60id%60%2F.."
            );
            assert!(command.contains(r#""Authorization: Bearer $DIALNEXA_API_KEY""#), "{command}");
        }
        assert!(text(Copy::CurlDelete, row.row(), &place()).unwrap().contains("-X DELETE"));
    }

    #[test]
    fn a_command_is_for_the_webhook_or_there_is_none() {
        let webhook = |id: &str| row_of(&format!(r#"{{"id":"{id}","url":"https://x.com/"}}"#));
        for what in [Copy::CurlGet, Copy::CurlPause, Copy::CurlDelete] {
            // curl would delete three webhooks.
            for (id, segment) in [(r"whk_1\n", "whk_1%0A"), ("whk_[1-3]", "whk_%5B1-3%5D"), ("%2e%2e", "%252e%252e")] {
                let command = text(what, webhook(id).row(), &place()).unwrap();
                let url = shlex::split(&command).unwrap().pop().unwrap();
                assert_eq!(url, format!("https://api.example.com/v1/user-webhooks/{segment}"));
            }
            for id in ["", ".", ".."] {
                assert_eq!(text(what, webhook(id).row(), &place()), None);
            }
        }
        assert_eq!(refusal(webhook("..").row()).as_str(), r#"the id ".." cannot be used in a URL"#);
    }

    #[test]
    fn a_command_on_a_plain_screen_is_the_same_command() {
        let row = row_of(r#"{"id":"whk_c9v3nz8rq4pm","url":"https://x.com/"}"#);
        for what in [Copy::CurlGet, Copy::CurlPause, Copy::CurlDelete] {
            let command = text(what, row.row(), &place()).unwrap();
            for columns in [1, 20, 60, 80, 200] {
                let lines = continued(&command, columns);
                assert_eq!(shlex::split(&lines.replace("\\\n", "")), shlex::split(&command), "{lines}");
                assert!(columns < 80 || lines.lines().all(|line| line.chars().count() <= columns.into()), "{lines}");
            }
        }
        let filter = "\"bob's\" !acme crm !active:no created:>30d host:x.example.com $HOME \\";
        let command = list_command(&CopyContext { filter: filter.to_owned(), ..place() });
        for columns in [1, 30, 60, 80] {
            let lines = continued(&command, columns);
            assert_eq!(shlex::split(&lines.replace(" \\\n", " ")), shlex::split(&command), "{lines}");
        }
        assert_eq!(continued("curl -H \"a b\" 'c  d'", 14), "curl -H \\\n\"a b\" \\\n'c  d'");
    }

    #[test]
    fn a_url_is_copied_true_and_reported_masked() {
        let row = row_of(r#"{"id":"a`b","url":"https://x.com/?token=abc","events":["e"],"is_active":true}"#);
        assert_eq!(text(Copy::Url, row.row(), &place()).unwrap(), "https://x.com/?token=abc");
        let block = text(Copy::Markdown, row.row(), &place()).unwrap();
        assert!(block.contains("token=***") && block.contains("`` a`b ``") && block.contains("- state: active"), "{block}");
    }

    /// The paragraphs and the list items of a Markdown text, as plain text.
    fn rendered(text: &str) -> Vec<String> {
        use pulldown_cmark::{Event, Parser, Tag, TagEnd};
        let mut blocks = Vec::new();
        for event in Parser::new(text) {
            match event {
                Event::Start(Tag::Paragraph | Tag::Item) => blocks.push(String::new()),
                Event::End(TagEnd::List(_)) => blocks.push("(end of list)".to_owned()),
                Event::Text(text) | Event::Code(text) => blocks.last_mut().unwrap().push_str(&text),
                Event::SoftBreak | Event::HardBreak => blocks.last_mut().unwrap().push_str("(break)"),
                _ => {}
            }
        }
        blocks
    }

    #[test]
    fn markdown_of_several_webhooks_is_a_block_for_each() {
        let rows = [
            r#"{"id":"a","url":"https://a.com/","events":["e"," f ",""],"is_active":true}"#,
            r#"{"id":"- b\n\n# c","url":"https://x.com/`\n\n> y","events":[],"created_at":"2024-01-01T00:00:00Z"}"#,
            r#"{"id":"``","url":"no url","events":7,"is_active":"`"}"#,
        ];
        let texts: Vec<_> = rows.iter().map(|json| text(Copy::Markdown, row_of(json).row(), &place()).unwrap()).collect();
        let whole = joined(Copy::Markdown, &texts);
        let blocks = rendered(&whole);
        let expected: Vec<_> = texts.iter().flat_map(|text| rendered(text)).collect();
        assert_eq!(blocks, expected, "{whole}");
        assert_eq!(blocks.len(), 7 * rows.len(), "{blocks:#?}");
        assert!(!whole.contains("(break)"));
        let heads: Vec<_> = blocks.iter().step_by(7).map(String::as_str).collect();
        assert_eq!(heads, ["Webhook a", "Webhook - b^J^J# c", "Webhook ``"]);
        assert_eq!((blocks[3].as_str(), blocks[6].as_str()), ("events: e,  f ,  ", "(end of list)"));
        // The same on a plain screen, to select by hand.
        let lines: Vec<_> = PlainText::new(Copy::Markdown, whole, 200).lines().iter().map(ToString::to_string).collect();
        assert_eq!(rendered(&lines.join("\n")), blocks);
    }

    #[test]
    fn the_list_command_names_profile_and_scope() {
        let place =
            CopyContext { invocation: ["hookscope", "--profile", "my staging"].map(str::to_owned).into(), ..place() };
        assert_eq!(list_command(&place), "hookscope --profile 'my staging' list --scope active");
    }

    #[test]
    fn a_malformed_row_can_be_copied_as_json_only() {
        let row = row_of("[1]");
        assert_eq!(text(Copy::Json, row.row(), &place()).as_deref(), Some("[1]"));
        assert_eq!(text(Copy::Url, row.row(), &place()), None);
    }

    #[test]
    fn multiplexers_get_the_sequence_wrapped() {
        assert_eq!(osc52("hi", None), b"\x1b]52;c;aGk=\x07");
        assert_eq!(osc52("hi", Some(Multiplexer::Tmux)), b"\x1b]52;c;aGk=\x07\x1bPtmux;\x1b\x1b]52;c;aGk=\x07\x1b\\");
        assert_eq!(osc52("hi", Some(Multiplexer::Screen)), b"\x1bP\x1b]52;c;aGk=\x07\x1b\\");
    }

    #[test]
    fn gnu_screen_gets_pieces_that_fit_and_make_up_the_whole() {
        let text = "x".repeat(10_000);
        let sent = String::from_utf8(osc52(&text, Some(Multiplexer::Screen))).unwrap();
        let pieces: Vec<_> =
            sent.split_terminator("\x1b\\").map(|piece| piece.strip_prefix("\x1bP").expect("a DCS string")).collect();
        assert!(pieces.len() > 1 && pieces.iter().all(|piece| piece.len() < 768));
        assert_eq!(pieces.concat().as_bytes(), osc52(&text, None));
    }
}
