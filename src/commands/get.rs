//! `hookscope get`: webhooks by their ids.

use std::collections::HashSet;

use url::Url;

use super::context::Context;
use crate::base::text::{Safe, clean, clean_head};
use crate::cli::args::GetArgs;
use crate::error::{Error, Exit};
use crate::model::{OwnedRow, WebhookId};
use crate::output::{Format, ListedWebhook, Output, OutputState, Sheet};
use crate::safe;

/// Requests each id, and writes the webhooks found in the order of the ids.
pub(super) async fn run(args: &GetArgs, context: &Context<'_>) -> Result<Exit, Error> {
    let mut out = Output::stdout();
    let sheet: Sheet<ListedWebhook> = context.sheet(&out, args.output, None)?;
    let ids = distinct(&args.ids, "get")?;
    let (rows, exit) = read(&ids, "get", context).await?;
    let entries: Vec<_> = rows.into_iter().map(|row| ListedWebhook::entry(None, row)).collect();
    // The exit code is the same after a closed pipe.
    let _reader = match (sheet.format, entries.as_slice()) {
        // One id, one object.
        (Format::Json, []) if ids.len() == 1 => OutputState::Open,
        (Format::Json, [_]) if ids.len() == 1 => out.send(|out| sheet.write_lines(out, &entries))?,
        _ => out.send(|out| sheet.write(out, &entries))?,
    };
    Ok(exit)
}

/// The ids of a command line, each once.
pub(super) fn distinct(ids: &[String], command: &'static str) -> Result<Vec<WebhookId>, Error> {
    if ids.iter().any(String::is_empty) {
        // It would request the listing.
        return Err(Error::Usage {
            message: safe!("{}: empty id", command),
            advice: Some("Check the script for an unset variable.".into()),
        });
    }
    if let Some(url) = ids.iter().find(|id| id.contains("://")) {
        let host = host(url);
        return Err(Error::Usage {
            message: safe!("{} takes ids, not URLs", command),
            advice: Some(host_advice(command, host.as_deref().unwrap_or("HOST"))),
        });
    }
    let mut seen = HashSet::new();
    let ids: Vec<_> = ids.iter().filter(|id| seen.insert(id.as_str())).map(|id| WebhookId::new(id)).collect();
    if let Some(id) = ids.iter().find(|id| id.path_segment().is_none()) {
        return Err(Error::Usage {
            message: safe!("{}: not a valid id: {}", command, id.clean()),
            advice: Some("It cannot be part of a URL path, so it cannot be requested.".into()),
        });
    }
    Ok(ids)
}

/// The host of a URL, or of a text that looks like a host: an id can look like it too.
fn host(text: &str) -> Option<String> {
    let has_scheme = text.contains("://");
    let url = Url::parse(&if has_scheme { text.to_owned() } else { format!("https://{text}") }).ok()?;
    let host = url.host_str()?;
    let is_plain = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'));
    let top = host.rsplit_once('.').map(|(_, top)| top).filter(|top| top.len() > 1);
    let is_name = top.is_some_and(|top| top.bytes().all(|byte| byte.is_ascii_alphabetic()));
    (is_plain && (has_scheme || is_name)).then(|| host.to_owned())
}

fn host_advice(command: &'static str, host: &str) -> Safe {
    let filtering = if command == "probe" { "probe" } else { "list" };
    safe!("{} takes ids; for a host: hookscope {} --filter host:{}", command, filtering, clean(host))
}

/// Requests each id. A failure is reported on stderr and affects the exit code.
pub(super) async fn read(
    ids: &[WebhookId],
    command: &'static str,
    context: &Context<'_>,
) -> Result<(Vec<OwnedRow>, Exit), Error> {
    let workspace = context.workspace().await?;
    let place = &workspace.place;
    let mut exit = Exit::Done;
    let mut rows = Vec::new();
    let (results, is_whole) = workspace.get(ids).await?;
    // If every request failed, the command fails.
    let is_failure = results.iter().all(Result::is_err);
    for (asked, result) in ids.iter().zip(results) {
        let id = asked.clean_head(80);
        match result {
            Ok(Some(row)) => match row.row().malformed() {
                // A script would act on the wrong webhook.
                None if row.row().id() != asked.raw() => {
                    let other = clean_head(row.row().id(), 80);
                    context.say.problem(&safe!("{}: incomplete: {}: the API returned {} instead", place, id, other));
                    exit = exit.max(Exit::Incomplete);
                }
                None => rows.push(row),
                Some(reason) => {
                    context.say.problem(&safe!("{}: {}: not a valid webhook: {}", place, id, reason.explain()));
                    rows.push(row);
                    exit = exit.max(Exit::Incomplete);
                }
            },
            Ok(None) if !is_whole => {
                context.say.problem(&safe!("{}: incomplete: {} not found in a partial listing", place, id));
                exit = exit.max(Exit::Incomplete);
            }
            Ok(None) => {
                context.say.problem(&safe!("{}: webhook {} not found", place, id));
                if let Some(host) = host(asked.raw()) {
                    context.say.problem(&host_advice(command, &host));
                }
                exit = exit.max(Exit::Found);
            }
            Err(error) if is_failure => return Err(Error::Api { place: place.clone(), error }),
            Err(error) => {
                context.say.problem(&safe!("{}: incomplete: {}: {}", place, id, error.short()));
                exit = exit.max(Exit::Incomplete);
            }
        }
    }
    Ok((rows, exit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_urls_are_told_from_ids() {
        for (text, found) in [
            ("crm.example.com", Some("crm.example.com")),
            ("crm.example.com:8443/hook", Some("crm.example.com")),
            ("https://crm.example.com/hook", Some("crm.example.com")),
            ("http://10.0.0.1", Some("10.0.0.1")),
            ("whk_c9v3nz8rq4pm", None),
            ("7f3a2b1c-0d4e-4f5a-8b6c-9d0e1f2a3b4c", None),
            ("10.0.0.1", None),
            ("https://[::1]/", None),
            ("", None),
        ] {
            assert_eq!(host(text).as_deref(), found, "{text}");
        }
    }
}
