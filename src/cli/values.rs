//! Parsers of numbers, whose errors state the allowed range.

use std::num::IntErrorKind;
use std::ops::RangeInclusive;

use clap::builder::TypedValueParser;

/// A whole number in a range, both ends included.
pub(super) fn between(least: u64, most: u64) -> impl TypedValueParser<Value = u64> {
    clap::builder::StringValueParser::new().try_map(move |text| parse(&text, least..=most))
}

/// A whole number with a lower limit only.
pub(super) fn at_least(least: u64) -> impl TypedValueParser<Value = u64> {
    between(least, u64::MAX)
}

/// A port, or 0.
pub(super) fn port() -> impl TypedValueParser<Value = u16> {
    between(0, u16::MAX.into()).try_map(u16::try_from)
}

fn parse(text: &str, allowed: RangeInclusive<u64>) -> Result<u64, String> {
    let number = text.parse::<u64>();
    let (least, most) = (*allowed.start(), *allowed.end());
    match number {
        Ok(number) if allowed.contains(&number) => Ok(number),
        _ if most < u64::MAX => Err(format!("must be a whole number from {least} to {most}")),
        Err(error) if *error.kind() == IntErrorKind::PosOverflow => Err(format!("must be at most {most}")),
        Err(_) if text.parse::<i64>().is_err() => Err("must be a whole number".to_owned()),
        _ => Err(format!("must be at least {least}")),
    }
}
