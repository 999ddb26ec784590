//! `hookscope diff`: what changed between two snapshots, or between one and the live workspace.

use std::io::{self, Write};

use super::compare::ListingComparison;
use super::context::Context;
use super::side::{ComparisonSide, ListingName};
use crate::analysis::field_changes::{FieldChange, IgnoredFields, field_changes};
use crate::base::text::{Safe, grouped};
use crate::cli::Global;
use crate::cli::args::{CompareArgs, DiffArgs};
use crate::error::{Error, Exit};
use crate::fetch::MissingWebhooks;
use crate::model::RowRef;
use crate::output::{ChangeKind, DiffLine, Differences, Format, Output, Sheet, SheetEntry};
use crate::safe;

/// The most lines to build at once.
const AT_ONCE: usize = 1_000;

/// Refuses options that name a workspace where two files are compared.
fn refuse_sources_of_files(old: &ListingName<'_>, new: &ListingName<'_>, global: &Global) -> Result<(), Error> {
    let given = [
        ("--from", global.from.is_some()),
        ("--cached", global.cached),
        ("--demo", global.demo),
        ("--profile", global.profile.is_some()),
        ("--base-url", global.base_url.is_some()),
    ];
    match given.into_iter().find(|(_, is_given)| *is_given) {
        Some((option, _)) if matches!((old, new), (ListingName::File(_), ListingName::File(_))) => Err(Error::Usage {
            message: safe!("diff: {} cannot be used with two files", option),
            advice: Some("Remove it, or compare with live.".into()),
        }),
        _ => Ok(()),
    }
}

/// Refuses to compare a source with itself: `--cached` and `--from` replace what live names.
fn refuse_same(old: &ListingName<'_>, new: &ListingName<'_>, has_new: bool, global: &Global) -> Result<(), Error> {
    let (old, new) = (old.clone().resolve(global), new.clone().resolve(global));
    if old != new {
        return Ok(());
    }
    let (message, advice) = match old {
        ListingName::Cache => {
            ("diff: both sides are the cache", "The other side must be live, a file or a time such as yesterday.")
        }
        _ => (
            if has_new || old != ListingName::Live {
                "diff: OLD and NEW are the same"
            } else {
                "diff: OLD is live, and so is NEW by default"
            },
            "Name two different sources: a file, live, cache, or a time such as yesterday or 2h.",
        ),
    };
    Err(Error::Usage { message: message.into(), advice: Some(advice.into()) })
}

/// Reads one side. A failure advises the cache only where the other side is not the cache.
async fn load(side: &ListingName<'_>, other: &ListingName<'_>, context: &Context<'_>) -> Result<ComparisonSide, Error> {
    side.load(context, "diff")
        .await
        .map_err(|error| if *other == ListingName::Cache { error.without_cache_hint() } else { error })
}

/// Compares, and writes the differences.
pub(super) async fn run(args: &DiffArgs, context: &Context<'_>) -> Result<Exit, Error> {
    let mut out = Output::stdout();
    let sheet: Sheet<DiffLine> = context.sheet(&out, args.output, None)?;
    let comparison = ListingComparison::new(&args.compare, context)?;
    let old = ListingName::read(&args.old, context.now)?;
    let new = ListingName::read(args.new.as_deref().unwrap_or("live"), context.now)?;
    refuse_same(&old, &new, args.new.is_some(), context.global)?;
    refuse_sources_of_files(&old, &new, context.global)?;
    let mut before = load(&old, &new, context).await?;
    let mut after = load(&new, &old, context).await?;
    // At most one side is live.
    let missing = if before.live.is_some() {
        confirm(&comparison, &mut before, &after, context).await?
    } else {
        confirm(&comparison, &mut after, &before, context).await?
    };
    before.store().await;
    after.store().await;
    let diff = comparison.diff(&before.rows, &after.rows);
    if diff.shares_nothing() && comparison.query.is_empty() {
        context.say.note(&safe!(
            "{} and {} have no ids in common; are they from the same workspace?",
            before.place,
            after.place
        ));
    }
    let is_same = diff.is_empty();
    let differences = comparison.differences(&before.rows, &after.rows, &missing);
    // The exit code is the same after a closed pipe.
    let _reader = out.send(|out| write(out, &sheet, &comparison.ignored, &differences))?;
    let unknown = if missing.unknown.is_empty() { Exit::Done } else { Exit::Incomplete };
    let found = if is_same || args.exit_zero { Exit::Done } else { Exit::Found };
    Ok(before.exit.max(after.exit).max(unknown).max(found))
}

/// Confirms the removal of the webhooks that the live side leaves out, and reports the others.
async fn confirm(
    comparison: &ListingComparison,
    side: &mut ComparisonSide,
    other: &ComparisonSide,
    context: &Context<'_>,
) -> Result<MissingWebhooks, Error> {
    let Some(live) = &mut side.live else { return Ok(MissingWebhooks::default()) };
    let missing = comparison
        .confirm(&other.rows, &mut side.rows, live)
        .await
        .map_err(|error| Error::Api { place: side.place.clone(), error })?;
    if !missing.present.is_empty() {
        let webhooks = if missing.present.len() == 1 { "webhook" } else { "webhooks" };
        context.say.note(&safe!("{}: the listing omitted {} existing {}", side.place, missing.present.len(), webhooks));
    }
    if let Some(why) = &missing.why {
        let (webhooks, are) = if missing.unknown.len() == 1 { ("webhook", "is") } else { ("webhooks", "are") };
        context.say.problem(&safe!(
            "{}: incomplete: {} {} {} neither listed nor confirmed as removed: {}",
            side.place,
            missing.unknown.len(),
            webhooks,
            are,
            why
        ));
    }
    Ok(missing)
}

impl ListingComparison {
    pub(super) fn new(args: &CompareArgs, context: &Context<'_>) -> Result<Self, Error> {
        let query = context.query(args.filter.as_deref())?;
        Ok(Self { ignored: IgnoredFields(args.ignore.clone()), query, filter: args.filter.clone() })
    }
}

fn write<W: Write>(
    out: &mut Output<W>,
    sheet: &Sheet<DiffLine>,
    ignored: &IgnoredFields,
    differences: &Differences<'_>,
) -> io::Result<()> {
    match sheet.format {
        Format::Json => return differences.write_json(out),
        Format::Ndjson => {
            return differences.lines(None).try_for_each(|line| {
                out.json_text(&line)?;
                out.raw(b"\n")
            });
        }
        Format::Ids => return write_ids(out, differences),
        _ => {}
    }
    if sheet.format == Format::Table {
        let all: Vec<_> = lines(differences, ignored).map(SheetEntry::Record).collect();
        if !all.is_empty() {
            sheet.write(out, &all)?;
            out.raw(b"\n")?;
        }
        return out.line(&summary(differences, ignored));
    }
    let mut document = sheet.begin(out)?;
    let mut part = Vec::with_capacity(AT_ONCE);
    for line in lines(differences, ignored) {
        part.push(SheetEntry::Record(line));
        if part.len() >= AT_ONCE {
            document.add(&part)?;
            part.clear();
        }
    }
    document.add(&part)?;
    document.end()
}

/// Writes the id of each webhook that differs, once.
fn write_ids<W: Write>(out: &mut Output<W>, differences: &Differences<'_>) -> io::Result<()> {
    let changed = differences.changed.iter().map(|(before, _)| before);
    let all = differences.added.iter().chain(&differences.removed).chain(changed).chain(&differences.unknown);
    all.map(|entry| crate::base::text::clean(entry.id())).try_for_each(|id| out.line(&id))
}

/// The lines of a table, built lazily.
fn lines<'a>(differences: &'a Differences<'_>, ignored: &'a IgnoredFields) -> impl Iterator<Item = DiffLine> + 'a {
    let whole = |happened| move |row: &RowRef<'_>| DiffLine::whole(happened, *row);
    let changed = differences.changed.iter().flat_map(move |(before, after)| {
        fields(*before, *after, ignored).into_iter().map(|change| DiffLine::of(before.id(), change))
    });
    let moved = differences.moved.iter().map(|(from, to)| DiffLine::moved(from.id(), to.id()));
    (differences.added.iter().map(whole(ChangeKind::Added)))
        .chain(differences.removed.iter().map(whole(ChangeKind::Removed)))
        .chain(changed)
        .chain(differences.unknown.iter().map(whole(ChangeKind::Unknown)))
        .chain(moved)
}

fn fields(before: RowRef<'_>, after: RowRef<'_>, ignored: &IgnoredFields) -> Vec<FieldChange> {
    before.webhook().zip(after.webhook()).map_or_else(Vec::new, |(before, after)| field_changes(&before, &after, ignored))
}

/// `2 added, 1 removed, 3 changed; 1 with a different destination`.
fn summary(differences: &Differences<'_>, ignored: &IgnoredFields) -> Safe {
    let mut words = Safe::default();
    let mut add = |count: usize, what: &'static str| {
        if count > 0 {
            let comma = if words.is_empty() { "" } else { ", " };
            words.push(&safe!("{}{} {}", comma, grouped(count as u64), what));
        }
    };
    add(differences.added.len(), "added");
    add(differences.removed.len(), "removed");
    add(differences.changed.len(), "changed");
    add(differences.unknown.len(), "unconfirmed");
    add(differences.moved.len(), "possibly re-registered");
    let is_elsewhere = |(before, after): &&(RowRef<'_>, RowRef<'_>)| {
        fields(*before, *after, ignored).iter().any(|change| change.field.starts_with("url"))
    };
    let elsewhere = differences.changed.iter().filter(is_elsewhere).count();
    if elsewhere > 0 {
        words.push(&safe!("; {} with a different destination", grouped(elsewhere as u64)));
    }
    if words.is_empty() { "no differences".into() } else { words }
}
