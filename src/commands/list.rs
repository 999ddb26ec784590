//! `hookscope list`: every webhook of the workspace on stdout.

use std::io::{self, Write};

use super::{api_error, connect};
use crate::cli::Format;
use crate::config::Connection;
use crate::error::{Error, Exit};
use crate::fetch::{Limit, Reading, read_listing};
use crate::model::{Field, Row, Scope, Webhook};
use crate::output::{self, Output, Reader};
use crate::safe;
use crate::text::{Safe, clean};

/// What is to be listed.
#[derive(Debug, Clone, Copy)]
pub struct Request {
    pub scope: Scope,
    pub limit: Limit,
    pub format: Format,
}

/// Reads the listing and writes it.
pub async fn run(connection: &Connection, request: Request) -> Result<Exit, Error> {
    let client = connect(connection)?;
    let reading = read_listing(&client, connection.policy, request.scope, request.limit, |_| {})
        .await
        .map_err(|error| api_error(connection, error))?;
    let written = output::to_stdout(|out| match request.format {
        Format::Json => write_json(out, &reading.rows),
        Format::Ids => write_lines(out, &reading.rows, |webhook| webhook.id.clean()),
        _ => write_lines(out, &reading.rows, tsv),
    })?;
    if written == Reader::Gone {
        return Ok(Exit::Done);
    }
    Ok(report(&reading, request.format))
}

/// Says on stderr what keeps the reading from being complete.
fn report(reading: &Reading, format: Format) -> Exit {
    if reading.scope_ignored {
        output::message(&"hookscope: the server ignores is_active; filtered here".into());
    }
    let malformed = reading.malformed();
    if malformed > 0 {
        let fate = if format == Format::Json { "passed as they came" } else { "left out" };
        output::message(&safe!("hookscope: {} rows of the API are no webhooks and were {}", malformed, fate));
    }
    for problem in &reading.problems {
        output::message(&safe!("hookscope: incomplete: {}", problem.explain()));
    }
    if malformed == 0 && reading.problems.is_empty() { Exit::Done } else { Exit::Incomplete }
}

fn write_json<W: Write>(out: &mut Output<W>, rows: &[Row]) -> io::Result<()> {
    out.raw("[")?;
    for (i, row) in rows.iter().enumerate() {
        out.raw(if i == 0 { "\n" } else { ",\n" })?;
        out.json(row)?;
    }
    out.raw(if rows.is_empty() { "]\n" } else { "\n]\n" })
}

fn write_lines<W: Write>(out: &mut Output<W>, rows: &[Row], line: impl Fn(&Webhook) -> Safe) -> io::Result<()> {
    rows.iter().filter_map(Row::webhook).try_for_each(|webhook| out.line(&line(webhook)))
}

/// One line a webhook, whatever it contains; the values are true and unmasked.
fn tsv(webhook: &Webhook) -> Safe {
    let state: Safe = match &webhook.is_active {
        Field::Value(true) => "active".into(),
        Field::Value(false) => "inactive".into(),
        Field::Odd(json) => json.clean(),
        Field::Missing => Safe::default(),
    };
    let events = match &webhook.events {
        Field::Value(events) => {
            let names: Vec<_> = events.iter().map(|event| event.clean().to_string()).collect();
            clean(&names.join(","))
        }
        Field::Odd(json) => json.clean(),
        Field::Missing => Safe::default(),
    };
    let created = match &webhook.created_at {
        Field::Value(created) => created.clean(),
        Field::Odd(json) => json.clean(),
        Field::Missing => Safe::default(),
    };
    safe!("{}\t{}\t{}\t{}\t{}", webhook.id.clean(), state, webhook.url.clean(true), events, created)
}
