//! The secrets in the text of a URL: userinfo, values of parameters, and paths of well-known hook hosts. All code that
//! masks, hashes or reports secrets uses [`find`]. It accepts any text, since one that does not parse as a URL can still
//! hold a password.

use std::borrow::Cow;
use std::net::Ipv4Addr;
use std::ops::Range;

use percent_encoding::percent_decode_str;
use url::Url;

use super::hooks::secret_path;

/// Replaces a secret in text for people.
pub const MASK: &str = "***";

/// Names of query parameters that hold a credential when they contain one of these…
const SECRET_PARTS: [&str; 12] = [
    "token",
    "secret",
    "password",
    "passwd",
    "passphrase",
    "signature",
    "credential",
    "bearer",
    "jwt",
    "session",
    "hmac",
    "accesskey",
];
/// …or when one of their words ends in one of these.
const SECRET_ENDINGS: [&str; 9] = ["key", "sig", "auth", "authorization", "pass", "pwd", "code", "otp", "pin"];
/// …or is one of these, which are too short to match as endings.
const SECRET_WORDS: [&str; 2] = ["pw", "tok"];

/// The separator of userinfo and host, including the variants that East Asian keyboards produce.
const AT_SIGNS: [char; 3] = ['@', '＠', '﹫'];
/// The depth to which URLs within URLs are searched.
const DEEPEST: usize = 3;

/// One secret in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Secret {
    pub(super) kind: SecretKind,
    pub(super) range: Range<usize>,
}

/// The kind of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretKind {
    /// A user name or password.
    Userinfo,
    /// The value of the parameter of this name.
    Parameter(String),
    /// The rest of a path, of this hook host.
    Path(&'static str),
}

/// The text as a URL parser reads it, which drops tabs and line breaks.
pub(super) fn as_parsed(text: &str) -> Cow<'_, str> {
    const DROPPED: [char; 3] = ['\t', '\n', '\r'];
    if text.contains(DROPPED) { text.replace(DROPPED, "").into() } else { text.into() }
}

/// Finds the secrets of a text without tabs and line breaks, in order and without overlaps. Skips what is already masked.
pub(super) fn find(text: &str) -> Vec<Secret> {
    let mut found = Vec::new();
    find_within(text, 0, &mut found);
    find_in_later_urls(text, &mut found);
    find_in_words(text, &mut found);
    found.sort_by_key(|secret| secret.range.start);
    found.dedup_by(|later, kept| {
        let overlap = later.range.start < kept.range.end;
        if overlap {
            kept.range.end = kept.range.end.max(later.range.end);
        }
        overlap
    });
    found.retain(|secret| text.get(secret.range.clone()) != Some(MASK));
    found
}

/// Finds the secrets of every URL but the first: `redirected to https://…`, `url:https://…`. Each is searched up to the next
/// one.
fn find_in_later_urls(text: &str, found: &mut Vec<Secret>) {
    let first = scheme_end(text);
    let mut schemes = text.match_indices("://").map(|(at, _)| at).filter(|&at| at >= first).peekable();
    while let Some(at) = schemes.next() {
        let end = schemes.peek().copied().unwrap_or(text.len());
        let before = text.get(..at).unwrap_or_default();
        let scheme = before.len() - before.trim_end_matches(|c: char| c.is_ascii_alphanumeric()).len();
        let start = if scheme > 0 { at - scheme } else { at + 1 };
        find_at(text, start..end, found, |url, inner| find_within(url, DEEPEST, inner));
    }
}

/// Finds secret paths of hook hosts in a sentence that names them without a scheme: `POST to hooks.slack.com/services/…`.
fn find_in_words(text: &str, found: &mut Vec<Secret>) {
    if !text.contains(char::is_whitespace) {
        return;
    }
    let mut start = 0;
    for word in text.split_inclusive(char::is_whitespace) {
        let bare = word.trim_end();
        let start_of_host = bare.len() - bare.trim_start_matches(|c: char| !c.is_alphanumeric()).len();
        if bare.contains(['/', '\\']) && !bare.contains("://") {
            find_at(text, start + start_of_host..start + bare.len(), found, |name, inner| {
                let path = end_of_authority(name, 0);
                let end = name.find(['?', '#']).unwrap_or(name.len());
                find_in_path(name, 0..path, path..end, DEEPEST, inner);
            });
        }
        start += word.len();
    }
}

/// Searches a part of the text, and shifts the ranges of its secrets to positions in the whole text.
fn find_at(text: &str, part: Range<usize>, found: &mut Vec<Secret>, find: impl FnOnce(&str, &mut Vec<Secret>)) {
    let mut inner = Vec::new();
    find(text.get(part.clone()).unwrap_or_default(), &mut inner);
    let moved = |at: usize| part.start + at;
    found.extend(
        inner.into_iter().map(|secret| Secret { range: moved(secret.range.start)..moved(secret.range.end), ..secret }),
    );
}

fn find_within(text: &str, depth: usize, found: &mut Vec<Secret>) {
    let authority = authority(text);
    let userinfo = userinfo(text, &authority);
    let host = match &userinfo {
        Some(userinfo) => {
            let start = userinfo.end + text.get(userinfo.end..).and_then(at_sign).unwrap_or_default();
            start..end_of_authority(text, start)
        }
        None => authority,
    };
    found.extend(userinfo.map(|range| Secret { kind: SecretKind::Userinfo, range }));
    let tail = text.get(host.end..).and_then(|rest| rest.find(['?', '#'])).map_or(text.len(), |at| host.end + at);
    find_in_path(text, host.start..host.end, host.end..tail, depth, found);
    find_in_parameters(text, tail, depth, found);
}

/// Returns the range of the authority (`user:password@host:port`): after the scheme and its slashes, up to the path.
pub(super) fn authority(text: &str) -> Range<usize> {
    let start = scheme_end(text);
    let rest = text.get(start..).unwrap_or_default();
    let start = text.len() - rest.trim_start_matches(['/', '\\']).len();
    start..end_of_authority(text, start)
}

/// Returns the position of the slashes after the scheme, or 0 without a scheme. In a sentence, that of the first URL.
fn scheme_end(text: &str) -> usize {
    let is_slash = |rest: &str| rest.starts_with(['/', '\\']);
    let name = text.split([':', '/', '\\', '?', '#', '@']).next().unwrap_or_default();
    let behind = text.get(name.len()..).and_then(|rest| rest.strip_prefix(':')).filter(|_| !name.is_empty());
    let scheme = behind.filter(|&behind| is_slash(behind)).map(|_| name.len() + 1);
    let in_sentence = || {
        let (before, _) = text.split_once("://")?;
        (before.contains(char::is_whitespace) && !before.contains(AT_SIGNS)).then_some(before.len() + 1)
    };
    scheme.or_else(in_sentence).unwrap_or(0)
}

fn end_of_authority(text: &str, start: usize) -> usize {
    text.get(start..).and_then(|rest| rest.find(['/', '\\', '?', '#'])).map_or(text.len(), |length| start + length)
}

/// Finds the text that a person would read as user name and password, even if a parser would not: `https://bob:pa/ss@host/`.
fn userinfo(text: &str, authority: &Range<usize>) -> Option<Range<usize>> {
    let place = text.get(authority.clone())?;
    let behind = text.get(authority.end..).unwrap_or_default();
    // A text that begins with its path has no userinfo.
    let is_path = place.is_empty() && scheme_end(text) == 0;
    let cut = if behind.starts_with('\\') && !has_web_scheme(text) {
        // With other schemes than the web's, a backslash does not end the userinfo.
        Cut::Likely
    } else if is_path {
        Cut::No
    } else {
        cut(text, place)
    };
    // A port that is not a number is the start of a password.
    let is_cut = cut == Cut::Likely
        && place.rsplit_once(':').is_some_and(|(_, port)| !port.is_empty() && port.parse::<u16>().is_err());
    // No host has an encoded `@`: after a scheme, or a user and a colon, it can only be meant as one.
    let encoded = || {
        let place = if is_cut { text.get(authority.start..)? } else { place };
        let at = place.rmatch_indices('%').map(|(at, _)| at).find(|&at| place.get(at..).and_then(at_sign).is_some())?;
        (scheme_end(text) > 0 || place.get(..at)?.contains(':')).then_some(at)
    };
    let end = end_behind(behind, cut).map(|at| place.len() + at).or_else(|| place.rfind(AT_SIGNS)).max(encoded());
    end.filter(|&end| end > 0).map(|end| authority.start..authority.start + end)
}

/// The length of the `@` at the start of a text, percent-encoded any number of times or not at all.
fn at_sign(text: &str) -> Option<usize> {
    let encoded = |sign: char| {
        let mut rest = text;
        for byte in sign.encode_utf8(&mut [0; 4]).bytes() {
            // Each further encoding turns `%` into `%25`.
            rest = rest.strip_prefix('%')?.trim_start_matches("25");
            let (digits, behind) = rest.split_at_checked(2)?;
            rest = behind;
            (u8::from_str_radix(digits, 16) == Ok(byte)).then_some(())?;
        }
        Some(text.len() - rest.len())
    };
    let plain = |sign: char| text.starts_with(sign).then(|| sign.len_utf8());
    AT_SIGNS.into_iter().find_map(|sign| plain(sign).or_else(|| encoded(sign)))
}

/// Returns true if URLs of this scheme treat a backslash as a slash. Text without a scheme counts too.
fn has_web_scheme(text: &str) -> bool {
    let scheme = text.get(..scheme_end(text)).unwrap_or_default().trim_end_matches(':');
    ["", "http", "https", "ws", "wss", "ftp", "file"].iter().any(|web| scheme.eq_ignore_ascii_case(web))
}

/// The likelihood that an apparent authority is only the start of userinfo with a slash, a `?` or a `#` in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    No,
    /// An `@` ends the userinfo unless it begins a path segment, as names in paths do.
    Perhaps,
    /// An `@` anywhere after it ends the userinfo.
    Likely,
}

/// Finds the `@` that ends the userinfo in the text after the authority.
pub(super) fn end_behind(behind: &str, cut: Cut) -> Option<usize> {
    match cut {
        Cut::No => None,
        Cut::Perhaps => {
            let begins_segment = |at: usize| behind.get(..at).is_some_and(|before| before.ends_with(['/', '\\']));
            behind.rmatch_indices(AT_SIGNS).map(|(at, _)| at).find(|&at| !begins_segment(at))
        }
        Cut::Likely => behind.rfind(AT_SIGNS),
    }
}

/// Estimates whether userinfo goes on after the apparent authority of a text.
pub(super) fn cut(text: &str, authority: &str) -> Cut {
    if scheme_end(text) == 0 && (!authority.contains(':') || text.contains(char::is_whitespace)) {
        // A path, or a sentence.
        return Cut::No;
    }
    let (user, host) = authority.rsplit_once(AT_SIGNS).map_or((None, authority), |(user, host)| (Some(user), host));
    let (name, port) = match host.rsplit_once(']') {
        Some((_, port)) if host.starts_with('[') => ("localhost", Some(port.strip_prefix(':').unwrap_or(port))),
        _ => host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port))),
    };
    let is_port = port.is_none_or(|port| port.is_empty() || port.parse::<u16>().is_ok());
    let is_address = name.eq_ignore_ascii_case("localhost") || name.parse::<Ipv4Addr>().is_ok();
    let is_name = name.contains('.');
    // `a://b/@c` may be a user and a password too.
    let is_web = ["http://", "https://"]
        .iter()
        .any(|scheme| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)) && !name.is_empty());
    match port {
        _ if is_port && (is_address || is_name && user.is_some()) => Cut::No,
        // The userinfo is already masked, so the rest was checked then.
        _ if user == Some(MASK) => Cut::Perhaps,
        _ if !is_port => Cut::Likely,
        None if is_name => Cut::No,
        // A name with a port, or a user and the digits that a password begins with.
        Some(_) if is_name => Cut::Perhaps,
        None if is_web && user.is_none() => Cut::Perhaps,
        _ => Cut::Likely,
    }
}

fn find_in_path(text: &str, host: Range<usize>, path: Range<usize>, depth: usize, found: &mut Vec<Secret>) {
    let Some(in_path) = text.get(path.clone()).filter(|path| path.len() > 1) else { return };
    let name = text.get(host).map(|host| host.split_once(':').map_or(host, |(name, _)| name)).unwrap_or_default();
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-');
    let secret = if name.bytes().all(is_plain) {
        secret_path(name, in_path)
    } else {
        let parsed = Url::parse(text).ok();
        let name = parsed.as_ref().and_then(Url::domain).map_or_else(|| name.to_ascii_lowercase(), str::to_owned);
        secret_path(&name, in_path)
    };
    let shown = secret.map_or(path.end, |(_, at)| path.start + at);
    if let Some((hook, _)) = secret {
        found.push(Secret { kind: SecretKind::Path(hook), range: shown..path.end });
    }
    let Some(in_path) = text.get(path.start..shown) else { return };
    find_in_segments(in_path, path.start, depth, found);
    if depth < DEEPEST
        && let Some(slashes) = in_path.find("://")
    {
        let scheme = in_path.get(..slashes).unwrap_or_default().trim_end_matches(|c: char| c.is_ascii_alphanumeric()).len();
        find_at(text, path.start + scheme..shown, found, |url, inner| find_within(url, depth + 1, inner));
    }
}

/// Finds secret parameters in a path: `/hook;token=…/x`, `/token=…/x`.
fn find_in_segments(path: &str, start: usize, depth: usize, found: &mut Vec<Secret>) {
    if !path.contains('=') {
        return;
    }
    let mut start = start;
    for segment in path.split_inclusive(['/', '\\']) {
        let body = segment.trim_end_matches(['/', '\\']);
        if let Some((name, range)) = secret_value(body, depth) {
            found.push(Secret { kind: SecretKind::Parameter(name), range: start + range.start..start + range.end });
        }
        start += segment.len();
    }
}

fn find_in_parameters(text: &str, tail: usize, depth: usize, found: &mut Vec<Secret>) {
    let mut start = tail;
    for parameter in text.get(tail..).unwrap_or_default().split_inclusive(['&', '#']) {
        let body = parameter.strip_suffix(['&', '#']).unwrap_or(parameter);
        if let Some((name, range)) = secret_value(body, depth) {
            found.push(Secret { kind: SecretKind::Parameter(name), range: start + range.start..start + range.end });
        }
        start += parameter.len();
    }
}

/// Returns the name and the range of the secret value in a parameter. Some servers separate parameters with `;`, others
/// treat it, like a second `?` or an `&` in a path, as part of the value: a name is searched for after each of them, and a
/// secret value ends with the whole parameter.
fn secret_value(body: &str, depth: usize) -> Option<(String, Range<usize>)> {
    let mut at = 0;
    for part in body.split_inclusive([';', '?', '&']) {
        if let Some((name, value)) = part.split_once('=')
            && !value.is_empty()
            && (is_secret_name(name) || holds_secret_url(value, depth))
        {
            return Some((percent_decode_str(name).decode_utf8_lossy().into_owned(), at + name.len() + 1..body.len()));
        }
        at += part.len();
    }
    None
}

/// Returns true if a value is a URL, percent-encoded or not, with a secret in it.
fn holds_secret_url(value: &str, depth: usize) -> bool {
    if depth >= DEEPEST || !value.contains("//") && !value.contains('%') {
        return false;
    }
    let decoded = percent_decode_str(value).decode_utf8_lossy();
    let mut inner = Vec::new();
    if decoded.contains("://") {
        find_within(&decoded, depth + 1, &mut inner);
    }
    !inner.is_empty()
}

fn is_secret_name(name: &str) -> bool {
    let name = percent_decode_str(name).decode_utf8_lossy().to_ascii_lowercase();
    SECRET_PARTS.iter().any(|part| name.contains(part))
        || name
            .split(|c: char| !c.is_ascii_alphanumeric())
            .any(|word| SECRET_WORDS.contains(&word) || SECRET_ENDINGS.iter().any(|ending| word.ends_with(ending)))
}
