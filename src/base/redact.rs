//! Secrets that cannot be shown: the API key as a type, and the masking of credentials inside URLs. Uses `text`; start at
//! [`ApiKey`] and [`mask_url`].

mod hooks;
mod secrets;

use std::fmt;

use ring::{digest, hmac};
use url::Url;

use self::secrets::{Cut, as_parsed, authority, cut, end_behind, find};
pub use self::secrets::{MASK, SecretKind};
use crate::base::text::{Safe, clean};

/// The prefix of a hash that replaces a credential, and the number of its digits.
const HASHED: &str = "redacted-";
const HASH_DIGITS: usize = 8;

/// An API key. It has no `Display`, no `Serialize`, and its `Debug` is a mask; only the request header sees the value.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(Box<str>);

/// The reason why a text is not a valid key. Never contains the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    #[error("the API key is empty")]
    Empty,
    #[error("the API key is longer than {} bytes", ApiKey::MAX_BYTES)]
    TooLong,
    #[error("the API key is in quotes: remove them")]
    Quoted,
    #[error("the API key contains a space, a control character or a character that is not ASCII")]
    NotAscii,
}

impl ApiKey {
    /// Longer keys are refused: a header of that size would be refused by servers too.
    pub const MAX_BYTES: usize = 4096;
    /// The minimum length of a valid secret.
    pub const MIN_SECRET: usize = 8;

    /// Parses a key from a config line, a file or the output of a command, ignoring surrounding white space and a byte order
    /// mark.
    pub fn new(text: &str) -> Result<Self, BadKey> {
        let key = text.trim_start_matches('\u{feff}').trim();
        if key.is_empty() {
            return Err(BadKey::Empty);
        }
        if key.len() > Self::MAX_BYTES {
            return Err(BadKey::TooLong);
        }
        if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(BadKey::NotAscii);
        }
        // Env files quote their values, and not every reader removes the quotes.
        if key.starts_with(['"', '\'']) {
            return Err(BadKey::Quoted);
        }
        Ok(Self(key.into()))
    }

    /// The public identifier: the part before the colon of `key_id:secret` (api-reference/authentication). A key without a
    /// colon has none, since all of it may be the secret.
    pub fn public_id(&self) -> Option<Safe> {
        self.0.split_once(':').filter(|(id, _)| !id.is_empty()).map(|(id, _)| clean(id))
    }

    /// Identifies this key without revealing it: its public identifier, or a hash keyed with the key itself.
    pub fn tag(&self) -> String {
        if let Some(id) = self.public_id() {
            return format!("id {id}");
        }
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.as_bytes());
        let tag = hmac::sign(&key, b"hookscope: which key");
        tag.as_ref().iter().fold("key ".to_owned(), |text, byte| text + &format!("{byte:02x}"))
    }

    /// The part after the colon, or all of a key without one.
    fn secret(&self) -> &str {
        self.0.split_once(':').map_or(&*self.0, |(_, secret)| secret)
    }

    /// Returns true if the secret is shorter than any that the vendor issues.
    pub fn is_too_short(&self) -> bool {
        self.secret().len() < Self::MIN_SECRET
    }

    /// Masks the key in a text from the server, in case the server echoed it. A short secret is left in: replacing it would
    /// garble words.
    pub fn scrub(&self, text: &str) -> String {
        if self.is_too_short() {
            return text.to_owned();
        }
        text.replace(&*self.0, MASK).replace(self.secret(), MASK)
    }

    /// The value, for the `Authorization` header and for the config file of the user who entered it, and nothing else.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(***)")
    }
}

/// A URL with each secret in it replaced by `***`, whatever its spelling.
pub fn mask_url(raw: &str) -> String {
    replace_secrets(raw, &|_| MASK.to_owned())
}

/// As [`mask_url`], for a parsed URL.
pub fn mask_parsed(url: &Url) -> String {
    mask_url(url.as_str())
}

/// As [`mask_url`], with a short hash in place of each credential, such as `redacted-1f0c92ab`: it shows that a credential
/// changed, but not the credential. The salt keeps equal credentials of different webhooks apart. A guess at a weak
/// credential can be confirmed. Existing hashes are kept.
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

/// Returns true if a text contains a hash made by [`hash_url`].
pub fn holds_hash(text: &str) -> bool {
    text.match_indices(HASHED).any(|(at, _)| text.get(at..at + HASHED.len() + HASH_DIGITS).is_some_and(is_hash))
}

fn is_hash(text: &str) -> bool {
    let digits = text.strip_prefix(HASHED);
    digits.is_some_and(|digits| digits.len() == HASH_DIGITS && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

/// Lists the kinds of secrets in a URL, in order.
pub fn secrets(raw: &str) -> Vec<SecretKind> {
    find(&as_parsed(raw)).into_iter().map(|secret| secret.kind).collect()
}

/// Returns true if [`mask_url`] would change this URL.
pub fn has_secret(raw: &str) -> bool {
    !find(&as_parsed(raw)).is_empty()
}

fn replace_secrets(raw: &str, instead: &dyn Fn(&str) -> String) -> String {
    let text = as_parsed(raw);
    let secrets = find(&text);
    if secrets.is_empty() {
        return raw.to_owned();
    }
    let mut replaced = String::with_capacity(text.len());
    let mut shown = 0;
    for secret in secrets {
        let part = |range| text.get(range).unwrap_or_default();
        replaced.push_str(part(shown..secret.range.start));
        replaced.push_str(&instead(part(secret.range.clone())));
        shown = secret.range.end;
    }
    replaced.push_str(text.get(shown..).unwrap_or_default());
    replaced
}

/// Returns the masked start of a URL, of about `bytes` bytes, at a cost that does not grow with the URL. All of a URL that
/// is cut inside its authority is masked: without the `@`, it could show the start of a password.
pub fn mask_url_head(raw: &str, bytes: usize) -> String {
    match head_to_show(raw, bytes) {
        Some(head) => mask_url(head),
        None => MASK.to_owned(),
    }
}

/// Returns the first `bytes` bytes or so. `None` if the cut falls into the authority, or what may be part of it: then it
/// cannot be masked.
pub fn head_to_show(raw: &str, bytes: usize) -> Option<&str> {
    let head = raw.get(..raw.floor_char_boundary(bytes))?;
    if head.len() == raw.len() {
        return Some(head);
    }
    let text = as_parsed(head);
    let place = authority(&text);
    let behind = text.get(place.end..).filter(|behind| !behind.is_empty())?;
    let cut = cut(&text, text.get(place)?);
    (cut != Cut::Likely && end_behind(behind, cut).is_none()).then_some(head)
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
        let key = ApiKey::new("kid:s3cret-of-8").unwrap();
        assert_eq!(key.scrub("Invalid key Bearer kid:s3cret-of-8 (s3cret-of-8)"), "Invalid key Bearer *** (***)");
        assert_eq!(ApiKey::new("12345678").unwrap().scrub("12345678 1234567"), "*** 1234567");
    }

    #[test]
    fn a_short_secret_garbles_nothing() {
        for (text, is_too_short) in [
            ("k:s", true),
            ("kid:", true),
            ("kid:1234567", true),
            ("kid:12345678", false),
            ("1234567", true),
            ("12345678", false),
        ] {
            let key = ApiKey::new(text).unwrap();
            assert_eq!(key.is_too_short(), is_too_short, "{text}");
            assert_eq!(key.scrub("Too Many Requests; task:some 1234567"), "Too Many Requests; task:some 1234567");
        }
    }

    #[test]
    fn what_is_no_header_value_is_no_key() {
        assert_eq!(ApiKey::new(" \n"), Err(BadKey::Empty));
        assert_eq!(ApiKey::new("a b"), Err(BadKey::NotAscii));
        assert_eq!(ApiKey::new("a\u{0}b"), Err(BadKey::NotAscii));
        assert_eq!(ApiKey::new("ключ"), Err(BadKey::NotAscii));
        assert_eq!(ApiKey::new(&"x".repeat(5000)), Err(BadKey::TooLong));
        for quoted in ["\"id:secret\"", "'id:secret'", "\"id:secret"] {
            assert_eq!(ApiKey::new(quoted), Err(BadKey::Quoted));
        }
        assert_eq!(ApiKey::new("\u{feff}id:secret\r\n"), ApiKey::new("id:secret"));
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
            ("https://bob:pa/ss@h/", "https://***@h/"),
            ("https://bob:pw#1@h/", "https://***@h/"),
            ("https://bob:p?w@h/", "https://***@h/"),
            ("https://bob:123/ss@h/", "https://***@h/"),
            ("https://bob:p\\w@h.example/x", "https://***@h.example/x"),
            ("https://bob:p@/w@h/", "https://***@h/"),
            ("https://bob:pw＠h/", "https://***＠h/"),
            ("bob:pa/ss@h/", "***@h/"),
            ("ht\ttps://bob:pw@h/", "https://***@h/"),
            ("https:\t//token@h/", "https://***@h/"),
            ("https://acme.com:8443/users/@bob", "https://acme.com:8443/users/@bob"),
            ("http://localhost:3000/@scope/x", "http://localhost:3000/@scope/x"),
            ("http://[::1]:3000/@scope/x", "http://[::1]:3000/@scope/x"),
            ("https://medium.com/@bob?m=a@b.c", "https://medium.com/@bob?m=a@b.c"),
            ("?mail=bob@acme.com", "?mail=bob@acme.com"),
            ("@scope/package@1.0", "@scope/package@1.0"),
            ("https://a.com/?x-vercel-protection-bypass=1", "https://a.com/?x-vercel-protection-bypass=***"),
            ("https://a.com/?AWSAccessKeyId=1&otp=2&user_pin=3", "https://a.com/?AWSAccessKeyId=***&otp=***&user_pin=***"),
            ("https://a.com/?loginOtp=1&PIN=2&db-pwd=3", "https://a.com/?loginOtp=***&PIN=***&db-pwd=***"),
            ("https://a.com/?to\tken=1", "https://a.com/?token=***"),
            ("https://a.com/x;v=1;token=abc/y?z=1", "https://a.com/x;v=1;token=***/y?z=1"),
            ("https://a.com/hook/api_key=abc/x", "https://a.com/hook/api_key=***/x"),
            ("https://a.com/id=1/x;v=2", "https://a.com/id=1/x;v=2"),
            ("https://bob%3Apw%40a.com/x", "https://***%40a.com/x"),
            ("https://bob%40hooks.slack.com/services/T0/B0/xyz", "https://***%40hooks.slack.com/services/T0/B0/***"),
            ("https://a.com/?mail=bob%40b.com", "https://a.com/?mail=bob%40b.com"),
            ("https:bob:pw%40h/x", "***%40h/x"),
            ("bob:pw%40h/x", "***%40h/x"),
            ("//bob:pw%40h/x", "//***%40h/x"),
            ("https://bob:pw%2540h/x", "https://***%2540h/x"),
            ("https://bob:pw%252540h/x", "https://***%252540h/x"),
            ("https://bob:pw%EF%BC%A0h/x", "https://***%EF%BC%A0h/x"),
            ("bob:pw%25ef%25b9%25abh/x", "***%25ef%25b9%25abh/x"),
            ("https://bob:pa/ss%40h/x", "https://***%40h/x"),
            ("https://bob@b.com:pw%40h/x", "https://***%40h/x"),
            ("https://bob:pw%40hooks.slack.com/services/T0/B0/xyz", "https://***%40hooks.slack.com/services/T0/B0/***"),
            ("http://hookserver:8080/u/bob%40b.com", "http://hookserver:8080/u/bob%40b.com"),
            ("https://a.com:8443/x:y%40z?m=a:b%40c", "https://a.com:8443/x:y%40z?m=a:b%40c"),
            ("http://[::1]:80/u/bob%40b.com", "http://[::1]:80/u/bob%40b.com"),
            ("bob%40b.com", "bob%40b.com"),
            ("https://hooks.slack.com/token=abc/services/T0/xyz", "https://hooks.slack.com/token=***/services/T0/***"),
            ("https://a.com/hook&a=1&token=abc/x", "https://a.com/hook&a=1&token=***/x"),
            ("https://a.com/?next=https://bob:pw@b.com/", "https://a.com/?next=***"),
            ("https://a.com/?next=https%3A%2F%2Fb.com%2F%3Fkey%3D1&x=2", "https://a.com/?next=***&x=2"),
            ("https://a.com/https://bob:pw@b.com/x", "https://a.com/https://***@b.com/x"),
            ("https://hooks.slack.com/services/T0/B0/xyz?x=1", "https://hooks.slack.com/services/T0/B0/***?x=1"),
            (
                "cannot POST https://hooks.slack.com/services/T0/B0/xyz",
                "cannot POST https://hooks.slack.com/services/T0/B0/***",
            ),
            ("error 5: https://bob:pw@a.com/", "error 5: https://***@a.com/"),
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
        assert_eq!(hash_url(&hashed, "whk_1"), hashed, "a hash is not a credential");
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
        assert_eq!(mask_url_head(&format!("http://hookserver/{long}"), 19), "http://hookserver/x");
        assert_eq!(mask_url_head(&format!("http://hookserver/@b/{long}"), 22), "http://hookserver/@b/x");
        assert_eq!(mask_url_head(&format!("https://a.com:8443/{long}"), 20), "https://a.com:8443/x");
        for url in [format!("https://bob:1/{long}@a.com/"), format!("https://to/ken@a.com/{long}@h/")] {
            assert_eq!(mask_url_head(&url, 100), "***");
        }
    }

    #[test]
    fn a_name_in_a_path_is_no_user() {
        for url in [
            "http://hookserver/u/@bob",
            "http://hookserver/@bob/x",
            "https://a.com:8443/u/@bob",
            "http://10.0.0.1:8080/u/b@x.com",
            "http://localhost:8080/u/b@x.com",
        ] {
            assert_eq!(mask_url(url), url);
        }
        for (url, masked) in [
            ("https://svc.account:1234/pa5s@host/", "https://***@host/"),
            ("https://svc.account:/pa5s@host/@bob", "https://***@host/@bob"),
            ("https://bob:1234/@host/", "https://***@host/"),
            ("https://to/ken@host/@bob", "https://***@host/@bob"),
        ] {
            assert_eq!(mask_url(url), masked);
        }
    }

    #[test]
    fn what_only_a_parser_sees_is_masked_too() {
        assert!(!mask_url("ht\ntps:bob:hunter2@acme.com/").contains("hunter2"));
        assert!(!mask_url("https:bob:hunter2@acme.com/").contains("hunter2"));
    }

    /// A secret that must not be shown, nor half of it.
    const MARK: &str = "ZQXJKVWYHPGM";

    fn leaks(text: &str) -> bool {
        MARK.as_bytes().windows(6).any(|half| text.contains(str::from_utf8(half).unwrap()))
    }

    fn assert_hidden(url: &str, bytes: usize) -> Result<(), TestCaseError> {
        prop_assert!(has_secret(url), "not seen in {:?}", url);
        for shown in [mask_url(url), hash_url(url, "whk_1"), mask_url_head(url, bytes)] {
            prop_assert!(!leaks(&shown), "{:?} became {:?}", url, shown);
        }
        let hashed = hash_url(url, "whk_1");
        prop_assert_eq!(hash_url(&hashed, "whk_1"), hashed, "{:?}", url);
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn userinfo_is_hidden_however_it_is_spelled(
            scheme in "(https?|HTTPS|ht\ttps|https\n|wss|x)(://|:/|:///|:\\\\\\\\|://\t|:\t//|:)|//|",
            user in "[a-z]{0,6}",
            before in "[a-z0-9/?#:@%;&=+!~\\\\-]{0,4}",
            behind in "[a-z0-9/?#:@%;&=+!~\\\\-]{0,4}",
            at in "[@＠]",
            host in "h|hooks\\.example\\.com|\\[::1\\]|10\\.0\\.0\\.1|H\\.example",
            tail in "(:443)?(/[a-z/.]{0,8})?([?][a-z]=[a-z])?",
            bytes in 0_usize..80,
        ) {
            assert_hidden(&format!("{scheme}{user}:{before}{MARK}{behind}{at}{host}{tail}"), bytes)?;
        }

        #[test]
        fn userinfo_before_an_encoded_at_sign_is_hidden(
            scheme in "((https?|HTTPS|ht\ttps|wss|x)(://|:/|:///|:\\\\\\\\|:)|//)?",
            user in "[a-z]{0,6}",
            before in "[a-z0-9%;&=+!~:-]{0,4}",
            behind in "[a-z0-9%;&=+!~:-]{0,4}",
            at in "%(25){0,2}40|%(25){0,2}(EF|ef)%(25){0,2}(BC%(25)?A0|b9%(25)?AB)",
            host in "h|hooks\\.example\\.com|\\[::1\\]|10\\.0\\.0\\.1|H\\.example",
            tail in "(:443)?(/[a-z/.]{0,8})?([?][a-z]=[a-z])?",
            bytes in 0_usize..80,
        ) {
            assert_hidden(&format!("{scheme}{user}:{before}{MARK}{behind}{at}{host}{tail}"), bytes)?;
        }

        #[test]
        fn a_parameter_is_hidden_however_it_is_spelled(
            name in "(api|x-|my_)?(key|token|Secret|SIG|pass|otp|pin|code|auth|bypass)|accessKeyId|X-Amz-Credential|[%]74oken|tok\ten|jwt",
            start in "https://a\\.com(/[a-z]{0,4})?[?#]([a-z]=[a-z]&)?|[?]|https://a\\.com/[?]x=1;|https://a\\.com/[?]x=1[?]",
            before in "[a-z0-9/?:@%;=+-]{0,4}",
            behind in "[a-z0-9/?:@%;=+-]{0,4}([&#][a-z=]{0,5})?",
            bytes in 0_usize..60,
        ) {
            assert_hidden(&format!("{start}{name}={before}{MARK}{behind}"), bytes)?;
        }

        #[test]
        fn what_a_parser_takes_for_userinfo_is_hidden(url in "(?s)(https?:|[a-z:]{0,3})[/\\\\\t]{0,3}[a-z@:/?#\t .\\\\%0-9-]{0,20}") {
            if let Ok(parsed) = Url::parse(&url)
                && let (user, password) = (parsed.username(), parsed.password().unwrap_or_default())
                // A backslash alone is not a secret.
                && !(user.replace("%5C", "").is_empty() && password.is_empty())
            {
                prop_assert!(secrets(&url).contains(&SecretKind::Userinfo), "{:?} has {:?} and {:?}", url, user, password);
            }
        }

        #[test]
        fn masking_takes_any_text(text in "(?s).{0,120}", odd in "[a-z@:/?#=&;%*.\t -]{0,60}") {
            drop(mask_url(&text));
            let once = mask_url(&format!("https://{odd}"));
            prop_assert_eq!(mask_url(&once), once.clone());
            prop_assert!(!has_secret(&once), "{:?}", once);
        }
    }
}
