//! The filter as it is typed, and the order in which rows are shown.

use hookscope::api::ErrorKind;
use hookscope::tui::list_pane::ViewList as _;
use hookscope::tui::message::{Effect, Message};
use hookscope::tui::workers::RowsRequest;

use crate::support::{SentPage, Stage, page, press, setup, webhook, with};

fn whole(rows: Vec<String>) -> SentPage {
    SentPage { total: Some(rows.len() as u64), rows, ..page(1, 0..0, None) }
}

/// Forty webhooks, all of them here; every fourth one is of `hooks.acme.example.com`.
fn forty() -> Stage {
    let mut stage = Stage::new(100, 30);
    stage.load(whole((0..40).map(webhook).collect()));
    stage
}

fn ids(stage: &Stage) -> Vec<String> {
    (0..stage.app.session.list.len()).filter_map(|place| Some(stage.app.session.list.row(place)?.id().to_owned())).collect()
}

#[test]
fn each_letter_narrows_and_backspace_widens() {
    let mut stage = forty();
    stage.keys("/");
    let mut lengths = Vec::new();
    for letter in "billing".chars() {
        stage.keys(&letter.to_string());
        lengths.push(stage.app.session.list.len());
    }
    assert!(lengths.is_sorted_by(|before, after| before >= after), "{lengths:?}");
    assert_eq!(lengths.last(), Some(&10));
    let frame = stage.frame();
    assert!(frame.contains(" / billing") && frame.lines().next().unwrap().contains("10 of 40"), "{frame}");
    for _ in 0.."billing".len() {
        stage.keys("backspace");
    }
    assert_eq!(stage.app.session.list.len(), 40);
}

#[test]
fn a_filter_keeps_the_order_of_the_list_and_only_fuzzy_ranks() {
    let mut stage = Stage::new(100, 30);
    let urls = ["https://a.com/x-crm-y", "https://b.com/c/r/m", "https://c.com/crm"];
    let rows = urls.iter().enumerate().map(|(number, url)| format!(r#"{{"id":"w{number}","url":"{url}"}}"#));
    stage.load(whole(rows.collect()));
    stage.keys("/").paste("crm").keys("enter");
    assert_eq!(ids(&stage), ["w0", "w2"]);
    stage.keys("esc /").paste("~crm").keys("enter");
    let ranked = ids(&stage);
    assert_eq!((ranked.len(), ranked.last().map(String::as_str)), (3, Some("w1")), "scattered letters come last");
}

#[test]
fn the_selection_comes_back_to_where_it_was_when_the_filter_goes() {
    let mut stage = forty();
    stage.keys("j j j j j /").paste("hooks.acme").keys("enter");
    assert_eq!((stage.app.session.list.len(), stage.selected().as_deref()), (10, Some("whk_000000000000")));
    stage.keys("j esc");
    assert_eq!((stage.app.session.list.len(), stage.selected().as_deref()), (40, Some("whk_000000000004")));
}

#[test]
fn who_gives_up_typing_is_where_typing_began() {
    let mut stage = forty();
    stage.keys("ctrl-d ctrl-d k k k");
    let before = (stage.selected(), stage.frame());
    for text in ["hooks.acme", "nowhere", "re:(", ""] {
        stage.keys("/").paste(text).keys("esc");
        assert_eq!((stage.selected(), stage.frame()), before, "{text}");
    }
    stage.keys("/").paste("hooks.acme").keys("pgdn");
    let chosen = stage.selected();
    stage.keys("esc");
    assert_eq!((stage.app.session.list.len(), stage.selected()), (40, chosen), "who has moved stays there");
    // The filter that is in effect goes, and what was selected of it stays.
    stage.keys("/").paste("hooks.acme").keys("enter g j j");
    let hit = stage.selected();
    stage.keys("/").paste(" other").keys("esc");
    assert_eq!((stage.app.session.list.len(), stage.selected()), (40, hit));
    stage.keys("s s");
    let sorted = stage.keys("G k k").selected();
    stage.keys("/").paste("hooks").keys("esc");
    assert_eq!((stage.app.session.list.len(), stage.selected()), (40, sorted));
}

#[test]
fn what_may_help_is_never_cut() {
    for (width, height) in [(80, 24), (60, 15), (200, 60)] {
        let mut stage = Stage::new(width, height);
        stage.load(whole((0..40).map(webhook).collect())).keys("/");
        for (text, message, advice) in [
            ("probe:zzzz", "^ unknown probe result zzzz", "It takes dead, reachable, untried"),
            ("probe:zzzz", "^ unknown probe result zzzz", "private, invalid-url"),
            ("created:30", "^ the age 30 has no unit", "Dates look like 2024-06-01."),
            ("finding:zz", "^ unknown rule zz", "hookscope audit --list-rules lists them."),
        ] {
            stage.paste(text);
            let frame = stage.frame();
            let words = frame.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(words.contains(message) && words.contains(advice), "{frame}");
            assert!(frame.contains(&format!(" / {text}")), "{frame}");
            stage.keys("ctrl-u");
        }
    }
}

#[test]
fn what_is_wrong_is_shown_under_its_character_and_the_last_good_result_stays() {
    let mut stage = forty();
    stage.keys("/").paste("billing nonsense:x");
    let frame = stage.frame();
    let lines: Vec<_> = frame.lines().collect();
    let place = lines.iter().position(|line| line.contains(" / billing")).unwrap();
    assert_eq!(lines[place].find("nonsense"), lines[place + 1].find('^'), "{frame}");
    assert_eq!(stage.app.session.list.len(), 40, "pasted at once, nothing of it was in effect yet");
    for _ in 0.."nonsense:x".len() {
        stage.keys("backspace");
    }
    assert_eq!(stage.app.session.list.len(), 10);
    stage.paste(" re:(");
    assert_eq!(stage.app.session.list.len(), 10, "what is unfinished leaves the last result");
    assert!(stage.keys("enter").frame().contains('^'), "enter does not hide that something is wrong");
}

#[test]
fn a_page_that_comes_while_a_filter_is_on_is_filtered_too() {
    let mut stage = Stage::new(100, 30);
    stage.load(page(1, 0..100, Some(250))).keys("/").paste("billing").keys("enter");
    assert!(stage.app.session.demand().everything, "a filter needs all rows");
    assert_eq!(stage.app.session.list.len(), 25);
    assert!(stage.frame().lines().next().unwrap().contains("of 100 loaded (of 250)"), "{}", stage.frame());
    let selected = stage.keys("j j").selected();
    stage.load(page(3, 200..250, Some(250)));
    assert_eq!((stage.app.session.list.len(), stage.selected()), (38, selected.clone()));
    stage.load(page(2, 100..200, Some(250)));
    assert_eq!((stage.app.session.list.len(), stage.selected()), (63, selected));
    assert!(!stage.app.session.demand().everything);
}

#[test]
fn who_finds_nothing_because_of_a_capital_is_told() {
    let words = "A word with a capital letter is case-sensitive.";
    for (query, is_told) in [("BILLING", true), ("url:Nowhere", true), ("nowhere", false), ("host:NOWHERE", false)] {
        let mut stage = forty();
        stage.keys("/").paste(query);
        let frame = stage.frame();
        assert!(frame.contains("No webhooks match") && frame.contains(words) == is_told, "{query}: {frame}");
    }
}

#[test]
fn no_match_is_never_said_while_pages_are_missing() {
    let mut stage = Stage::with(with(setup(100, 30), |setup| setup.settings.auto_load_limit = 100));
    stage.load(page(1, 0..100, Some(30_000))).keys("/").paste("nowhere").keys("enter");
    let frame = stage.frame();
    assert!(frame.contains("No match so far"), "{frame}");
    let mut stage = forty();
    stage.keys("/").paste("nowhere").keys("enter");
    let frame = stage.frame();
    assert!(!frame.contains("so far") && frame.contains("0 of 40"), "{frame}");
}

#[test]
fn esc_cancels_the_loading_and_keeps_what_came() {
    let mut stage = Stage::new(100, 30);
    stage.load(page(1, 0..100, Some(900))).keys("/").paste("billing").keys("enter");
    stage.load(page(2, 100..200, Some(900)));
    stage.keys("esc");
    assert!(!stage.app.session.demand().everything);
    assert_eq!(
        (stage.app.session.list.len(), stage.app.session.filter.applied()),
        (50, "billing"),
        "the filter goes with the next esc"
    );
    stage.keys("esc");
    assert_eq!((stage.app.session.filter.applied(), stage.app.session.list.lines.loaded()), ("", 200));
}

#[test]
fn a_refresh_that_moves_rows_keeps_the_selected_webhook_of_a_filtered_list() {
    let mut stage = Stage::new(100, 30);
    stage.load(page(1, 0..100, Some(200))).load(page(2, 100..200, Some(200)));
    stage.keys("/").paste("billing").keys("enter G");
    assert_eq!(stage.selected().as_deref(), Some("whk_000000000197"));
    stage.keys("r");
    // One more stands at the top, so that every row has another number.
    let shifted = |number, rows: Vec<String>| SentPage { rows, ..page(number, 0..0, Some(201)) };
    let first = std::iter::once(webhook(500)).chain((0..99).map(webhook)).collect();
    stage.load(shifted(1, first)).load(shifted(2, (99..199).map(webhook).collect())).load(shifted(3, vec![webhook(199)]));
    assert_eq!(stage.selected().as_deref(), Some("whk_000000000197"));
}

#[test]
fn a_workspace_that_shrinks_to_nothing_leaves_nothing() {
    let mut stage = forty();
    stage.keys("/").paste("billing").keys("enter r").load(whole(Vec::new()));
    // What went is shown as gone until it was looked at.
    stage.keys("esc .");
    assert_eq!((stage.app.session.list.lines.loaded(), stage.app.session.list.len()), (0, 0));
    assert_eq!(stage.selected(), None);
    stage.frame();
}

#[test]
fn two_refreshes_at_once_are_one() {
    let mut stage = forty();
    stage.keys("r");
    let first = stage.generation();
    stage.keys("r");
    assert_eq!(stage.generation(), first);
    stage.load(whole((0..39).map(webhook).collect()));
    assert_eq!(stage.app.session.list.lines.loaded(), 39);
}

#[test]
fn hostile_queries_are_answered_or_explained() {
    let long = "a".repeat(10_000);
    let cases = [
        long.clone(),
        format!("re:{long}"),
        "re:(a*)*(a*)*(a*)*(a*)*b".to_owned(),
        "re:(x{1000}){1000}".to_owned(),
        "re:[".to_owned(),
        "\"unbalanced".to_owned(),
        "\"\"\"".to_owned(),
        "|".to_owned(),
        "a||b".to_owned(),
        "-".to_owned(),
        "!!a".to_owned(),
        "created:>99999999999999d".to_owned(),
        "event:\u{202e}\u{200b}".to_owned(),
        "~".to_owned() + &"é".repeat(3_000),
        "\u{1b}[31m\u{7}\0".to_owned(),
    ];
    for text in cases {
        let mut stage = forty();
        stage.keys("/").paste(&text);
        let frame = stage.frame();
        assert!(!frame.contains(['\u{1b}', '\u{7}', '\0', '\u{202e}', '\u{200b}']), "{frame}");
        let is_explained = stage.app.session.filter.error().is_some();
        assert!(is_explained || stage.app.session.list.len() <= 40, "{text}");
        assert!(!is_explained || frame.contains('^') || frame.contains('…'), "{text}: {frame}");
        stage.keys("enter esc esc");
        assert_eq!(stage.app.session.list.len(), 40, "{text}");
    }
}

#[test]
fn hostile_rows_are_filtered_like_others() {
    let many: Vec<_> = (0..10_000).map(|number| format!("\"event.{number}\"")).collect();
    let rows = vec![
        format!(r#"{{"id":"many","url":"https://x.com/","events":[{}]}}"#, many.join(",")),
        format!(r#"{{"id":"long","url":"https://x.com/{}"}}"#, "q".repeat(1 << 20)),
        "7".to_owned(),
    ];
    let mut stage = Stage::new(100, 30);
    stage.load(whole(rows));
    for (query, found) in [("event.9999", "many"), ("qqqqqqqq", "long"), ("re:q{100}", "long"), ("~event9999", "many")] {
        stage.keys("/").paste(query).keys("enter");
        assert_eq!(ids(&stage), [found], "{query}");
        stage.frame();
        stage.keys("esc");
    }
}

#[test]
fn earlier_filters_come_back_and_are_remembered_once() {
    let mut stage = forty();
    stage.keys("/").paste("billing").keys("enter");
    assert!(stage.effects.contains(&Effect::Remember(vec!["billing".to_owned()])));
    stage.keys("esc /").paste("globex").keys("enter");
    assert!(stage.effects.contains(&Effect::Remember(vec!["billing".to_owned(), "globex".to_owned()])));
    stage.keys("esc /").paste("n8");
    stage.keys("up up");
    assert_eq!(stage.app.session.filter.applied(), "billing");
    stage.keys("down down");
    assert_eq!(stage.app.session.filter.applied(), "n8", "what was typed is still there");
}

#[test]
fn matches_are_highlighted_in_the_list() {
    use hookscope::tui::terminal::canvas::Canvas;
    use hookscope::tui::view;
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;
    let mut stage = forty();
    stage.keys("/").paste("billing").keys("enter");
    let mut buffer = Buffer::empty(Rect::new(0, 0, 100, 30));
    view::draw(&stage.app, &mut Canvas::new(&mut buffer, stage.app.settings.glyphs));
    let frame = stage.frame();
    let (y, line) = frame.lines().enumerate().skip(2).find(|(_, line)| line.contains("billing.acme")).unwrap();
    let x = line.chars().take_while(|c| *c != 'b').count();
    let style = |x: usize| buffer[(u16::try_from(x).unwrap(), u16::try_from(y).unwrap())].style();
    assert_ne!(style(x), style(x + "billing.".len()), "{frame}");
    assert_eq!(style(x), style(x + "billin".len()));
}

#[test]
fn sorting_goes_through_the_keys_and_keeps_the_selection_on_its_webhook() {
    let mut stage = forty();
    stage.keys("j j j j j");
    let selected = stage.selected();
    let mut seen = Vec::new();
    for _ in 0..6 {
        stage.keys("s");
        assert_eq!(stage.selected(), selected);
        let frame = stage.frame();
        assert!(frame.contains('▲'), "{frame}");
        let sorted = ids(&stage);
        assert_eq!(sorted.len(), 40);
        stage.keys("S");
        assert!(stage.frame().contains('▼'), "{}", stage.frame());
        assert_eq!(stage.selected(), selected);
        assert_ne!(ids(&stage), sorted);
        stage.keys("S");
        assert_eq!(ids(&stage), sorted, "twice round is as before");
        seen.push(sorted);
    }
    stage.keys("s");
    assert!(!stage.frame().contains('▲'));
    assert_eq!(ids(&stage), (0..40).map(|number| format!("whk_{number:012}")).collect::<Vec<_>>());
    seen.dedup();
    assert!(seen.len() >= 5, "the keys sort differently");
}

#[test]
fn a_sort_is_stable() {
    let mut stage = forty();
    // By created, url, host, events, status: rows with the same status keep the order of the list.
    stage.keys("s s s s s");
    let status = |stage: &Stage| stage.frame().lines().take(3).collect::<String>().contains("status");
    assert!(status(&stage) || stage.frame().contains("sorted by status"), "{}", stage.frame());
    let active: Vec<_> = (0..40).map(|place| stage.app.session.list.row(place).unwrap().active()).collect();
    assert!(active.windows(2).filter(|pair| pair[0] != pair[1]).count() == 1, "{active:?}");
    let sorted = ids(&stage);
    let change = active.windows(2).position(|pair| pair[0] != pair[1]).unwrap() + 1;
    assert!(sorted[..change].is_sorted() && sorted[change..].is_sorted(), "{sorted:?}");
}

/// What the finder is asked because of a message.
fn asked(stage: &mut Stage, message: Message) -> Option<RowsRequest> {
    let effects = stage.app.update(message, stage.now);
    effects.into_iter().find_map(|effect| if let Effect::FilterSort(wish) = effect { Some(wish) } else { None })
}

#[test]
fn an_answer_to_an_older_question_is_not_shown() {
    let mut stage = forty();
    let effects = stage.app.update(Message::Paste("/".into()), stage.now);
    assert!(effects.is_empty() || stage.app.session.filter.applied().is_empty());
    stage.keys("/");
    let ask = |stage: &mut Stage, text: &str| asked(stage, Message::Paste(text.into())).unwrap();
    let older = ask(&mut stage, "bill");
    let newer = ask(&mut stage, "ing");
    let answer = |wish: &RowsRequest| wish.run(&|| true, &mut |_| {}).unwrap();
    let (first, second) = (answer(&older), answer(&newer));
    stage.app.update(Message::Rows(second), stage.now);
    let shown = ids(&stage);
    let effects = stage.app.update(Message::Rows(first), stage.now);
    assert!(effects.is_empty());
    assert_eq!(ids(&stage), shown);
}

#[test]
fn a_failed_page_is_not_a_whole_answer() {
    let mut stage = Stage::new(100, 30);
    stage.load(page(1, 0..100, Some(200))).keys("/").paste("nowhere").keys("enter");
    stage.fail(2, ErrorKind::Status(500), "boom");
    let frame = stage.frame();
    assert!(frame.contains("0 of 100 loaded (of 200)") && frame.contains("500"), "{frame}");
}

#[test]
fn the_first_of_an_answer_never_moves_the_selection() {
    let mut stage = Stage::new(100, 30);
    for number in 1..=10 {
        stage.load(page(number, (number - 1) * 100..number * 100, Some(1000)));
    }
    stage.keys("*");
    stage.keys("/").paste("is:marked").keys("enter");
    for _ in 0..60 {
        stage.keys("pgdn");
    }
    let selected = stage.selected();
    assert_eq!(selected.as_deref(), Some("whk_000000000999"));
    // To take a mark asks for all of them anew, and the first 256 are told before the others.
    let wish = asked(&mut stage, Message::Key(press("space")));
    let mut first = None;
    let whole = wish.unwrap().run(&|| true, &mut |part| first = Some(part)).unwrap();
    assert!(stage.app.update(Message::Rows(first.unwrap()), stage.now).is_empty());
    assert_eq!(stage.app.session.list.len(), 1000, "a part is not worth showing without the selected one");
    stage.app.update(Message::Rows(whole), stage.now);
    assert_eq!((stage.app.session.list.lines.len(), stage.selected().as_deref()), (999, Some("whk_000000000999")));
    stage.keys("k");
    assert_eq!((stage.app.session.list.len(), stage.selected().as_deref()), (999, Some("whk_000000000998")));
}

#[test]
fn an_age_is_one_of_the_last_read() {
    let young = || whole(vec![r#"{"id":"a","url":"https://x.com/","created_at":"2026-06-15T11:30:00.000Z"}"#.to_owned()]);
    let mut stage = Stage::new(100, 30);
    stage.load(young()).keys("/").paste("created:<1h").keys("enter");
    assert_eq!(stage.app.session.list.len(), 1);
    stage.wait(86_400).keys("r").load(young());
    assert_eq!(stage.app.session.list.lines.len(), 0, "{}", stage.frame());
}

#[test]
fn a_webhook_that_the_filter_leaves_out_does_not_stay_while_pages_arrive() {
    let mut stage = Stage::new(100, 30);
    stage.load(page(1, 0..100, Some(250))).keys("/").paste("id:177").keys("enter");
    stage.load(page(3, 200..250, Some(250)));
    assert_eq!(ids(&stage), [""; 0]);
    stage.load(page(2, 100..200, Some(250)));
    assert_eq!(ids(&stage).len(), 1, "{}", stage.frame());
    let selected = ids(&stage);
    assert_eq!(ids(stage.keys("g")), selected);
    assert!(ids(stage.keys("esc")).len() > 200);
}
