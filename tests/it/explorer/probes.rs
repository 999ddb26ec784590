//! Probing destinations: which are asked, what is known then, and what asks for it.

use hookscope::analysis::filter_sort::FilterSortResult;
use hookscope::analysis::probed::{Seen, Sought};
use hookscope::analysis::reach::Trouble;
use hookscope::api::ErrorKind;
use hookscope::base::base_url::BaseUrl;
use hookscope::base::redact::ApiKey;
use hookscope::config::Config;
use hookscope::tui::list_pane::ViewList as _;
use hookscope::tui::message::{Effect, Message};
use hookscope::tui::prober::ProbeEvent;
use hookscope::tui::session::workspace::WorkspaceInfo;
use hookscope::tui::theme::Glyphs;
use hookscope::tui::workers::RowsAnswer;

use crate::support::{SentPage, Stage, origin, page, reach, setup, with};

const ACME: &str = "https://hooks.acme.example.com";
const BILLING: &str = "https://billing.acme.example.com";
const GLOBEX: &str = "https://partners.globex.example.net";
const INITECH: &str = "https://n8n.ops.initech.example.org";

/// So few webhooks that all are here, at four hosts in turn.
fn whole(width: u16, height: u16) -> Stage {
    let mut stage = Stage::new(width, height);
    stage.load(page(1, 0..20, Some(20)));
    stage
}

fn of_urls(width: u16, urls: &[&str]) -> Stage {
    let mut stage = Stage::new(width, 24);
    let row = |url: &&str| serde_json::json!({"id": format!("id of {url}"), "url": url, "events": ["e"]}).to_string();
    let rows: Vec<_> = urls.iter().map(row).collect();
    let mut all = page(1, 0..0, Some(rows.len() as u64));
    all.rows = rows;
    stage.load(all);
    stage
}

#[test]
fn the_selected_destination_is_probed_and_what_is_found_is_said() {
    let mut stage = whole(80, 24);
    let before = stage.frame();
    assert!(!before.contains("probe "), "{before}");
    assert_eq!(stage.keys("j p").asked(), [BILLING]);
    let frame = stage.frame();
    assert!(frame.contains("probe    probing") && frame.contains("● … billing"), "{frame}");
    assert!(stage.footer().contains("probing 0 of 1  esc stops"), "{}", stage.footer());
    stage.found(BILLING, Ok(43)).wait(120).send(Message::Tick);
    let frame = stage.frame();
    assert!(frame.contains("probe    dns ok · tls ok, 43d left · 87 ms\n"), "{frame}");
    assert!(frame.contains("         probed 2m ago: reachable from this host\n"), "{frame}");
    assert!(!frame.contains("healthy"));
    assert!(stage.footer().contains("billing.acme.example.com: reachable from this host, 87 ms"), "{}", stage.footer());
    // Every webhook there, and no other.
    assert!(stage.line("billing.acme.example.com/v1").contains("● → billing"), "{frame}");
    assert!(stage.line("hooks.acme.example.com/v1").contains("●   hooks"), "{frame}");
    assert!(stage.keys("j").frame().contains("probe    not probed; p probes it"));
}

#[test]
fn trouble_has_its_word_what_it_means_and_what_to_do() {
    for trouble in Trouble::ALL.into_iter().filter(|trouble| *trouble != Trouble::InvalidUrl) {
        let mut stage = whole(80, 24);
        stage.keys("p").found(ACME, Err(trouble));
        let frame = stage.frame();
        let sign = if trouble == Trouble::Private { "?" } else { "✗" };
        let words = format!("probe    {sign} {}: {}", trouble.word(), trouble.words());
        assert!(frame.contains(&words), "{words}\n{frame}");
        assert!(frame.contains(trouble.advice()), "{}\n{frame}", trouble.advice());
        assert!(stage.line("hooks.acme.example.com").contains(&format!("● {sign} hooks")), "{frame}");
    }
}

#[test]
fn few_days_stand_out() {
    let mut stage = whole(80, 24);
    stage.keys("p").found(ACME, Ok(13));
    assert!(stage.frame().contains("probe    ! dns ok · tls ok, 13d left"), "{}", stage.frame());
    assert!(stage.line("hooks.acme.example.com").contains("● ! hooks"));
    let mut wide = whole(200, 24);
    wide.keys("p").found(ACME, Ok(13)).keys("j p").found(BILLING, Err(Trouble::TlsExpired)).keys("j p");
    wide.found(GLOBEX, Ok(14)).keys("j p");
    for (host, word) in [("hooks", "13d left"), ("billing", "tls-expired"), ("partners", "87 ms"), ("n8n", "probing")] {
        let shown = wide
            .frame()
            .lines()
            .any(|line| line.split('│').next().is_some_and(|left| left.contains(host) && left.contains(word)));
        assert!(shown, "{word}\n{}", wide.frame());
    }
}

#[test]
fn all_that_are_shown_are_probed_each_once() {
    let mut stage = whole(80, 24);
    assert_eq!(stage.keys("P").asked(), [BILLING, ACME, INITECH, GLOBEX]);
    assert!(stage.footer().contains("probing 0 of 4  esc stops"), "{}", stage.footer());
    stage.found(ACME, Ok(60)).found(BILLING, Err(Trouble::Dns));
    assert!(stage.footer().contains("probing 2 of 4, 1 unreachable  esc stops"), "{}", stage.footer());
    stage.found(GLOBEX, Err(Trouble::Private)).found(INITECH, Ok(60));
    let words = "2 of 4 reachable from this host, 1 unreachable, 1 not tried";
    assert!(stage.footer().contains(words), "{}", stage.footer());
    // When no name has an address it is not the fault of the destinations.
    let mut stage = whole(80, 24);
    stage.wait(120).keys("P");
    for url in [ACME, BILLING, GLOBEX, INITECH] {
        stage.found(url, Err(Trouble::Dns));
    }
    let frame = stage.frame();
    assert!(frame.contains("! none of 4 destinations reached: DNS fails on this host; results discarded"), "{frame}");
    assert!(
        !stage.app.session.probes.are_shown() && !stage.keys("4").frame().contains("dead-destination"),
        "{}",
        stage.frame()
    );
    // A filter chooses, and marks choose before it.
    let mut stage = whole(80, 24);
    assert_eq!(stage.keys("/ h o s t : a c m e enter P").asked(), [BILLING, ACME]);
    let mut stage = whole(80, 24);
    assert_eq!(stage.keys("j j space / h o s t : a c m e enter P").asked(), [GLOBEX]);
}

#[test]
fn what_is_under_way_is_not_asked_twice_and_more_is_added_to_it() {
    let mut stage = whole(80, 24);
    assert_eq!(stage.keys("p").asked(), [ACME]);
    assert_eq!(stage.keys("p").asked(), [""; 0]);
    assert!(stage.footer().contains("already probing"));
    assert_eq!(stage.keys("P").asked(), [BILLING, INITECH, GLOBEX]);
    assert!(stage.footer().contains("probing 0 of 4"), "{}", stage.footer());
    stage.found(ACME, Ok(60)).keys("p");
    assert_eq!(stage.asked(), [ACME], "what is known is probed anew when it is asked for");
    assert!(stage.footer().contains("probing 1 of 5"), "{}", stage.footer());
}

#[test]
fn esc_stops_and_keeps_what_is_known() {
    let mut stage = whole(80, 24);
    stage.keys("P").found(ACME, Ok(60)).keys("esc");
    assert!(stage.effects.contains(&Effect::StopProbing));
    assert!(
        stage.footer().contains("stopped: 1 of 1 reachable from this host, out of 4 destinations"),
        "{}",
        stage.footer()
    );
    // An answer that comes all the same is no answer any more.
    stage.found(BILLING, Err(Trouble::Dns));
    assert!(stage.effects.is_empty());
    assert!(stage.line("hooks.acme.example.com").contains("→") && !stage.frame().contains("✗"), "{}", stage.frame());
    assert!(stage.keys("x esc").effects.iter().all(|effect| *effect != Effect::StopProbing));
    assert_eq!(stage.keys("P q").effects, [Effect::Quit], "it quits at once");
}

#[test]
fn all_waits_until_all_is_here_or_says_what_it_is_about() {
    let mut first = page(1, 0..2, Some(4));
    first.limit = Some(2);
    let mut stage = Stage::new(80, 24);
    stage.load(first).keys("P");
    assert_eq!(stage.asked(), [""; 0]);
    assert!(
        stage.app.session.demand().everything && stage.footer().contains("loading to probe all: 1 of 2 pages"),
        "{}",
        stage.footer()
    );
    let mut second = page(2, 2..4, Some(4));
    second.limit = Some(2);
    assert_eq!(stage.load(second).asked(), [BILLING, ACME, INITECH, GLOBEX]);
    // What a filter finds in the last rows counts too, for marks as well.
    for (keys, asked) in [("P", 4), ("*", 0)] {
        let mut stage = Stage::new(80, 24);
        let of_two = |number, rows| SentPage { limit: Some(2), ..page(number, rows, Some(4)) };
        stage.load(of_two(1, 0..2)).keys("/ e x a m p l e enter").keys(keys).load(of_two(2, 2..4));
        assert_eq!(stage.asked().len(), asked);
        assert_eq!(stage.app.session.marks.len(), 4 - asked);
    }
    // More than may be loaded without being asked to.
    let mut stage = Stage::with(with(setup(100, 24), |setup| setup.settings.auto_load_limit = 50));
    stage.load(page(1, 0..100, Some(1234)));
    assert_eq!(stage.keys("P").asked().len(), 4);
    assert!(
        stage.footer().contains("probing 4 destinations of 100 loaded webhooks; L loads the rest"),
        "{}",
        stage.footer()
    );
    // Waiting is given up by esc too.
    let mut stage = Stage::loaded(80, 24);
    stage.keys("P esc");
    assert!(!stage.app.session.demand().everything && stage.footer().contains("probe canceled"), "{}", stage.footer());
    assert_eq!(stage.load(page(2, 100..200, Some(1234))).asked(), [""; 0]);
    // And when a page fails.
    let mut stage = Stage::loaded(80, 24);
    stage.keys("P").fail(2, ErrorKind::Status(500), "boom");
    assert!(stage.footer().contains("nothing probed: not all webhooks are loaded"), "{}", stage.footer());
}

#[test]
fn thousands_of_destinations_are_bounded() {
    let urls: Vec<String> = (0..10_050).map(|number| format!("https://h{number}.example/")).collect();
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let mut stage = of_urls(100, &urls);
    assert_eq!(stage.keys("P").asked().len(), 10_000);
    assert!(stage.footer().contains("probing the first 10,000 destinations; filter"), "{}", stage.footer());
}

#[test]
fn a_host_is_probed_with_all_its_origins_and_an_event_is_not() {
    let mut stage =
        of_urls(80, &["https://a.example/1", "http://a.example/2", "https://a.example:8443/", "https://b.example/"]);
    stage.keys("2 p");
    assert_eq!(stage.asked(), ["http://a.example", "https://a.example", "https://a.example:8443"]);
    assert!(stage.frame().contains("▸ … a.example") && stage.frame().contains("▸   b.example"), "{}", stage.frame());
    // The worst of a host is what is said of it.
    stage.found("http://a.example", Ok(60)).found("https://a.example", Ok(3)).found("https://a.example:8443", Ok(60));
    assert!(stage.frame().contains("▸ ! a.example"), "{}", stage.frame());
    stage.keys("p").found("https://a.example:8443", Err(Trouble::Refused)).keys("esc");
    assert!(stage.frame().contains("▸ ✗ a.example"), "{}", stage.frame());
    let mut stage = whole(80, 24);
    assert_eq!(stage.keys("3 p").asked(), [""; 0]);
    assert!(stage.footer().contains("2 the hosts"), "{}", stage.footer());
    assert_eq!(stage.keys("P").asked().len(), 4);
    assert!(stage.keys("esc").effects.contains(&Effect::StopProbing));
}

#[test]
fn what_cannot_be_connected_to_is_told_and_not_asked() {
    let mut stage = of_urls(80, &["no url", "https://a.example/"]);
    assert_eq!(stage.keys("p").asked(), [""; 0]);
    assert!(stage.footer().contains("not a valid http or https URL"), "{}", stage.footer());
    assert_eq!(stage.keys("P").asked(), ["https://a.example"]);
    assert!(stage.frame().contains("probe    ? invalid-url: not a valid http or https URL"), "{}", stage.frame());
    let mut stage = of_urls(80, &["no url"]);
    assert_eq!(stage.keys("P").asked(), [""; 0]);
    assert!(stage.footer().contains("nothing to probe"));
    assert_eq!(Stage::new(80, 24).keys("p").asked(), [""; 0]);
}

#[test]
fn a_filter_asks_for_what_was_found_and_follows_it() {
    let mut stage = whole(80, 24);
    stage.keys("P").found(ACME, Ok(3)).found(BILLING, Err(Trouble::Dns));
    stage.keys("/").paste("probe:dead").keys("enter");
    assert_eq!(stage.app.session.list.lines.len(), 5);
    stage.found(GLOBEX, Err(Trouble::TlsExpired));
    assert_eq!(stage.app.session.list.lines.len(), 10, "what is found while it is in effect counts too");
    for (query, count) in [
        ("probe:tls-expired", 5),
        ("probe:dns|refused", 5),
        ("-probe:dead", 10),
        ("probe:reachable", 5),
        ("probe:tls-expiring", 5),
        ("probe:unknown", 5),
        ("probe:untried", 0),
        ("probe:dead host:globex", 5),
        ("probe:dead host:acme", 5),
    ] {
        stage.keys("/ ctrl-u").paste(query).keys("enter");
        assert_eq!(stage.app.session.list.lines.len(), count, "{query}\n{}", stage.frame());
    }
    // What is unknown becomes known.
    stage.keys("/ ctrl-u").paste("probe:unknown").keys("enter").found(INITECH, Err(Trouble::Private));
    assert_eq!(stage.app.session.list.lines.len(), 0);
    stage.keys("/ ctrl-u").paste("probe:daed").keys("enter");
    assert!(stage.frame().contains("unknown probe result daed. Did you mean probe:dead?"), "{}", stage.frame());
}

/// While a probe runs, a filter is answered again and again.
#[test]
fn the_first_of_an_answer_never_takes_the_place_of_all_of_an_earlier_one() {
    let mut stage = whole(80, 24);
    stage.keys("P").found(ACME, Ok(60)).found(BILLING, Err(Trouble::Dns));
    stage.keys("/").paste("probe:dead").keys("enter G");
    assert_eq!((stage.app.session.list.len(), stage.app.session.list.selected()), (5, 4));
    let seen = Seen { reach: reach(Err(Trouble::Reset)), at: stage.now.wall };
    let effects = stage.app.update(Message::Probed(ProbeEvent::Reach(origin(GLOBEX), Box::new(seen))), stage.now);
    let wish = effects.into_iter().find_map(|effect| match effect {
        Effect::FilterSort(wish) => Some(wish),
        _ => None,
    });
    let Some(wish) = wish else { panic!("nothing is asked") };
    let answer = |order: &[u32], is_whole| {
        let answer = FilterSortResult { order: order.into(), is_whole, groups: None };
        Message::Rows(RowsAnswer { epoch: wish.epoch, version: wish.version, answer })
    };
    stage.send(answer(&[1, 2], false));
    assert_eq!((stage.app.session.list.len(), stage.app.session.list.selected()), (5, 4));
    stage.send(answer(&[1, 2, 5, 6, 9, 10, 13, 14, 17, 18], true));
    assert_eq!((stage.app.session.list.len(), stage.app.session.list.selected()), (10, 8));
}

#[test]
fn marks_change_nothing_about_what_probes_found() {
    let mut stage = whole(80, 24);
    stage.keys("P").found(ACME, Ok(60)).found(BILLING, Err(Trouble::Dns));
    stage.keys("/").paste("probe:dead").keys("enter space space");
    assert_eq!((stage.app.session.list.len(), stage.app.session.marks.len()), (5, 2));
}

#[test]
fn a_host_without_network_makes_no_destination_unreachable() {
    let mut stage = whole(80, 24);
    stage.wait(120).keys("P");
    for (url, trouble) in [(ACME, Trouble::Dns), (BILLING, Trouble::Unreachable), (GLOBEX, Trouble::Dns)] {
        stage.found(url, Err(trouble));
        assert!(
            stage.app.session.probes.known.is_empty(),
            "as long as nothing was reached, nothing is known: {}",
            stage.frame()
        );
    }
    stage.found(INITECH, Err(Trouble::Private));
    assert!(
        stage.frame().contains("! none of 3 destinations reached: no network on this host; results discarded"),
        "{}",
        stage.frame()
    );
    // One that answers, be it with a bad certificate or a refusal, shows that there is a network.
    for proof in [Ok(60), Err(Trouble::TlsName), Err(Trouble::Refused)] {
        let mut stage = whole(80, 24);
        stage
            .wait(120)
            .keys("P")
            .found(ACME, Err(Trouble::Dns))
            .found(BILLING, Err(Trouble::Unreachable))
            .found(GLOBEX, proof);
        assert_eq!(stage.app.session.probes.known.len(), 3, "{}", stage.frame());
        stage.found(INITECH, Err(Trouble::Dns));
        assert_eq!(stage.app.session.probes.known.len(), 4, "{}", stage.frame());
        // What was found can be discarded.
        stage.keys(":").paste("discard-probes").keys("enter");
        assert!(stage.footer().contains("discarded the probe results for 4 destinations"), "{}", stage.frame());
        assert!(!stage.app.session.probes.are_shown(), "{}", stage.frame());
    }
    // A single one that fails is what it is.
    let mut stage = whole(80, 24);
    stage.keys("p").found(ACME, Err(Trouble::Dns));
    assert_eq!(stage.app.session.probes.known.len(), 1, "{}", stage.frame());
}

#[test]
fn what_this_host_is_blamed_for_is_discarded_of_earlier_probes_too() {
    let mut stage = whole(80, 24);
    stage.keys("p").found(ACME, Err(Trouble::Dns)).keys("j p").found(BILLING, Ok(60));
    assert_eq!(stage.app.session.probes.known.len(), 2, "{}", stage.frame());
    stage.wait(120).keys("P");
    for url in [ACME, BILLING, GLOBEX, INITECH] {
        stage.found(url, Err(Trouble::Dns));
    }
    let known: Vec<_> = stage.app.session.probes.known.iter().map(|(origin, _)| origin.to_string()).collect();
    assert_eq!(known, [BILLING], "{}", stage.frame());
    assert!(!stage.keys("4").frame().contains("dead-destination"), "{}", stage.frame());
}

#[test]
fn this_host_is_not_blamed_while_it_reaches_the_api() {
    let probe = |stage: &mut Stage| {
        stage.keys("P");
        for url in [ACME, BILLING, GLOBEX, INITECH] {
            stage.found(url, Err(Trouble::Dns));
        }
        stage.app.session.probes.known.len()
    };
    let of_api = |url: &str| {
        let mut stage = Stage::with(with(setup(80, 24), |setup| setup.workspace.base_url = BaseUrl::parse(url).unwrap()));
        stage.load(page(1, 0..20, Some(20)));
        stage
    };
    // It answered just now: the names are what is wrong.
    let mut stage = of_api("https://api.example.com");
    assert_eq!(probe(&mut stage), 4, "{}", stage.frame());
    assert!(stage.footer().contains("4 unreachable"), "{}", stage.footer());
    // It answers while the probe runs.
    let mut stage = of_api("https://api.example.com");
    stage.wait(120).keys("P").keys("r").load(page(1, 0..20, Some(20)));
    for url in [ACME, BILLING, GLOBEX, INITECH] {
        stage.found(url, Err(Trouble::Dns));
    }
    assert_eq!(stage.app.session.probes.known.len(), 4, "{}", stage.frame());
    // It answered long ago, or it needs neither a name service nor a network.
    for (url, seconds) in
        [("https://api.example.com", 120), ("http://127.0.0.1:8080", 0), ("http://localhost", 0), ("https://192.0.2.7", 0)]
    {
        let mut stage = of_api(url);
        stage.wait(seconds);
        assert_eq!(probe(&mut stage), 0, "{}", stage.frame());
        assert!(stage.footer().contains("DNS fails on this host; results discarded"), "{}", stage.footer());
    }
    // It fails now too.
    let mut stage = of_api("https://api.example.com");
    stage.keys("P r").fail(1, ErrorKind::Status(503), "down");
    for url in [ACME, BILLING, GLOBEX, INITECH] {
        stage.found(url, Err(Trouble::Dns));
    }
    assert!(stage.app.session.probes.known.is_empty() && !stage.app.session.probes.is_running(), "{}", stage.frame());
}

#[test]
fn another_workspace_knows_nothing_of_it() {
    let mut stage = whole(80, 24);
    stage.keys("P").found(ACME, Ok(60));
    let base_url = BaseUrl::parse("https://staging.example").unwrap();
    let connection = Config::demo_connection(base_url, ApiKey::new("id:secret").unwrap());
    stage.send(Message::Switched(Box::new(WorkspaceInfo::new(0, &connection, None, Vec::new()))));
    assert!(!stage.app.session.probes.are_shown());
    stage.load(page(1, 0..20, Some(20)));
    assert!(!stage.frame().contains('→'), "{}", stage.frame());
    assert!(stage.found(BILLING, Ok(60)).effects.is_empty());
}

#[test]
fn a_probe_that_cannot_begin_says_why() {
    let mut stage = whole(80, 24);
    stage.keys("P").send(Message::Probed(ProbeEvent::Failed("no certificates".into())));
    assert!(stage.footer().contains("cannot probe: no certificates"), "{}", stage.footer());
    assert_eq!(stage.keys("p").asked(), [ACME]);
}

#[test]
fn ascii_and_any_width_are_enough() {
    for width in 0..=220 {
        let mut stage = Stage::with(with(setup(width, 24), |setup| setup.settings.glyphs = Glyphs::ascii()));
        stage.load(page(1, 0..20, Some(20)));
        stage.keys("P").found(ACME, Ok(3)).found(BILLING, Err(Trouble::TlsUntrusted)).found(GLOBEX, Ok(60));
        let frame = stage.frame();
        assert!(frame.is_ascii(), "{frame}");
        assert!(width < 60 || frame.contains(" * x billing") && frame.contains(" * = partners"), "{frame}");
    }
}

#[test]
fn every_word_of_a_query_is_in_the_help() {
    let help = hookscope::analysis::query::help();
    for sought in Sought::all() {
        assert!(help.contains(sought.word()), "{}", sought.word());
    }
}

#[test]
fn what_is_found_outlives_a_refresh_and_is_replaced_by_what_is_found_later() {
    let mut stage = whole(80, 24);
    stage.keys("p").found(ACME, Err(Trouble::Dns)).keys("r").load(page(1, 0..20, Some(20)));
    assert!(stage.frame().contains("✗ dns: host name not found"));
    stage.keys("p").found(ACME, Ok(60));
    let seen = Seen { reach: reach(Ok(60)), at: stage.now.wall };
    assert_eq!(stage.app.session.probes.known.get(&origin(ACME)), Some(&seen));
}

#[test]
fn esc_stops_a_probe_that_has_not_begun() {
    let mut stage = whole(80, 24);
    stage.keys("/ e x a m p l e enter");
    let late = stage.late_key("P");
    assert_eq!(late.len(), 1, "what is to be probed is looked for first");
    stage.keys("esc");
    assert!(stage.footer().contains("probe canceled"), "{}", stage.footer());
    assert!(stage.frame().contains("⌕ example"), "the filter stays\n{}", stage.frame());
    for message in late {
        assert_eq!((stage.send(message).asked(), stage.app.session.probes.is_running()), (Vec::new(), false));
    }
    assert_eq!(stage.keys("P").asked().len(), 4, "the next one is not stopped");
}

#[test]
fn what_nobody_looked_for_is_not_called_missing() {
    for (filter, is_told) in [("probe:dead", true), ("finding:dead-destination", true), ("nowhere", false)] {
        let mut stage = Stage::new(100, 30);
        stage.load(SentPage { total: Some(40), ..page(1, 0..40, None) });
        stage.keys("/").paste(filter).keys("enter");
        assert_eq!(
            stage.frame().contains("Nothing probed yet: clear the filter, then P probes all"),
            is_told,
            "{}",
            stage.frame()
        );
    }
}
