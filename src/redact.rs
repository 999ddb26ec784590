//! Secrets that cannot be shown: the API key as a type, and the masking of credentials inside URLs.

use std::fmt;

use percent_encoding::percent_decode_str;
use ring::{digest, hmac};
use url::Url;

use crate::text::{Safe, clean};

/// What stands in place of a secret.
pub const MASK: &str = "***";

/// What stands before the digits of a hash that takes the place of a credential, and how many digits there are.
const HASHED: &str = "redacted-";
const HASH_DIGITS: usize = 8;

/// Names of query parameters that hold a credential when they contain one of these…
const SECRET_PARTS: [&str; 10] =
    ["token", "secret", "password", "passwd", "signature", "credential", "bearer", "jwt", "session", "hmac"];
/// …or when one of their words is, or ends in, one of these. Short words, which would hit too much as mere parts.
const SECRET_WORDS: [&str; 8] = ["key", "sig", "auth", "pass", "pwd", "pw", "code", "authorization"];

/// Parameters that are named in messages.
const MOST_NAMES: usize = 20;

/// An API key. It has no `Display`, no `Serialize`, and its `Debug` is a mask; only the request header sees the value.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(Box<str>);

/// Why a text is no key. It never carries the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    #[error("the API key is empty")]
    Empty,
    #[error("the API key is longer than {} bytes", ApiKey::MAX_BYTES)]
    TooLong,
    #[error("the API key contains a space, a control character or a character that is not ASCII")]
    NotAscii,
}

impl ApiKey {
    /// Longer keys are refused: a header of that size would be refused by servers too.
    pub const MAX_BYTES: usize = 4096;

    /// Takes a key as it stands in a config line, a file or a command's output; white space around it is not part of it.
    pub fn new(text: &str) -> Result<Self, BadKey> {
        let key = text.trim();
        if key.is_empty() {
            return Err(BadKey::Empty);
        }
        if key.len() > Self::MAX_BYTES {
            return Err(BadKey::TooLong);
        }
        if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(BadKey::NotAscii);
        }
        Ok(Self(key.into()))
    }

    /// The public identifier: the part before the colon of `key_id:secret` (api-reference/authentication). A key without a
    /// colon has none, since all of it may be the secret.
    pub fn public_id(&self) -> Option<Safe> {
        self.0.split_once(':').filter(|(id, _)| !id.is_empty()).map(|(id, _)| clean(id))
    }

    /// A text that tells this key from others and does not reveal it: its public identifier, or a hash keyed with the key itself.
    pub fn tag(&self) -> String {
        if let Some(id) = self.public_id() {
            return format!("id {id}");
        }
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.as_bytes());
        let tag = hmac::sign(&key, b"hookscope: which key");
        tag.as_ref().iter().fold("key ".to_owned(), |text, byte| text + &format!("{byte:02x}"))
    }

    /// A text from the server without the key, should the server have echoed it.
    pub fn scrub(&self, text: &str) -> String {
        let without_key = text.replace(&*self.0, MASK);
        match self.0.split_once(':') {
            Some((_, secret)) if !secret.is_empty() => without_key.replace(secret, MASK),
            _ => without_key,
        }
    }

    /// The value, for the `Authorization` header and for the config that its user wants it in, and nothing else.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(***)")
    }
}

/// A URL with userinfo and the values of credential-like parameters replaced by `***`. Works on any text, since a
/// destination that does not parse can hold a password all the same.
pub fn mask_url(raw: &str) -> String {
    replace_secrets(raw, &|_| MASK.to_owned())
}

/// As [`mask_url`], with a short hash in place of each credential, such as `redacted-1f0c92ab`: a credential that changes can
/// be seen to, and none can be read. The salt keeps equal credentials of different webhooks apart. Of a credential that could
/// be guessed, a guess could be confirmed. What is such a hash already stays as it is.
pub fn hash_url(raw: &str, salt: &str) -> String {
    replace_secrets(raw, &|secret| {
        if is_hash(secret) {
            return secret.to_owned();
        }
        let digest = digest::digest(&digest::SHA256, format!("{salt}\0{secret}").as_bytes());
        let short = digest.as_ref().iter().take(4).fold(0_u32, |hash, &byte| hash << 8 | u32::from(byte));
        format!("{HASHED}{short:08x}")
    })
}

/// Whether a text holds what [`hash_url`] puts in place of a credential.
pub fn holds_hash(text: &str) -> bool {
    text.match_indices(HASHED).any(|(at, _)| text.get(at..at + HASHED.len() + HASH_DIGITS).is_some_and(is_hash))
}

fn is_hash(text: &str) -> bool {
    let digits = text.strip_prefix(HASHED);
    digits.is_some_and(|digits| digits.len() == HASH_DIGITS && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

/// The names of the parameters of a URL whose values look like credentials, each once, in their order.
pub fn secret_names(raw: &str) -> Vec<String> {
    let after = raw.find(['?', '#']).and_then(|at| raw.get(at + 1..)).unwrap_or_default();
    let mut names: Vec<String> = Vec::new();
    for part in after.split(['&', '#', ';', '?']) {
        if let Some((name, value)) = part.split_once('=')
            && !value.is_empty()
            && is_secret_name(name)
            && names.len() < MOST_NAMES
        {
            let name = percent_decode_str(name).decode_utf8_lossy();
            if !names.iter().any(|known| *known == name) {
                names.push(name.into_owned());
            }
        }
    }
    names
}

fn replace_secrets(raw: &str, instead: &dyn Fn(&str) -> String) -> String {
    let replaced = replace_in_text(raw, instead);
    // Parsers forgive what the text scan does not see (tabs inside the scheme, say): what they find must be hidden too.
    match Url::parse(raw) {
        Ok(url) if url.password().is_some_and(|password| !password.is_empty() && replaced.contains(password)) => {
            replace_in_text(url.as_str(), instead)
        }
        _ => replaced,
    }
}

/// As [`mask_url`], for a URL that is parsed already: its text hides nothing from a scan.
pub fn mask_parsed(url: &Url) -> String {
    mask_spelled(url.as_str())
}

/// As [`mask_parsed`], for a text that a parser is known to leave as it stands.
pub(crate) fn mask_spelled(url: &str) -> String {
    replace_in_text(url, &|_| MASK.to_owned())
}

fn replace_in_text(text: &str, instead: &dyn Fn(&str) -> String) -> String {
    let mut replaced = String::with_capacity(text.len());
    let (before, after) = text.find(['?', '#']).map_or((text, ""), |at| text.split_at(at));
    push_without_userinfo(&mut replaced, before, instead);
    push_parameters(&mut replaced, after, instead);
    replaced
}

/// The start of a URL as far as it may be shown, masked: `bytes` bytes or so, at a cost that does not grow with the URL. A
/// URL cut inside its authority could show the start of a password, since the `@` that tells is missing: all of it is masked.
pub fn mask_url_head(raw: &str, bytes: usize) -> String {
    match head_to_show(raw, bytes) {
        Some(head) => mask_url(head),
        None => MASK.to_owned(),
    }
}

/// The first `bytes` bytes or so; `None` when the cut would fall into the authority, which then cannot be masked.
pub fn head_to_show(raw: &str, bytes: usize) -> Option<&str> {
    let head = raw.get(..raw.floor_char_boundary(bytes))?;
    (head.len() == raw.len() || authority(head).end < head.len()).then_some(head)
}

/// Whether [`mask_url`] has something to hide in this URL.
pub fn has_secret(raw: &str) -> bool {
    mask_url(raw) != raw
}

/// Where the text's authority (`user:password@host:port`) stands: after the scheme and its slashes, up to the path.
fn authority(text: &str) -> std::ops::Range<usize> {
    let is_slash = |rest: &str| rest.starts_with(['/', '\\']);
    let scheme_end = text.find(':').map(|colon| colon + 1).filter(|&end| text.get(end..).is_some_and(is_slash)).unwrap_or(0);
    let rest = text.get(scheme_end..).unwrap_or_default();
    let start = text.len() - rest.trim_start_matches(['/', '\\']).len();
    let end =
        text.get(start..).and_then(|rest| rest.find(['/', '\\', '?', '#'])).map_or(text.len(), |length| start + length);
    start..end
}

fn push_without_userinfo(out: &mut String, text: &str, instead: &dyn Fn(&str) -> String) {
    let place = authority(text);
    let (before, rest) = text.split_at(place.start);
    let (authority, path) = rest.split_at(place.len());
    out.push_str(before);
    match authority.rsplit_once('@') {
        Some((userinfo, host)) if !userinfo.is_empty() => {
            out.push_str(&instead(userinfo));
            out.push('@');
            out.push_str(host);
        }
        _ => out.push_str(authority),
    }
    out.push_str(path);
}

fn push_parameters(out: &mut String, text: &str, instead: &dyn Fn(&str) -> String) {
    for parameter in text.split_inclusive(['&', '#']) {
        let (body, separator) = match parameter.char_indices().next_back() {
            Some((at, '&' | '#')) => parameter.split_at(at),
            _ => (parameter, ""),
        };
        push_parameter(out, body, instead);
        out.push_str(separator);
    }
}

/// Some servers part parameters with `;`, while others take it, like a second `?`, as a part of the value: so a name is looked
/// for after each of them, and a secret value ends only with the whole parameter.
fn push_parameter(out: &mut String, body: &str, instead: &dyn Fn(&str) -> String) {
    let mut at = 0;
    for part in body.split_inclusive([';', '?']) {
        match part.split_once('=') {
            Some((name, value)) if !value.is_empty() && is_secret_name(name) => {
                out.push_str(name);
                out.push('=');
                out.push_str(&instead(body.get(at + name.len() + 1..).unwrap_or_default()));
                return;
            }
            _ => out.push_str(part),
        }
        at += part.len();
    }
}

fn is_secret_name(name: &str) -> bool {
    let name = percent_decode_str(name).decode_utf8_lossy().to_ascii_lowercase();
    SECRET_PARTS.iter().any(|part| name.contains(part))
        || name.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| {
            SECRET_WORDS.contains(&word) || word.ends_with("key") || word.ends_with("code") || word.ends_with("auth")
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_key_is_never_shown() {
        let key = ApiKey::new(" kid_public:s3cret\n").unwrap();
        assert_eq!(format!("{key:?}"), "ApiKey(***)");
        assert_eq!(key.public_id().unwrap().as_str(), "kid_public");
        assert_eq!(key.expose(), "kid_public:s3cret");
        for without_id in ["onlysecret", ":secret"] {
            let key = ApiKey::new(without_id).unwrap();
            assert!(key.public_id().is_none());
            assert!(!key.tag().contains("secret") && key.tag() != ApiKey::new("another").unwrap().tag());
        }
    }

    #[test]
    fn an_echoed_key_is_scrubbed() {
        let key = ApiKey::new("kid:s3cret").unwrap();
        assert_eq!(key.scrub("Invalid key Bearer kid:s3cret (s3cret)"), "Invalid key Bearer *** (***)");
    }

    #[test]
    fn what_is_no_header_value_is_no_key() {
        assert_eq!(ApiKey::new(" \n"), Err(BadKey::Empty));
        assert_eq!(ApiKey::new("a b"), Err(BadKey::NotAscii));
        assert_eq!(ApiKey::new("a\u{0}b"), Err(BadKey::NotAscii));
        assert_eq!(ApiKey::new("ключ"), Err(BadKey::NotAscii));
        assert_eq!(ApiKey::new(&"x".repeat(5000)), Err(BadKey::TooLong));
    }

    #[test]
    fn credentials_in_urls_are_masked_and_the_rest_is_kept() {
        for (raw, masked) in [
            ("https://hooks.acme.com/crm", "https://hooks.acme.com/crm"),
            ("https://bob:pw@acme.com/x", "https://***@acme.com/x"),
            ("https://good.com@evil.com/", "https://***@evil.com/"),
            ("https://a.com/?token=abc&x=1#top", "https://a.com/?token=***&x=1#top"),
            ("https://a.com/?x=1;api_key=abc", "https://a.com/?x=1;api_key=***"),
            ("https://a.com/?token=ab;c?d&x=1", "https://a.com/?token=***&x=1"),
            ("https://a.com/?X-Amz-Signature=abc&code=9", "https://a.com/?X-Amz-Signature=***&code=***"),
            ("https://a.com/#access_token=abc", "https://a.com/#access_token=***"),
            ("https://a.com/?%74oken=abc", "https://a.com/?%74oken=***"),
            ("https://a.com/?author=bob&page=2&token=", "https://a.com/?author=bob&page=2&token="),
            ("bob:pw@acme.com/x", "***@acme.com/x"),
            ("https:\\\\bob:pw@acme.com\\x", "https:\\\\***@acme.com\\x"),
            ("", ""),
            ("?", "?"),
        ] {
            assert_eq!(mask_url(raw), masked, "{raw}");
            assert_eq!(has_secret(raw), raw != masked, "{raw}");
        }
    }

    #[test]
    fn a_hash_tells_that_a_credential_changed_and_nothing_else() {
        let hashed = hash_url("https://bob:pw@a.com/?token=ab;c&x=1", "whk_1");
        assert!(!hashed.contains("bob") && !hashed.contains("ab;c"), "{hashed}");
        assert!(hashed.starts_with("https://redacted-") && hashed.ends_with("&x=1"), "{hashed}");
        assert_eq!(hashed, hash_url("https://bob:pw@a.com/?token=ab;c&x=1", "whk_1"));
        assert_ne!(hashed, hash_url("https://bob:pw@a.com/?token=ab;d&x=1", "whk_1"));
        assert_ne!(hashed, hash_url("https://bob:pw@a.com/?token=ab;c&x=1", "whk_2"));
        assert_eq!(hash_url("https://a.com/x", "whk_1"), "https://a.com/x");
        assert_eq!(hash_url(&hashed, "whk_1"), hashed, "a hash is no credential");
        assert!(
            holds_hash(&hashed) && !holds_hash("https://a.com/?token=redacted-by-me") && !holds_hash("redacted-é123456")
        );
    }

    #[test]
    fn a_cut_url_never_shows_the_start_of_a_secret() {
        let long = "x".repeat(600);
        assert_eq!(mask_url_head(&format!("https://bob:{long}@a.com/"), 100), "***");
        assert_eq!(mask_url_head(&format!("https://a.com/?token={long}"), 100), "https://a.com/?token=***");
        assert_eq!(mask_url_head("https://a.com/x", 100), "https://a.com/x");
    }

    #[test]
    fn what_only_a_parser_sees_is_masked_too() {
        assert!(!mask_url("ht\ntps:bob:hunter2@acme.com/").contains("hunter2"));
        assert!(!mask_url("https:bob:hunter2@acme.com/").contains("hunter2"));
    }

    proptest! {
        #[test]
        fn a_password_never_survives(user in "[a-z]{1,8}", password in "[A-Z]{12}", tail in "[a-z/?=&#]{0,30}") {
            let url = format!("https://{user}:{password}@host.example/{tail}");
            prop_assert!(!mask_url(&url).contains(&password));
        }

        #[test]
        fn masking_takes_any_text(text in "(?s).{0,120}") {
            let once = mask_url(&text);
            prop_assert_eq!(mask_url(&once), once);
        }
    }
}
