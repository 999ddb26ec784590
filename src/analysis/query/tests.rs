use std::fmt::Write as _;
use std::sync::Arc;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::analysis::audit::{Rule, RuleSet, Severity};
use crate::base::text::is_unsafe;
use crate::model::testing::page_of;
use crate::model::{CreatedAt, Destination, EventEntry, EventName, Field, RowPage, Webhook, WebhookId};

fn now() -> Timestamp {
    "2026-06-15T12:00:00Z".parse().unwrap()
}

fn parse(query: &str) -> Result<Query, QueryError> {
    Query::parse(query, now())
}

fn webhook(id: &str, url: &str, events: &[&str]) -> Webhook {
    let events = events.iter().map(|name| EventEntry::Name(EventName::new(name))).collect();
    Webhook {
        id: WebhookId::new(id),
        url: Destination::new(url),
        events: Field::Value(events),
        is_active: Field::Value(true),
        created_at: Field::Value(CreatedAt::new("2024-04-01T08:00:00.000Z")),
        unknown: Vec::new(),
    }
}

/// The webhook that most tests ask for.
fn acme() -> Webhook {
    webhook("whk_C9v3", "https://hooks.acme.com/dialnexa/CRM?x=a|b", &["call.completed", "call.failed"])
}

fn packed(webhook: &Webhook) -> Arc<RowPage> {
    page_of(&[serde_json::to_string(webhook).unwrap()])
}

/// Matches a webhook with these findings, alone and within its page.
fn matches_found(query: &Query, webhook: &Webhook, findings: RuleSet) -> bool {
    let (page, facts) = (packed(webhook), FilterFacts::default());
    let mut matcher = Matcher::new(query, &facts);
    let alone = matcher.matches(page.row(0).unwrap(), findings);
    matcher.enter(&page);
    assert_eq!(matcher.matches(page.row(0).unwrap(), findings), alone, "{query:?}");
    alone
}

fn matches(query: &str, webhook: &Webhook) -> bool {
    let query = parse(query).unwrap_or_else(|error| panic!("{query}: {error}"));
    matches_found(&query, webhook, RuleSet::default())
}

/// The score of a webhook, if it matches.
fn score(query: &str, webhook: &Webhook) -> Option<u32> {
    let query = parse(query).unwrap();
    let is_match = matches_found(&query, webhook, RuleSet::default());
    is_match.then(|| Ranker::new(&query).score(packed(webhook).row(0).unwrap()))
}

/// Queries with whether they find [`acme`].
fn check(queries: &[(&str, bool)]) {
    let acme = acme();
    for &(query, expected) in queries {
        assert_eq!(matches(query, &acme), expected, "{query}");
    }
}

/// Returns the marked text, the message and the advice of a query that is not valid.
fn wrong(query: &str) -> (String, String, String) {
    let error = parse(query).err().unwrap_or_else(|| panic!("{query} is a query"));
    let advice = error.advice.map(|advice| advice.to_string()).unwrap_or_default();
    (query.get(error.span).unwrap().to_owned(), error.message.to_string(), advice)
}

#[test]
fn a_query_can_be_shared_between_threads() {
    fn shared<T: Clone + Send + Sync>() {}
    shared::<Query>();
}

#[test]
fn an_empty_query_matches_everything() {
    for query in ["", " ", "\t\n\u{a0}"] {
        assert!(parse(query).unwrap().is_empty());
        assert!(matches(query, &webhook("", "", &[])));
    }
    assert!(!parse("a").unwrap().is_empty());
    assert!(matches_found(&Query::default(), &acme(), RuleSet::default()));
}

#[test]
fn a_word_is_a_smart_case_part_of_url_id_or_event() {
    check(&[
        ("acme", true),
        ("crm", true),
        ("CRM", true),
        ("Crm", false),
        ("c9v3", true),
        ("whk_c9V3", false),
        ("failed", true),
        ("call.failed", true),
        ("callfailed", false),
        ("globex", false),
        ("completedcall", false),
    ]);
}

#[test]
fn what_a_list_shows_of_a_url_is_found() {
    let spelled = webhook("whk_1", "https://CRM.Northwind.Example.com:443/kliniken/k\u{f6}ln", &[]);
    let wide = webhook("whk_2", "https://crm.n\u{f6}rthwind.example.com/a/../b c", &[]);
    for (query, of_spelled, of_wide) in [
        ("crm.northwind.example.com/kliniken", true, false),
        ("url:crm.northwind.example.com/kliniken", true, false),
        ("url:=https://crm.northwind.example.com/kliniken/k%C3%B6ln", true, false),
        ("k%C3%B6ln", true, false),
        ("k\u{f6}ln", true, false),
        (":443", true, false),
        ("CRM.Northwind", true, false),
        ("xn--nrthwind", false, true),
        ("-xn--nrthwind", true, false),
        ("re:^https://crm.xn--", false, true),
        ("~crmxnnrthwind", false, true),
        ("example.com/b%20c", false, true),
        ("id:xn--", false, false),
        ("event:xn--", false, false),
    ] {
        assert_eq!((matches(query, &spelled), matches(query, &wide)), (of_spelled, of_wide), "{query}");
    }
}

#[test]
fn terms_must_all_match() {
    check(&[("acme crm", true), ("  acme\u{3000}crm\t", true), ("acme globex", false), ("-globex acme", true)]);
}

#[test]
fn a_sign_negates_the_whole_term() {
    check(&[
        ("-acme", false),
        ("!acme", false),
        ("-globex", true),
        ("-globex|acme", false),
        ("-globex|initech", true),
        ("-host:globex", true),
        ("!\"acme\"", false),
        ("-~acmcrm", false),
        ("-re:^https:", false),
        // A single sign negates; the rest is text.
        ("--acme", true),
        ("acme -z", true),
        ("whk-", false),
    ]);
}

#[test]
fn alternatives_take_the_field_of_those_before() {
    check(&[
        ("globex|acme", true),
        ("host:globex|acme", true),
        ("host:globex|crm", false),
        ("host:globex|url:crm", true),
        ("host:globex|id:x|c9v3", true),
        ("host:globex|id:x|crm", false),
        ("event:=x|=call.failed", true),
        ("event:=x|call", true),
        ("event:=x|=call", false),
        ("\"no no\"|\"acme\"", true),
        ("host:\"globex\"|\"acme\"", true),
        // A fuzzy word is searched for everywhere, and does not change the current field.
        ("host:globex|~acmcrm", true),
        ("host:globex|~zzz|acme", true),
        ("host:globex|~zzz|crm", false),
        ("https://globex.com|https://hooks.acme", true),
    ]);
}

#[test]
fn quotes_take_everything_as_it_stands() {
    let blank = webhook("a b", r#"say "hi" \o/ | x"#, &[]);
    for (query, expected) in [
        (r#""a b""#, true),
        (r#""a  b""#, false),
        (r#""say \"hi\"""#, true),
        (r#""\\o/""#, true),
        (r#""\o/""#, true),
        (r#""/ | x""#, true),
        (r#""-x""#, false),
        (r#"id:="a b""#, true),
        (r#"id:"=a b""#, false),
        (r#"id:="a""#, false),
        (r#""""#, true),
        (r#"hi""#, true),
        (r#"url:say|"zz""#, true),
    ] {
        assert_eq!(matches(query, &blank), expected, "{query}");
    }
}

#[test]
fn empty_quotes_ask_whether_there_is_anything() {
    let mut silent = webhook("x", "no url", &[]);
    for (query, expected) in [("event:\"\"", false), ("host:\"\"", false), ("url:\"\"", true), ("id:=\"\"", false)] {
        assert_eq!(matches(query, &silent), expected, "{query}");
        assert_eq!(matches(&format!("-{query}"), &silent), !expected, "{query}");
    }
    silent.events = Field::Missing;
    assert!(matches("-event:\"\"", &silent));
}

#[test]
fn a_field_is_looked_at_alone() {
    check(&[
        ("host:acme", true),
        ("host:ACME.com", true),
        ("host:dialnexa", false),
        ("url:dialnexa", true),
        ("url:Dialnexa", false),
        ("url:whk", false),
        ("id:whk_c9", true),
        ("id:acme", false),
        ("event:call", true),
        ("event:Call", false),
        ("event:whk", false),
    ]);
}

#[test]
fn an_equals_sign_asks_for_the_whole() {
    check(&[
        ("event:=call.completed", true),
        ("event:=call", false),
        ("event:=Call.completed", false),
        ("id:=whk_C9v3", true),
        ("id:=whk_c9v3", false),
        ("host:=hooks.acme.com", true),
        ("host:=HOOKS.acme.com", true),
        ("host:=acme.com", false),
        (r#"url:="https://hooks.acme.com/dialnexa/CRM?x=a|b""#, true),
        // Without a field, `=` is an ordinary character.
        ("x=a", true),
        ("=a", true),
        ("=acme", false),
    ]);
}

#[test]
fn the_host_is_the_one_that_is_resolved() {
    let host = |query: &str, url: &str| matches(query, &webhook("x", url, &[]));
    assert!(host("host:evil", "https://good.com@evil.com/"));
    assert!(!host("host:good", "https://good.com@evil.com/"));
    assert!(host("host:=127.0.0.1", "https://2130706433/"));
    assert!(host("host:=[::1]", "http://[0::1]:8080/"));
    assert!(!host("host:apple", "https://\u{430}pple.com/"), "the first letter is Cyrillic");
    assert!(host("host:xn--", "https://\u{430}pple.com/"));
    assert!(host("host:=bücher.de", "https://BÜCHER.de/") && host("host:bücher", "https://shop.bücher.de/"));
    assert!(host("host:BÜCHER.de", "https://xn--bcher-kva.de/"));
    assert!(!host("host:\"b ü\"", "https://bücher.de/"));
    assert!(!host("host:url", "no url") && !host("-host:no", "https://no.com") && host("-host:no", "no url"));
}

#[test]
fn activity_is_yes_or_no_or_unknown() {
    let mut webhook = acme();
    let mut found = |is_active: Field<bool>| {
        webhook.is_active = is_active;
        ["active:yes", "active:true", "active:no", "active:false", "active:yes|no", "-active:yes"]
            .map(|query| matches(query, &webhook))
    };
    assert_eq!(found(Field::Value(true)), [true, true, false, false, true, false]);
    assert_eq!(found(Field::Value(false)), [false, false, true, true, true, true]);
    assert_eq!(found(Field::Missing), [false, false, false, false, false, true]);
}

#[test]
fn creation_is_by_age_or_date() {
    check(&[
        ("created:>30d", true),
        ("created:>2y", true),
        ("created:>3y", false),
        ("created:<3y", true),
        ("created:<30d", false),
        ("created:<2024-06-01", true),
        ("created:>2024-06-01", false),
        ("created:2024-04-01", true),
        ("created:>2024-04-01", false),
        ("created:>=2024-04-01", true),
        ("created:<=2024-04-01", true),
        ("created:<2024-04-01", false),
        ("created:2024-04", true),
        ("created:2024", true),
        ("created:2023|2024", true),
        ("created:<2024|>2025", false),
        ("created:2024-04-01T08:00:00Z", true),
        ("created:2024-04-01T10:00:00+02:00", true),
        (r#"created:<"2024-04-01 08:00:01""#, true),
    ]);
    for created in ["soon", ""] {
        let mut webhook = acme();
        webhook.created_at = Field::Value(CreatedAt::new(created));
        assert!(!matches("created:>30d", &webhook) && !matches("created:<30d", &webhook));
        assert!(matches("-created:>30d", &webhook));
    }
}

#[test]
fn an_age_is_counted_from_the_moment_of_parsing() {
    let later: Timestamp = "2024-04-20T08:00:00Z".parse().unwrap();
    let matches = |query: &str| matches_found(&Query::parse(query, later).unwrap(), &acme(), RuleSet::default());
    assert!(!matches("created:>30d") && matches("created:<30d"));
}

#[test]
fn a_pattern_takes_everything_up_to_a_blank() {
    check(&[
        ("re:globex|acme", true),
        ("re:globex|initech", false),
        ("re:^https:", true),
        ("re:^whk_c9v3$", true),
        ("re:^whk_C9V3$", false),
        (r"re:^call\.\S+ed$", true),
        (r"re:\Scrm\?", true),
        ("re:acme globex", false),
        (r#"re:"acme|no no""#, true),
        (r#"re:"acme\.com""#, true),
        (r#"re:"acme\\.com""#, true),
        (r#"re:"globex"|"acme""#, true),
        ("globex|re:initech|acme", true),
        (r#"re:a"b|acme"#, true),
    ]);
}

#[test]
fn what_is_no_field_can_be_text() {
    check(&[
        ("https://hooks.acme.com/dialnexa", true),
        ("http://hooks", false),
        ("acme.com:443", false),
        ("acme.com|acme.com:443", true),
        (":443", false),
        ("c9v3:x", false),
        ("127.0.0.1:80", false),
        ("::", false),
        ("url:https://hooks.acme", true),
        ("url://hooks.acme", true),
    ]);
}

#[test]
fn a_field_that_is_none_is_an_error_with_the_nearest() {
    let text = |quoted: &str| format!("To search for the text, quote it: {quoted}");
    for (query, span, advice) in [
        ("acme hots:acme", "hots:", format!("Did you mean host:? {}", text("\"hots:acme\""))),
        ("-HOST:acme", "HOST:", format!("Did you mean host:? {}", text("\"HOST:acme\""))),
        ("x|events:a|b", "events:", format!("Did you mean event:? {}", text("\"events:a\""))),
        ("localhost:3000", "localhost:", text("\"localhost:3000\"")),
        ("mailto:a@b.com", "mailto:", text("\"mailto:a@b.com\"")),
        ("my_field:", "my_field:", text("\"my_field:\"")),
        ("https:/x", "https:", text("\"https:/x\"")),
    ] {
        let message = format!("unknown field {span}");
        assert_eq!(wrong(query), (span.to_owned(), message, advice), "{query}");
    }
}

#[test]
fn a_word_that_no_probe_says_is_an_error_with_the_nearest() {
    let unknown = |word: &str, advice: &str| (word.to_owned(), format!("unknown probe result {word}"), advice.to_owned());
    assert_eq!(wrong("acme -probe:dns|refsed"), unknown("refsed", "Did you mean probe:refused?"));
    let (span, _, advice) = wrong("probe:healthy");
    assert_eq!(span, "healthy");
    assert!(advice.starts_with("It takes dead, reachable, untried, unknown, tls-expiring, dns, refused"), "{advice}");
    assert_eq!(wrong("probe:").1, "missing value after probe:");
    let query = parse("-probe:dead|tls-expired acme").unwrap();
    assert!(query.asks_for_probes() && !query.asks_for_flags());
    assert!(!parse("dead is:added").unwrap().asks_for_probes());
}

#[test]
fn findings_are_asked_for_by_rule_and_by_severity() {
    let rule = |id: &str| RuleSet::of(Rule::named(id).unwrap());
    let error = RuleSet::of_severity(Severity::Error);
    let acme = acme();
    for (query, found, expected) in [
        ("finding:insecure-url", rule("insecure-url"), true),
        ("finding:insecure-url", rule("invalid-url"), false),
        ("-finding:insecure-url", rule("invalid-url"), true),
        ("finding:any", rule("long-inactive"), true),
        ("finding:any", RuleSet::default(), false),
        ("finding:error", error, true),
        ("finding:warning|error acme", error, true),
        ("finding:info", error, false),
    ] {
        assert_eq!(matches_found(&parse(query).unwrap(), &acme, found), expected, "{query}");
    }
    assert!(parse("a|finding:any").unwrap().asks_for_findings() && !parse("finding").unwrap().asks_for_findings());
    for (query, span, message, advice) in [
        ("x finding:insecure-urk", "insecure-urk", "unknown rule insecure-urk", "Did you mean finding:insecure-url?"),
        ("finding:warnin", "warnin", "unknown rule warnin", "Did you mean finding:warning?"),
        ("finding:malformed-row", "malformed-row", "malformed-row applies to the workspace, not to a webhook", ""),
    ] {
        assert_eq!(wrong(query), (span.to_owned(), message.to_owned(), advice.to_owned()), "{query}");
    }
    assert!(wrong("finding:qwertz").2.contains("--list-rules"));
}

#[test]
fn errors_are_where_they_are() {
    for (query, span, message) in [
        ("a \"b c", "\"", "missing closing quote"),
        ("a \"b\\", "\"", "missing closing quote"),
        ("a \"b\\\" c", "\"", "missing closing quote"),
        ("host:\"b", "\"", "missing closing quote"),
        ("\"a\"b c", "b", "missing space before b"),
        ("\"host\":acme", ":acme", "missing space before :acme"),
        ("id:=\"a\"\"b\"|c", "\"b\"", "missing space before \"b\""),
        ("a -", "-", "nothing to negate"),
        ("! a", "!", "nothing to negate"),
        ("a|-host:b", "-", "a term can only be negated at its start"),
        ("-!host:b", "!", "a term can only be negated at its start"),
        ("a ~", "~", "missing word after ~"),
        ("a|~|b", "~", "missing word after ~"),
        ("|a", "|", "missing alternative beside the |"),
        ("a|", "|", "missing alternative beside the |"),
        ("a| b", "|", "missing alternative beside the |"),
        ("a |b", "|", "missing alternative beside the |"),
        ("a||b", "|", "missing alternative beside the |"),
        ("host:a|", "|", "missing alternative beside the |"),
        ("-|a", "|", "missing alternative beside the |"),
        ("a host:", "host:", "missing value after host:"),
        ("host: acme", "host:", "missing value after host:"),
        ("host:|a", "host:", "missing value after host:"),
        ("id:=", "id:=", "missing value after id:"),
        ("id:a|=", "=", "missing value after ="),
        ("created:<", "created:<", "missing value after created:"),
        ("re:", "re:", "missing value after re:"),
        ("active:maybe", "maybe", "active: must be yes or no, not maybe"),
        ("active:yes|x", "x", "active: must be yes or no, not x"),
        ("active:=yes", "=yes", "active: must be yes or no, not =yes"),
        ("created:30d", "30d", "the age 30d needs a < or >"),
        ("created:>30", ">30", "the age 30 has no unit"),
        ("created:2024-02-30", "2024-02-30", "2024-02-30 is not a valid date"),
        ("created:>>1d", ">>1d", ">1d is neither an age nor a date"),
        ("a re:x(|y b", "x(|y", "not a valid regular expression: unclosed group"),
        (r"re:\w{9999}", r"\w{9999}", "not a valid regular expression: the pattern is too large"),
    ] {
        let (marked, said, _) = wrong(query);
        assert_eq!((marked.as_str(), said.as_str()), (span, message), "{query}");
    }
    assert!(wrong("created:30d").2.contains("created:>30d for older"));
}

#[test]
fn the_column_is_what_a_reader_counts() {
    let column = |query: &str| parse(query).unwrap_err().column(query);
    assert_eq!(column("hots:a"), 1);
    assert_eq!(column("abc hots:a"), 5);
    assert_eq!(column("é漢👩‍👩‍👧e\u{301} hots:a"), 6);
    assert_eq!(column("a|"), 2);
    let elsewhere = QueryError { span: 90..91, message: "x".into(), advice: None };
    assert_eq!(elsewhere.column("abc"), 4);
}

#[test]
fn messages_are_fit_for_a_terminal() {
    for query in [
        "\"x\"\u{1b}[31m",
        "active:\u{202e}x",
        "hots:\u{7}\u{202e}",
        "created:\u{1b}]52;c;x\u{7}",
        "re:\u{1b}[31m(",
        &format!("active:{}", "x".repeat(3_000)),
        &format!("{}:y", "x".repeat(3_000)),
        &format!("hots:{}", "\u{1b}".repeat(3_000)),
    ] {
        let error = parse(query).unwrap_err();
        let mut said = error.message.to_string();
        write!(said, "{}", error.advice.unwrap_or_default()).unwrap();
        assert!(said.len() < 400 && !said.chars().any(is_unsafe), "{said}");
    }
}

#[test]
fn a_query_is_bounded() {
    let longest = "x".repeat(4_096);
    assert!(!matches(&longest, &acme()));
    let (span, message, _) = wrong(&format!("{}é", "x".repeat(4_095)));
    assert_eq!((span.as_str(), message.as_str()), ("é", "the filter is longer than 4,096 bytes"));
    assert_eq!(wrong(&"x ".repeat(1_000_000)).1, "the filter is longer than 4,096 bytes");

    let alternatives = vec!["x"; 256].join("|");
    assert!(matches(&format!("-{alternatives}"), &webhook("y", "y", &[])));
    assert_eq!(wrong(&format!("{alternatives}|last")).0, "last");
    assert_eq!(wrong(&format!("{}last", "x ".repeat(256))).0, "last");
    assert!(parse(&"re:x ".repeat(16)).is_ok());
    assert_eq!(wrong(&format!("{}re:y", "re:x ".repeat(16))).0, "re:y");
    assert!(parse(&format!("~{}", "x".repeat(200))).is_ok());
    assert!(wrong(&format!("~{}", "x".repeat(201))).1.starts_with("a fuzzy word is at most 200 bytes"));
}

#[test]
fn a_huge_webhook_is_searched() {
    let huge = webhook(&"a".repeat(1_000_000), &format!("https://a.com/{}", "é".repeat(100_000)), &["\u{1b}[31m\n"]);
    let words = ["b", "aab", "~ab", "re:a+b$", "host:b", &format!("id:{}b", "a".repeat(3_000))];
    for word in words {
        assert!(!matches(word, &huge), "{word}");
    }
    for word in ["aaaa", "~acé", "re:é$", "\"[31m\n\"", "host:=a.com"] {
        assert!(matches(word, &huge), "{word}");
    }
    assert!(score("~acé", &huge).is_some_and(|score| score > 0));
}

#[test]
fn a_fuzzy_word_makes_a_ranked_query() {
    for (query, ranked) in [("~a", true), ("x|~a", true), ("b ~a", true), ("a", false), ("-~a", false), ("\"~a\"", false)] {
        assert_eq!(parse(query).unwrap().is_ranked(), ranked, "{query}");
    }
    check(&[("~acmcrm", true), ("~crmacm", false), ("~CRM", true), ("~clfl", true), ("~\"hooks dialnexa\"", false)]);
}

#[test]
fn better_matches_have_higher_scores() {
    let of_url = |url: &str| score("~crm -globex", &webhook("x", url, &[]));
    let [word, spread] = ["https://a.com/crm", "https://a.com/cxrxm"].map(of_url);
    assert!(word > spread && spread.is_some());
    assert_eq!((of_url("https://globex.com/crm"), of_url("https://a.com/x")), (None, None));
    // The best of its texts counts, and each fuzzy term adds.
    let best = |query: &str, events: &[&str]| score(query, &webhook("x", "https://c-r-m.com", events));
    assert!(best("~crm", &["crm"]) > best("~crm", &[]));
    assert!(best("~crm ~com", &[]) > best("~crm", &[]));
    assert_eq!(best("crm|com", &[]), Some(0));
}

#[test]
fn quotes_are_used_where_they_are_needed() {
    for (text, quoted) in [
        ("acme.com/x_y-1", "acme.com/x_y-1"),
        ("", "\"\""),
        ("-a", "\"-a\""),
        ("!a", "\"!a\""),
        ("~a", "\"~a\""),
        ("=a", "\"=a\""),
        ("a b", "\"a b\""),
        ("a:b", "\"a:b\""),
        ("a|b", "\"a|b\""),
        (r#"a"\b"#, r#""a\"\\b""#),
        ("é", "\"é\""),
    ] {
        assert_eq!(quote(text), quoted);
    }
}

/// Texts made of everything that has a meaning in the language.
fn any_query() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "\"",
        "\\",
        "|",
        ":",
        "~",
        "-",
        "!",
        "=",
        "<",
        ">",
        " ",
        " ",
        "\u{a0}",
        "host:",
        "id:",
        "event:",
        "active:",
        "yes",
        "no",
        "created:",
        "30d",
        "2024",
        "-06",
        "re:",
        "(",
        "[",
        "+",
        "hots:",
        "//",
        "a",
        "B",
        ".",
        "é",
        "\u{1b}",
        "\u{202e}",
        "👩‍👧",
        "\u{301}",
    ]);
    prop_oneof![prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat()), "(?s).{0,40}"]
}

fn any_webhook() -> impl Strategy<Value = Webhook> {
    let url = prop_oneof!["https?://[abAB.]{1,6}/[abAB]{0,4}", "[abAB é]{0,8}"];
    let events = prop::collection::vec("[abAB.]{0,4}", 0..3);
    let active = prop::sample::select(vec![Field::Missing, Field::Value(true), Field::Value(false)]);
    let created = prop::sample::select(vec!["2024-06-05T00:00:00Z", "2026-06-14T00:00:00Z", "never"]);
    ("[abAB]{0,5}", url, events, active, created).prop_map(|(id, url, events, active, created)| Webhook {
        is_active: active,
        created_at: Field::Value(CreatedAt::new(created)),
        ..webhook(&id, &url, &events.iter().map(String::as_str).collect::<Vec<_>>())
    })
}

/// An alternative without a sign before it.
fn any_alternative() -> impl Strategy<Value = String> {
    prop_oneof![
        "[abAB.]{1,3}",
        "(host|url|id|event):=?[abAB.]{1,3}",
        "~[abAB]{1,3}",
        "re:\"[ab.]{1,2}[+*]?\"",
        prop::sample::select(vec![
            "active:yes",
            "active:no",
            "created:>30d",
            "created:2024-06",
            "created:<=2024",
            "event:\"\""
        ])
        .prop_map(str::to_owned),
    ]
}

proptest! {
    #[test]
    fn any_text_is_a_query_or_an_error_within_it(text in any_query(), webhook in any_webhook()) {
        match parse(&text) {
            Ok(query) => {
                let is_match = matches_found(&query, &webhook, RuleSet::default());
                prop_assert!(!is_match || !query.is_ranked() || score(&text, &webhook).is_some());
            }
            Err(error) => {
                prop_assert!(text.get(error.span.clone()).is_some_and(|marked| !marked.is_empty()), "{:?}", error);
                prop_assert!((1..=text.chars().count()).contains(&error.column(&text)));
                prop_assert!(!error.message.is_empty());
            }
        }
    }

    #[test]
    fn what_is_quoted_is_found(before in "(?s).{0,5}", word in "(?s).{0,30}", after in "(?s).{0,5}") {
        let text = format!("{before}{word}{after}");
        let quoted = quote(&word);
        for webhook in [webhook(&text, "u", &[]), webhook("i", &text, &[]), webhook("i", "u", &["e", &text])] {
            prop_assert!(matches(&quoted, &webhook), "{}", quoted);
            prop_assert!(!matches(&format!("-{quoted}"), &webhook), "{}", quoted);
        }
        let webhook = webhook(&word, &text, &[&word]);
        let terms = format!("id:={quoted} event:={quoted}|{quoted} url:{quoted}");
        prop_assert!(matches(&terms, &webhook), "{}", terms);
    }

    #[test]
    fn a_negated_term_is_the_complement(a in any_alternative(), b in any_alternative(), webhook in any_webhook()) {
        let term = format!("{a}|{b}");
        // A word is not a valid value of active: or created:.
        prop_assume!(parse(&term).is_ok());
        prop_assert_ne!(matches(&term, &webhook), matches(&format!("-{term}"), &webhook));
        prop_assert_eq!(matches(&format!("-{term}"), &webhook), matches(&format!("!{term}"), &webhook));
    }

    #[test]
    fn alternatives_are_either_and_terms_are_both(
        field in prop::sample::select(vec!["", "host:", "url:", "id:", "event:"]),
        a in "=?[abAB.]{1,3}",
        b in "=?[abAB.]{1,3}",
        webhook in any_webhook(),
    ) {
        let [a_matches, b_matches] = [&a, &b].map(|value| matches(&format!("{field}{value}"), &webhook));
        prop_assert_eq!(matches(&format!("{field}{a}|{b}"), &webhook), a_matches || b_matches);
        prop_assert_eq!(matches(&format!("{field}{a} {field}{b}"), &webhook), a_matches && b_matches);
    }

    #[test]
    fn any_two_terms_are_both(a in any_alternative(), b in any_alternative(), webhook in any_webhook()) {
        prop_assert_eq!(matches(&format!("{a} -{b}"), &webhook), matches(&a, &webhook) && !matches(&b, &webhook));
        // A word takes the field before it; any other term is independent.
        if b.contains([':', '~']) {
            prop_assert_eq!(matches(&format!("{a}|{b}"), &webhook), matches(&a, &webhook) || matches(&b, &webhook));
        }
    }

    #[test]
    fn a_longer_word_never_matches_more(word in "[abAB.é]{1,4}", more in "[abAB.é]", webhook in any_webhook()) {
        for field in ["", "host:", "url:", "id:", "event:", "~"] {
            let longer = matches(&format!("{field}{word}{more}"), &webhook);
            let shorter = matches(&format!("{field}{word}"), &webhook);
            prop_assert!(shorter || !longer, "{}{}", field, word);
        }
    }

    #[test]
    fn a_small_word_is_found_in_any_case(word in "\\PC{1,10}", flips: u16) {
        let small: String = word.chars().filter(|c| !c.is_uppercase() && c.to_uppercase().len() == 1).collect();
        let flip = |(i, c): (usize, char)| if flips >> i & 1 == 1 { c.to_uppercase().next().unwrap() } else { c };
        let flipped: String = small.chars().enumerate().map(flip).collect();
        prop_assert!(matches(&quote(&small), &webhook("i", &flipped, &[])), "{} in {}", small, flipped);
    }
}

#[test]
fn operators_and_globs_get_a_hint() {
    let hint = |text: &str| parse(text).unwrap().hint().map(ToString::to_string);
    for (text, expected) in [
        ("host:*.x", "host:*.x: * is not a wildcard; part of the text is enough: host:.x"),
        ("host:=*.x", "host:*.x: * is not a wildcard; part of the text is enough: host:.x"),
        ("-host:acme.*", "host:acme.*: * is not a wildcard; part of the text is enough: host:acme."),
        ("event:call.*", "event:call.*: * is not a wildcard; part of the text is enough: event:call."),
        ("*.acme.com", "*.acme.com: * is not a wildcard; part of the text is enough: .acme.com"),
        ("url:/a/*/b", "url:/a/*/b: * is not a wildcard and is searched for literally; use re:PATTERN for patterns"),
        ("a OR b", "OR is searched for as a word; write alternatives as a|b, without spaces"),
        ("host:a or host:b", "OR is searched for as a word; write alternatives as a|b, without spaces"),
        ("a AND b", "AND is searched for as a word; leave it out: terms are ANDed"),
        ("a && b", "AND is searched for as a word; leave it out: terms are ANDed"),
        ("a NOT b", "NOT is searched for as a word; negate a term with a leading -, as in -host:acme"),
        ("NOT b", "NOT is searched for as a word; negate a term with a leading -, as in -host:acme"),
    ] {
        assert_eq!(hint(text).as_deref(), Some(expected), "{text}");
    }
    for text in [
        "",
        "a b",
        "or",
        "OR b",
        "a or",
        "\"a OR b\"",
        "a \"OR\" b",
        "a|or|b",
        "order",
        "event:*",
        "event:=*",
        "re:a.*b",
        "host:\"*.x\"",
        "not a",
        "host:acme -event:call",
    ] {
        assert_eq!(hint(text), None, "{text}");
    }
}
