//! `hookscope plan`: a migration as a table, as JSON, or as a script to review and run. It sends nothing.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::json;
use url::Url;

use super::context::{Context, MalformedRows};
use super::workspace::EVERYTHING;
use crate::analysis::field_changes::{IgnoredFields, field_changes};
use crate::analysis::migration::{Change, Mapping, Plan};
use crate::analysis::vocabulary;
use crate::api::Client;
use crate::base::base_url::BaseUrl;
use crate::base::clock;
use crate::base::redact::mask_url;
use crate::base::text::{Safe, clean_head, escape_json, grouped};
use crate::cli::args::{OutputArgs, PlanArgs, PlanFormat};
use crate::config::{MapFile, WorkspaceOptions};
use crate::error::{Error, Exit};
use crate::model::WebhookId;
use crate::output::{DiffLine, Format, Output, Sheet, SheetEntry};
use crate::safe;

/// The most names in a message.
const NAMED: usize = 5;

/// Plans the migration, and writes it.
pub(super) async fn run(args: &PlanArgs, context: &Context<'_>) -> Result<Exit, Error> {
    let mut out = Output::stdout();
    let usual = if out.is_terminal() { PlanFormat::Table } else { PlanFormat::Tsv };
    let format = args.format.unwrap_or(usual);
    if format == PlanFormat::Sh && context.global.demo {
        return Err(Error::Usage {
            message: "plan -o sh needs an API that stays up, but the demo stops with this command".into(),
            advice: Some("Start a demo that stays up with hookscope demo serve.".into()),
        });
    }
    let mapping = mapping(MapFile::read(&args.map)?);
    let query = context.query(args.filter.as_deref())?;
    let base_url = base_url(context)?;
    let mut workspace = context.workspace().await?;
    let reading = workspace.read(EVERYTHING).await?;
    let place = &workspace.place;
    let exit = context.report(&reading.summary, MalformedRows::LeftOut, place);
    let is_part = !reading.summary.problems.is_empty();
    let plan = mapping.plan(&reading.rows, |row| args.scope.admits(row.active()) && query.matches(row));
    if format == PlanFormat::Sh && is_part {
        context.say.problem(&safe!("{}: incomplete listing: no script was written", place));
        return Ok(exit);
    }
    out.send(|out| match format {
        PlanFormat::Sh => Script { plan: &plan, base_url: &base_url, place, context }.write(out),
        PlanFormat::Json => write_json(out, &plan, &base_url),
        PlanFormat::Table | PlanFormat::Tsv => write_table(out, &plan, format, context),
    })?;
    for note in notes(&plan) {
        context.say.note(&safe!("{}: {}", place, note));
    }
    Ok(exit)
}

fn mapping(file: MapFile) -> Mapping {
    Mapping {
        events: file.events.into_iter().collect(),
        hosts: file.hosts.into_iter().collect(),
        urls: file.urls.into_iter().collect(),
    }
}

/// The base URL of the requests. With a file of webhooks, it is still the one in the config.
fn base_url(context: &Context<'_>) -> Result<BaseUrl, Error> {
    let selection = WorkspaceOptions { profile: context.global.profile.clone(), base_url: context.global.base_url.clone() };
    Ok(context.config.workspace(&selection, context.env)?.base_url()?.0)
}

/// The body of a `PATCH` request, in the order of the fields (api-reference/webhooks/update).
#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<Vec<&'a str>>,
}

fn url_of(base_url: &BaseUrl, change: &Change) -> io::Result<Url> {
    Client::webhook_url(base_url, &change.before.id).ok_or_else(|| io::Error::other("an id cannot be used in a URL"))
}

fn body(change: &Change) -> Body<'_> {
    Body { url: change.url(), events: change.events() }
}

fn write_table<W: Write>(out: &mut Output<W>, plan: &Plan, format: PlanFormat, context: &Context<'_>) -> io::Result<()> {
    let format = if format == PlanFormat::Table { Format::Table } else { Format::Tsv };
    let args = OutputArgs { format: Some(format), raw: false };
    let sheet: Sheet<DiffLine> = context.sheet(out, args, None).map_err(|error| io::Error::other(error.to_string()))?;
    let lines = plan.changes.iter().flat_map(|change| {
        let fields = field_changes(&change.before, &change.after, &IgnoredFields::default());
        fields.into_iter().map(|field| SheetEntry::Record(DiffLine::of(change.before.id.raw(), field)))
    });
    let lines: Vec<_> = lines.collect();
    if format == Format::Tsv || !lines.is_empty() {
        sheet.write(out, &lines)?;
    }
    if format == Format::Table {
        out.line(&safe!("{}{} to change", if lines.is_empty() { "" } else { "\n" }, count(plan.changes.len(), "webhook")))?;
    }
    Ok(())
}

fn write_json<W: Write>(out: &mut Output<W>, plan: &Plan, base_url: &BaseUrl) -> io::Result<()> {
    out.raw(b"{\"changes\": [")?;
    for (i, change) in plan.changes.iter().enumerate() {
        let url = url_of(base_url, change)?;
        out.raw(if i == 0 { b"\n" } else { b",\n" })?;
        out.raw(b"{\"id\":")?;
        out.json(&change.before.id.raw())?;
        out.raw(b",\"before\":")?;
        out.json(&change.before)?;
        out.raw(b",\"after\":")?;
        out.json(&change.after)?;
        out.raw(b",\"request\":{\"method\":\"PATCH\",\"url\":")?;
        out.json(&url.as_str())?;
        out.raw(b",\"body\":")?;
        out.json(&body(change))?;
        out.raw(b"}}")?;
    }
    let ids = |ids: &[WebhookId]| ids.iter().map(|id| id.raw().to_owned()).collect::<Vec<_>>();
    let collisions = plan
        .collisions
        .iter()
        .map(|collision| json!({"id": collision.id.raw(), "with": collision.with.raw(), "events": collision.events}));
    let doubts = plan.doubts.iter().map(|(id, why)| json!({"id": id.raw(), "reason": why}));
    let rest: BTreeMap<&str, serde_json::Value> = [
        ("unmapped", json!(plan.unmapped)),
        ("collisions", collisions.collect()),
        ("without_events", json!(ids(&plan.without_events))),
        ("doubts", doubts.collect()),
        ("unused", json!(plan.unused)),
    ]
    .into();
    out.raw(if plan.changes.is_empty() { b"]" } else { b"\n]" })?;
    for (name, value) in rest {
        out.raw(format!(",\n\"{name}\": ").as_bytes())?;
        out.json(&value)?;
    }
    out.raw(b"}\n")
}

/// Warnings to read before running the script, one sentence each.
fn notes(plan: &Plan) -> Vec<Safe> {
    let mut notes = Vec::new();
    let mut note = |what: &'static str, names: Vec<Safe>| {
        if names.is_empty() {
            return;
        }
        let more = names.len().saturating_sub(NAMED);
        let mut line = safe!("{}: ", what);
        for (i, name) in names.iter().take(NAMED).enumerate() {
            line.push(&safe!("{}{}", if i == 0 { "" } else { "; " }, name));
        }
        if more > 0 {
            line.push(&safe!("; and {} more", grouped(more as u64)));
        }
        notes.push(line);
    };
    let with_count = |(name, webhooks): (&String, &u64)| {
        let quote = if name.trim() == name { "" } else { "\"" };
        safe!(
            "{}{}{} ({})",
            quote,
            clean_head(name, 60),
            quote,
            count(usize::try_from(*webhooks).unwrap_or(usize::MAX), "webhook")
        )
    };
    // A current name needs no mapping.
    let is_odd = |(name, _): &(&String, &u64)| !vocabulary::CURRENT.contains(&name.as_str());
    note("events without a mapping", plan.unmapped.iter().filter(is_odd).map(with_count).collect());
    let collision = |collision: &crate::analysis::migration::Collision| {
        let (id, with) = (collision.id.clean_head(60), collision.with.clean_head(60));
        safe!("{} with {} ({})", id, with, clean_head(&collision.events.join(", "), 60))
    };
    note(
        "would deliver the same events to the same URL as another webhook",
        plan.collisions.iter().map(collision).collect(),
    );
    note("would have no events left", plan.without_events.iter().map(|id| id.clean_head(60)).collect());
    note("to review", plan.doubts.iter().map(|(id, why)| safe!("{}: {}", id.clean_head(60), *why)).collect());
    note("mappings that match nothing", plan.unused.iter().map(|name| clean_head(&mask_url(name), 60)).collect());
    notes
}

fn count(number: usize, what: &'static str) -> Safe {
    safe!("{} {}{}", grouped(number as u64), what, if number == 1 { "" } else { "s" })
}

/// The plan as a POSIX shell script. It can be run again, since each request contains the final values.
struct Script<'a> {
    plan: &'a Plan,
    base_url: &'a BaseUrl,
    place: &'a Safe,
    context: &'a Context<'a>,
}

const START: &str = r#"set -eu
: "${DIALNEXA_API_KEY:?set it to an API key that can update webhooks in this workspace}"

# Needs curl 7.76 or newer. The key goes through a pipe to keep it out of the process list.
patch() {
    printf '%s\n' "[$1] $2" >&2
    printf 'Authorization: Bearer %s\n' "$DIALNEXA_API_KEY" |
        curl --fail-with-body --silent --show-error --globoff --path-as-is --max-time 60 --request PATCH \
            --header @- --header 'Content-Type: application/json' --data-raw "$3" --write-out '\n' "$2"
}

"#;

impl Script<'_> {
    fn write<W: Write>(&self, out: &mut Output<W>) -> io::Result<()> {
        let total = self.plan.changes.len();
        out.raw(b"#!/bin/sh\n")?;
        let (made, webhooks) = (clock::utc(self.context.now), count(total, "webhook"));
        out.line(&safe!("# hookscope plan: {} in {} to change, as of {}.", webhooks, self.place, made))?;
        out.line(&"# Review it before running it. It stops at the first error and can be run again.".into())?;
        for note in notes(self.plan) {
            out.line(&safe!("# {}", note))?;
        }
        if total == 0 {
            return out.raw(b"echo 'nothing to change' >&2\n");
        }
        out.raw(START.as_bytes())?;
        for (number, change) in (1..).zip(&self.plan.changes) {
            self.write_change(out, number, total, change)?;
        }
        out.line(&safe!("echo 'done: {}' >&2", webhooks))
    }

    fn write_change<W: Write>(&self, out: &mut Output<W>, number: usize, total: usize, change: &Change) -> io::Result<()> {
        let url = url_of(self.base_url, change)?;
        let body = serde_json::to_string(&body(change))?;
        // Characters that a terminal would interpret are escaped; the API reads the same text.
        let body = escape_json(&body);
        let quoted = |text: &str| shlex::try_quote(text).map(std::borrow::Cow::into_owned).map_err(io::Error::other);
        let line = format!("patch {number}/{total} {} {}\n", quoted(url.as_str())?, quoted(&body)?);
        out.raw(line.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_around_an_event_can_be_seen() {
        let unmapped = [(" a", 1), ("b", 2)].map(|(name, webhooks)| (name.to_owned(), webhooks)).into();
        let notes = notes(&Plan { unmapped, ..Plan::default() });
        assert_eq!(notes[0].as_str(), "events without a mapping: \" a\" (1 webhook); b (2 webhooks)");
    }

    #[test]
    fn current_events_need_no_mapping() {
        let unmapped = ["call.completed", "call_ended", "own.event"].map(|name| (name.to_owned(), 2)).into();
        let notes = notes(&Plan { unmapped, ..Plan::default() });
        assert_eq!(notes[0].as_str(), "events without a mapping: call_ended (2 webhooks); own.event (2 webhooks)");
    }

    #[test]
    fn a_note_names_some_and_counts_the_others() {
        let plan = Plan { unused: (0..7).map(|n| format!("e{n}")).collect(), ..Plan::default() };
        assert_eq!(
            notes(&plan).iter().map(Safe::as_str).collect::<Vec<_>>(),
            ["mappings that match nothing: e0; e1; e2; e3; e4; and 2 more"]
        );
        assert!(notes(&Plan::default()).is_empty());
    }
}
