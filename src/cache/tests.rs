use std::collections::BTreeMap;
use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;

use super::*;
use crate::analysis::diff::Diff;
use crate::analysis::field_changes::IgnoredFields;
use crate::base::base_url::{self, BaseUrl};
use crate::base::redact::ApiKey;
use crate::config::Config;
use crate::model::RowsById;
use crate::model::testing::rows_of;

const A: &str = r#"{"id":"a","url":"https://a/"}"#;
const B: &str = r#"{"id":"b","url":"https://b/"}"#;
const B2: &str = r#"{"id":"b","url":"https://b/2"}"#;

fn at(text: &str) -> Timestamp {
    format!("2026-06-{text}Z").parse().unwrap()
}

fn jsons<'r>(rows: impl Iterator<Item = RowRef<'r>>) -> Vec<String> {
    rows.map(|row| row.json().into_owned()).collect()
}

impl Store {
    /// Saves a listing at the time of its read, with all missing webhooks confirmed as removed.
    fn keep_at(&self, listing: &Rows, read_at: Timestamp) -> io::Result<Kept> {
        let mut removed = BTreeSet::new();
        loop {
            match self.keep(listing, read_at, read_at, &removed)? {
                Kept::Unconfirmed(unconfirmed) => removed.extend(unconfirmed.ids),
                kept => return Ok(kept),
            }
        }
    }

    fn keep_unconfirmed(&self, listing: &Rows, read_at: &str, now: &str) -> Kept {
        self.keep(listing, at(read_at), at(now), &BTreeSet::new()).unwrap()
    }
}

struct Place {
    home: tempfile::TempDir,
    store: Store,
}

impl Place {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let store = Store::new(home.path().join("cache"), &home.path().join("state/history"), "w".to_owned());
        Self { home, store }
    }

    fn cache(&self) -> PathBuf {
        self.store.path("cache")
    }

    fn texts(&self) -> Option<(Vec<String>, Timestamp)> {
        let CachedListing { rows, read_at } = self.store.read(&Interner::default(), at("30T00:00:00")).unwrap()?;
        Some((jsons(rows.iter().map(|(_, row)| row)), read_at))
    }

    /// Webhooks, time, and the numbers of webhooks added, removed and changed.
    fn history(&self) -> Vec<Past> {
        let counts = |counts: Counts| (counts.added, counts.removed, counts.changed);
        let one = |snapshot: Snapshot| (snapshot.webhooks, snapshot.at.to_string(), snapshot.counts.map(counts));
        self.store.history().into_iter().map(one).collect()
    }
}

type Past = (u64, String, Option<(u64, u64, u64)>);

#[test]
fn what_is_kept_is_read_again_in_its_order_with_its_time() {
    let place = Place::new();
    assert_eq!(place.texts(), None);
    assert_eq!(place.store.keep_at(&rows_of(&[B, A, "null"]), at("01T12:00:00")).unwrap(), Kept::Written { new: true });
    assert_eq!(place.texts(), Some((vec![B.to_owned(), A.to_owned(), "null".to_owned()], at("01T12:00:00"))));
    let rows = place.store.read_in_pages(&Interner::default(), 2, at("30T00:00:00")).unwrap().unwrap().rows;
    assert_eq!((rows.count(), rows.pages(), rows.page_size()), (3, 2, 2));
    assert_eq!(jsons(rows.iter().map(|(_, row)| row)), [B, A, "null"]);
}

fn connection(base_url: &str, key: &str) -> Connection {
    Config::demo_connection(BaseUrl::parse(base_url).unwrap(), ApiKey::new(key).unwrap())
}

#[test]
fn what_an_earlier_version_stored_is_adopted_once_where_it_is_certain_whose_it_is() {
    let home = tempfile::tempdir().unwrap();
    let (cache, history) = (home.path().join("cache"), home.path().join("state/history"));
    let vendors = connection(base_url::DEFAULT, "id:secret_0123");
    let old = Store::new(cache.clone(), &history, vendors.old_fingerprint());
    old.keep_at(&rows_of(&[A, B]), at("01T12:00:00")).unwrap();
    let store = || Store::below(cache.clone(), &history, &vendors);
    assert_eq!(store().unused_history(), None);
    assert_eq!((store().history().len(), store().read_at()), (1, Some(at("01T12:00:00"))));
    assert!(old.history().is_empty() && old.read_at().is_none());
    // From now on this is the store, whatever an earlier version writes.
    old.keep_at(&rows_of(&[B2]), at("02T12:00:00")).unwrap();
    assert_eq!((store().history()[0].webhooks, old.history().len()), (2, 1));
    // The next read adds to the adopted history.
    store().keep_at(&rows_of(&[A]), at("03T12:00:00")).unwrap();
    assert_eq!(store().history().last().unwrap().counts, Some(Counts { added: 0, removed: 1, changed: 0 }));
}

#[test]
fn an_adoption_waits_for_the_lock_and_is_finished_after_an_interruption() {
    let home = tempfile::tempdir().unwrap();
    let (cache, history) = (home.path().join("cache"), home.path().join("state/history"));
    let vendors = connection(base_url::DEFAULT, "id:secret_0123");
    let old = Store::new(cache.clone(), &history, vendors.old_fingerprint());
    let new = Store::new(cache.clone(), &history, vendors.fingerprint());
    old.keep_at(&rows_of(&[A, B]), at("01T12:00:00")).unwrap();
    let open = || Store::below(cache.clone(), &history, &vendors);
    let lock = Lock::take(&new.path("lock")).unwrap().unwrap();
    assert_eq!((open().history().len(), old.history().len()), (0, 1), "another program writes");
    drop(lock);
    fs::rename(old.path("cache"), new.path("cache")).unwrap();
    assert_eq!((open().history().len(), open().read_at()), (1, Some(at("01T12:00:00"))));
    assert!(old.history().is_empty());
}

#[test]
fn a_store_to_read_leaves_everything_where_it_is() {
    let home = tempfile::tempdir().unwrap();
    let (cache, history) = (home.path().join("cache"), home.path().join("state/history"));
    let vendors = connection(base_url::DEFAULT, "id:secret_0123");
    let to_read = || Store::to_read_below(&cache, &history, &vendors);
    assert_eq!(to_read().read_at(), None);
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
    let old = Store::new(cache.clone(), &history, vendors.old_fingerprint());
    old.keep_at(&rows_of(&[A, B]), at("01T12:00:00")).unwrap();
    assert_eq!(to_read().read_at(), Some(at("01T12:00:00")));
    assert!(old.is_there());
    let store = Store::below(cache.clone(), &history, &vendors);
    store.keep_at(&rows_of(&[A]), at("03T12:00:00")).unwrap();
    assert_eq!(to_read().read_at(), store.read_at());
}

#[test]
fn what_may_be_of_another_workspace_is_not_adopted() {
    for (base_url, key) in [
        (base_url::DEFAULT, "onlysecretA"),
        ("https://api.dialnexa.com/tenant", "id:secret_0123"),
        ("https://gateway.example.com/v1", "id:secret_0123"),
    ] {
        let home = tempfile::tempdir().unwrap();
        let (cache, history) = (home.path().join("cache"), home.path().join("state/history"));
        let connection = connection(base_url, key);
        let store = || Store::below(cache.clone(), &history, &connection);
        assert_eq!(store().unused_history(), None);
        let old = Store::new(cache.clone(), &history, connection.old_fingerprint());
        old.keep_at(&rows_of(&[A, B]), at("01T12:00:00")).unwrap();
        assert_eq!((store().history(), store().read_at()), (vec![], None), "{base_url}");
        assert_eq!(store().unused_history(), Some(&*history.join(connection.old_fingerprint())));
    }
}

#[test]
fn what_did_not_change_is_not_written_again() {
    let place = Place::new();
    place.store.keep_at(&rows_of(&[A, B]), at("01T12:00:00")).unwrap();
    let inode = || place.cache().metadata().unwrap().ino();
    let before = inode();
    assert_eq!(place.store.keep_at(&rows_of(&[A, B]), at("02T12:00:00")).unwrap(), Kept::Unchanged);
    assert_eq!((inode(), place.texts().unwrap().1), (before, at("02T12:00:00")));
    // A different order is a different listing, but not a change of the workspace.
    assert_eq!(place.store.keep_at(&rows_of(&[B, A]), at("03T12:00:00")).unwrap(), Kept::Written { new: false });
    assert_eq!(place.history().len(), 1);
}

#[test]
fn the_history_tells_what_changed_and_keeps_its_order_when_the_clock_is_set_back() {
    let place = Place::new();
    for (rows, time) in
        [(&[A] as &[_], "03T12:00:00"), (&[A, B], "02T12:00:00"), (&[A, B2], "04T12:00:00"), (&[], "04T12:00:00")]
    {
        place.store.keep_at(&rows_of(rows), at(time)).unwrap();
    }
    let expected = [
        (1, "2026-06-03T12:00:00Z", None),
        (2, "2026-06-02T12:00:00Z", Some((1, 0, 0))),
        (2, "2026-06-04T12:00:00Z", Some((0, 0, 1))),
        (0, "2026-06-04T12:00:00Z", Some((0, 2, 0))),
    ];
    assert_eq!(place.history(), expected.map(|(webhooks, time, counts)| (webhooks, time.to_owned(), counts)));
    let second = place.store.history()[1].read(&Interner::default(), STORED_PAGE).unwrap();
    assert_eq!(jsons(RowsById::new(&second).iter()), [A, B]);
}

#[test]
fn a_workspace_that_comes_back_to_what_it_was_is_a_change_too() {
    let place = Place::new();
    for (day, rows) in [("01", &[A] as &[_]), ("02", &[A, B]), ("03", &[A])] {
        place.store.keep_at(&rows_of(rows), at(&format!("{day}T00:00:00"))).unwrap();
    }
    assert_eq!(place.history().len(), 3);
}

#[test]
fn files_are_their_owners_alone_and_so_are_directories_that_were_not() {
    let place = Place::new();
    fs::create_dir_all(place.home.path().join("cache")).unwrap();
    fs::set_permissions(place.home.path().join("cache"), Permissions::from_mode(0o755)).unwrap();
    place.store.keep_at(&rows_of(&[A]), at("01T00:00:00")).unwrap();
    let mut found = 0;
    for directory in ["cache", "state", "state/history", "state/history/w"] {
        let directory = place.home.path().join(directory);
        assert_eq!(directory.metadata().unwrap().mode() & 0o777, 0o700, "{}", directory.display());
        for file in entries(&directory).unwrap().filter(|path| path.is_file()) {
            assert_eq!(file.metadata().unwrap().mode() & 0o777, 0o600, "{}", file.display());
            found += 1;
        }
    }
    assert_eq!(found, 3);
}

#[test]
fn a_damaged_or_newer_cache_is_ignored_and_replaced() {
    let place = Place::new();
    place.store.keep_at(&rows_of(&[A, B]), at("01T00:00:00")).unwrap();
    let good = fs::read_to_string(place.cache()).unwrap();
    let newer = good.replacen("\"hookscope_cache\":1", "\"hookscope_cache\":2", 1);
    let longer_header = format!("{}\n{good}", "x".repeat(1 << 20));
    for (text, why) in [
        (good.get(..good.len() - 5).unwrap(), Unusable::Damaged),
        (&good.replace("https://a/", "https://c/"), Unusable::Damaged),
        (good.lines().next().unwrap(), Unusable::Damaged),
        (&good.replace(B, ""), Unusable::Damaged),
        ("", Unusable::Damaged),
        ("\u{0}\u{0}\u{0}", Unusable::Damaged),
        (&longer_header, Unusable::Damaged),
        (&newer, Unusable::Newer),
    ] {
        fs::write(place.cache(), text).unwrap();
        assert_eq!(place.store.read(&Interner::default(), at("02T00:00:00")).err(), Some(why), "{text}");
        assert_eq!(place.store.keep_at(&rows_of(&[A, B]), at("02T00:00:00")).unwrap(), Kept::Written { new: false });
        assert_eq!(place.texts().unwrap().0, [A, B]);
    }
}

#[test]
fn planted_links_are_neither_followed_nor_lost_to() {
    let place = Place::new();
    fs::create_dir_all(place.home.path().join("cache")).unwrap();
    let victim = place.home.path().join("victim");
    fs::write(&victim, "precious").unwrap();
    symlink(&victim, place.cache()).unwrap();
    assert!(matches!(place.store.read(&Interner::default(), at("02T00:00:00")), Err(Unusable::Unreadable(_))));
    place.store.keep_at(&rows_of(&[A]), at("01T00:00:00")).unwrap();
    assert_eq!(
        (place.texts().unwrap().0, fs::read_to_string(&victim).unwrap()),
        (vec![A.to_owned()], "precious".to_owned())
    );
    fs::remove_file(place.store.path("lock")).unwrap();
    symlink(&victim, place.store.path("lock")).unwrap();
    assert!(place.store.keep_at(&rows_of(&[B]), at("02T00:00:00")).is_err());
    assert_eq!(
        (place.texts().unwrap().0, fs::read_to_string(&victim).unwrap()),
        (vec![A.to_owned()], "precious".to_owned())
    );
    // A snapshot that is a symlink is ignored.
    symlink(&victim, place.home.path().join("state/history/w/00000009_20260601T000000Z_1.json")).unwrap();
    assert_eq!(place.history().len(), 1);
}

#[test]
fn a_program_that_is_writing_is_not_waited_for() {
    let place = Place::new();
    place.store.keep_at(&rows_of(&[A]), at("01T00:00:00")).unwrap();
    let held = Lock::take(&place.store.path("lock")).unwrap().unwrap();
    assert_eq!(place.store.keep_unconfirmed(&rows_of(&[B]), "02T00:00:00", "02T00:00:00"), Kept::Busy);
    assert_eq!(place.texts().unwrap().0, [A]);
    // A child process that is being started has a copy of the file until it runs.
    let copy = held.0.try_clone().unwrap();
    drop(held);
    assert_eq!(place.store.keep_at(&rows_of(&[B]), at("02T00:00:00")).unwrap(), Kept::Written { new: true });
    drop(copy);
}

#[test]
fn a_time_that_has_not_come_yet_is_no_time_of_reading() {
    let place = Place::new();
    place.store.keep_at(&rows_of(&[A]), at("01T00:00:00")).unwrap();
    touch(&place.cache(), at("20T00:00:00")).unwrap();
    let read_at = |now| place.store.read(&Interner::default(), at(now)).unwrap().unwrap().read_at;
    assert_eq!((read_at("10T00:00:00"), read_at("21T00:00:00")), (at("01T00:00:00"), at("20T00:00:00")));
}

#[test]
fn the_history_is_bounded_but_a_wrong_clock_does_not_empty_it() {
    let place = Place::new();
    let directory = place.home.path().join("state/history/w");
    fs::create_dir_all(&directory).unwrap();
    for sequence in 1..=210 {
        let rows = rows_of(&[A]);
        let old = "2020-01-01T00:00:00Z".parse().unwrap();
        let time = if sequence <= 5 { old } else { at("01T00:00:00") };
        history::write(&directory, sequence, time, None, &rows).unwrap();
    }
    history::prune(&directory, at("02T00:00:00"));
    assert_eq!(place.history().len(), 200);
    history::prune(&directory, "2099-01-01T00:00:00Z".parse().unwrap());
    assert_eq!((place.history().len(), place.store.history()[0].sequence), (20, 191));
}

#[test]
fn old_caches_of_other_workspaces_go() {
    let place = Place::new();
    let directory = place.home.path().join("cache");
    fs::create_dir_all(&directory).unwrap();
    for number in 0..60 {
        let path = directory.join(format!("other{number}.cache"));
        fs::write(&path, "x").unwrap();
        let day = if number == 59 { "2020-01-01T00:00:00Z".parse().unwrap() } else { at("01T00:00:00") };
        touch(&path, day).unwrap();
    }
    fs::write(directory.join("other.txt"), "not ours").unwrap();
    place.store.keep_at(&rows_of(&[A]), at("02T00:00:00")).unwrap();
    let names: Vec<_> = entries(&directory).unwrap().collect();
    let caches = names.iter().filter(|path| path.extension().is_some_and(|extension| extension == "cache")).count();
    assert_eq!(caches, MOST_FILES + 1);
    assert!(!directory.join("other59.cache").exists() && directory.join("other.txt").exists() && place.cache().exists());
}

#[test]
fn a_place_that_cannot_be_written_is_an_error_and_the_old_cache_stays() {
    let place = Place::new();
    place.store.keep_at(&rows_of(&[A]), at("01T00:00:00")).unwrap();
    fs::write(place.home.path().join("state/history/file"), "").unwrap();
    let blocked = Store::new(place.home.path().join("cache"), &place.home.path().join("state/history/file"), "w".to_owned());
    assert!(blocked.keep_at(&rows_of(&[B]), at("02T00:00:00")).is_err());
    assert_eq!(place.texts().unwrap().0, [A]);
}

/// Webhooks with these ids, each in one of a few forms; some forms are different spellings of the same webhook.
fn listing(ids: &BTreeMap<u8, u8>, malformed: usize) -> Rows {
    let forms = [
        r#""url":"https://a.com","events":["e","f"],"is_active":true"#,
        r#""url":"https://a.com","events":["f","e"],"is_active":true"#,
        r#""url":"https://b.com","events":["e"],"is_active":true"#,
    ];
    let json = |(id, form): (&u8, &u8)| format!(r#"{{"id":"{id}",{}}}"#, forms[usize::from(form % 3)]);
    let mut rows: Vec<String> = ids.iter().rev().map(json).collect();
    rows.extend((0..malformed).map(|number| number.to_string()));
    rows_of(&rows)
}

proptest! {
    #[test]
    fn what_differs_from_the_last_snapshot_is_what_a_diff_says(
        before in btree_map(0_u8..30, 0_u8..3, 0..12), after in btree_map(0_u8..30, 0_u8..3, 0..12), malformed in 0_usize..3
    ) {
        let place = Place::new();
        let (before, after) = (listing(&before, 1), listing(&after, malformed));
        place.store.keep_at(&before, at("01T00:00:00")).unwrap();
        let kept = place.store.keep_at(&after, at("02T00:00:00")).unwrap();
        let diff = Diff::of(&before, &after, &IgnoredFields::default());
        let differs = !diff.is_empty() || malformed != 1;
        prop_assert_eq!(place.store.history().len(), 1 + usize::from(differs));
        if differs {
            let count = |count: usize| count as u64;
            let (added, removed) = (count(diff.added.len()), count(diff.removed.len()));
            let expected = Counts { added, removed, changed: count(diff.changed.len()) };
            prop_assert_eq!(place.store.history()[1].counts, Some(expected));
            prop_assert_eq!(kept, Kept::Written { new: true });
        }
    }
}

#[test]
fn a_snapshot_that_is_not_as_it_was_written_is_compared_with_nothing() {
    for text in
        ["", "[", "[\n", "[]", "nonsense\n", &format!("[\n{B},\n{A}\n]\n"), &format!("[\nnull,\n{A}\n]\n"), "[\n{\n]\n"]
    {
        let place = Place::new();
        place.store.keep_at(&rows_of(&[A]), at("01T00:00:00")).unwrap();
        fs::write(&place.store.history()[0].path, text).unwrap();
        assert_eq!(
            place.store.keep_at(&rows_of(&[A, B]), at("02T00:00:00")).unwrap(),
            Kept::Written { new: true },
            "{text}"
        );
        assert_eq!(place.store.history()[1].counts, None, "{text}");
    }
}

#[test]
fn what_was_read_later_stays_and_so_does_the_history() {
    let place = Place::new();
    place.store.keep_at(&rows_of(&[A, B]), at("02T12:00:00")).unwrap();
    assert_eq!(place.store.keep_unconfirmed(&rows_of(&[A]), "02T11:59:59", "02T12:00:01"), Kept::Outdated);
    assert_eq!(place.texts(), Some((vec![A.to_owned(), B.to_owned()], at("02T12:00:00"))));
    assert_eq!(place.history().len(), 1);
    // The same listing was read again, so only its time changed.
    place.store.keep_at(&rows_of(&[A, B]), at("03T12:00:00")).unwrap();
    assert_eq!(place.store.keep_unconfirmed(&rows_of(&[A]), "03T11:00:00", "03T12:00:01"), Kept::Outdated);
    assert_eq!(place.store.keep_at(&rows_of(&[A]), at("03T12:00:01")).unwrap(), Kept::Written { new: true });
    // A damaged cache counts as none.
    fs::write(place.cache(), fs::read_to_string(place.cache()).unwrap() + "noise\n").unwrap();
    let kept = place.store.keep_unconfirmed(&rows_of(&[A, B]), "03T11:00:00", "03T12:00:03");
    assert_eq!(kept, Kept::Written { new: true });
}

#[test]
fn what_a_listing_lacks_must_be_confirmed_as_removed() {
    let lacking =
        |ids: &[&str], count| Kept::Unconfirmed(Unconfirmed { ids: ids.iter().map(|&id| id.to_owned()).collect(), count });
    for without_cache in [false, true] {
        let place = Place::new();
        place.store.keep_at(&rows_of(&[A, B]), at("01T00:00:00")).unwrap();
        if without_cache {
            fs::remove_file(place.cache()).unwrap();
        }
        // An empty listing, an incomplete one, and one with malformed rows.
        for (rows, ids) in
            [(&[] as &[&str], &["a", "b"] as &[&str]), (&[B], &["a"]), (&[B, "null", r#"{"id":"a"}"#], &["a"])]
        {
            let kept = place.store.keep_unconfirmed(&rows_of(rows), "02T00:00:00", "02T00:00:00");
            assert_eq!(kept, lacking(ids, ids.len()), "{rows:?}");
            assert_eq!((place.history().len(), place.cache().exists()), (1, !without_cache));
        }
        let removed = BTreeSet::from(["a".to_owned()]);
        let kept = place.store.keep(&rows_of(&[B]), at("02T00:00:00"), at("02T00:00:00"), &removed).unwrap();
        assert_eq!((kept, place.texts().unwrap().0), (Kept::Written { new: true }, vec![B.to_owned()]));
        // An added webhook needs no confirmation.
        let kept = place.store.keep_unconfirmed(&rows_of(&[A, B]), "03T00:00:00", "03T00:00:00");
        assert_eq!(kept, Kept::Written { new: true });
    }
}

#[test]
fn removals_are_remembered_until_all_are_confirmed() {
    let place = Place::new();
    let many: Vec<String> = (0..250).map(|number| format!(r#"{{"id":"{number:03}","url":"u"}}"#)).collect();
    place.store.keep_at(&rows_of(&many), at("01T00:00:00")).unwrap();
    let mut removed = BTreeSet::new();
    for count in [250, 150, 50] {
        let kept = place.store.keep(&rows_of::<&str>(&[]), at("02T00:00:00"), at("02T00:00:00"), &removed).unwrap();
        let Kept::Unconfirmed(unconfirmed) = kept else { panic!("{kept:?}") };
        assert_eq!((unconfirmed.count, unconfirmed.ids.len(), place.texts().unwrap().0.len()), (count, count.min(100), 250));
        // A new process each time.
        removed = unconfirmed.ids.into_iter().collect();
    }
    let kept = place.store.keep(&rows_of::<&str>(&[]), at("02T00:00:00"), at("02T00:00:00"), &removed).unwrap();
    assert_eq!((kept, place.history()[1].2), (Kept::Written { new: true }, Some((0, 250, 0))));
    assert!(!place.store.path("removed").exists());
}

#[test]
fn what_is_listed_again_is_not_taken_for_removed() {
    let removed = BTreeSet::from(["a".to_owned()]);
    let lacking_b = |place: &Place| {
        place.store.keep_at(&rows_of(&[A, B]), at("01T00:00:00")).unwrap();
        let kept = place.store.keep(&rows_of::<&str>(&[]), at("02T00:00:00"), at("02T00:00:00"), &removed).unwrap();
        assert_eq!(kept, Kept::Unconfirmed(Unconfirmed { ids: vec!["b".to_owned()], count: 1 }));
        assert!(place.store.known_removed().contains("a"));
    };
    // The same listing as before, read by another process and by this one.
    let place = Place::new();
    lacking_b(&place);
    assert_eq!(place.store.keep_unconfirmed(&rows_of(&[A, B]), "03T00:00:00", "03T00:00:00"), Kept::Unchanged);
    let kept = place.store.keep_unconfirmed(&rows_of(&[B]), "04T00:00:00", "04T00:00:00");
    assert_eq!(kept, Kept::Unconfirmed(Unconfirmed { ids: vec!["a".to_owned()], count: 1 }));
    let place = Place::new();
    lacking_b(&place);
    assert!(place.store.keep_again(at("01T00:00:00"), at("03T00:00:00")).unwrap());
    assert!(place.store.known_removed().is_empty());
    // A listing without another webhook.
    let place = Place::new();
    lacking_b(&place);
    let kept = place.store.keep_unconfirmed(&rows_of(&[A]), "03T00:00:00", "03T00:00:00");
    assert_eq!(kept, Kept::Unconfirmed(Unconfirmed { ids: vec!["b".to_owned()], count: 1 }));
    assert!(place.store.known_removed().is_empty());
}

#[test]
fn what_an_earlier_version_left_behind_is_removed_after_a_day() {
    let place = Place::new();
    place.store.keep_at(&rows_of(&[A]), at("01T00:00:00")).unwrap();
    let directories = [place.store.cache.clone(), place.store.history.clone()];
    for directory in &directories {
        for (name, day) in
            [(".hookscope-abc123", "01T00:00:00"), (".hookscope-abc124", "02T12:00:00"), (".hookscope-x", "01T00:00:00")]
        {
            fs::write(directory.join(name), "half").unwrap();
            touch(&directory.join(name), at(day)).unwrap();
        }
    }
    place.store.keep_at(&rows_of(&[A, B]), at("03T00:00:00")).unwrap();
    for directory in &directories {
        let is_there = |name| directory.join(name).exists();
        let names = [".hookscope-abc123", ".hookscope-abc124", ".hookscope-x"];
        assert_eq!(names.map(is_there), [false, true, true], "{directory:?}");
    }
    assert!(is_ours(".hookscope-abc124") && !is_ours(".hookscope-x"));
}

#[test]
fn a_clock_that_was_wrong_does_not_move_when_webhooks_became_inactive() {
    let place = Place::new();
    fs::create_dir_all(&place.store.history).unwrap();
    let write = |name: &str, active: bool| {
        let row = format!(r#"{{"id":"a","url":"u","is_active":{active}}}"#);
        fs::write(place.store.history.join(name), format!("[\n{row}\n]\n")).unwrap();
    };
    write("00000001_20260601T000000Z_1.json", true);
    write("00000002_20260610T000000Z_1_0_0_1.json", true);
    write("00000003_19900101T000000Z_1_0_0_1.json", false);
    let found = place.store.last_active(["a"].into(), at("15T00:00:00"));
    let day = at("10T00:00:00");
    assert_eq!(found.get("a"), Some(&LastActive { seen: day, inactive_by: Some(day) }));
}

#[test]
fn a_snapshot_that_is_not_as_it_was_written_is_damaged() {
    let place = Place::new();
    place.store.keep_at(&rows_of(&[A, B]), at("01T00:00:00")).unwrap();
    place.store.keep_at(&rows_of::<&str>(&[]), at("02T00:00:00")).unwrap();
    let [first, second] = <[Snapshot; 2]>::try_from(place.store.history()).unwrap();
    assert_eq!((first.is_damaged(), second.is_damaged()), (false, false));
    let whole = fs::read_to_string(&first.path).unwrap();
    let (flipped, swapped) = (whole.replacen(':', ";", 3), format!("[\n{B},\n{A}\n]\n"));
    let (shorter, longer) = (format!("[\n{B}\n]\n"), format!("{whole}["));
    for damaged in [
        "",
        "[",
        "[\n]\n",
        whole.trim_end(),
        whole.trim_end_matches("]\n"),
        whole.trim_start_matches('['),
        &flipped,
        &swapped,
        &shorter,
        &longer,
    ] {
        fs::write(&first.path, damaged).unwrap();
        assert!(first.is_damaged() && first.read(&Interner::default(), STORED_PAGE).is_err(), "{damaged:?}");
    }
    fs::remove_file(&first.path).unwrap();
    assert!(first.is_damaged());
}

/// Snapshots taken on these days, in the order of their sequence.
fn snapshots(days: &[&str]) -> Vec<Snapshot> {
    let one = |(sequence, day): (u64, &&str)| {
        let at = format!("{day}T00:00:00Z").parse().unwrap();
        Snapshot { path: PathBuf::new(), sequence, at, webhooks: 0, counts: None }
    };
    (1..).zip(days).map(one).collect()
}

#[test]
fn a_clock_that_was_wrong_moves_no_snapshot_to_another_place() {
    let newest = |days: &[&str], day: &str| {
        let snapshots = snapshots(days);
        let dated = dated(&snapshots, at("15T00:00:00"));
        let wanted = format!("{day}T00:00:00Z").parse().unwrap();
        let newest = dated.iter().rev().find(|dated| dated.at <= wanted);
        newest.map(|newest| (newest.snapshot.sequence, newest.is_own))
    };
    // The last one was written while the clock was behind.
    let past = ["2026-06-01", "2026-06-10", "1990-01-01"];
    assert_eq!(newest(&past, "2026-06-05"), Some((1, true)));
    assert_eq!(newest(&past, "2026-06-12"), Some((3, false)));
    assert_eq!(newest(&past, "2000-01-01"), None);
    let later = ["2026-06-01", "2026-06-10", "1990-01-01", "2026-06-11"];
    assert_eq!(newest(&later, "2026-06-10"), Some((3, false)));
    assert_eq!(newest(&later, "2026-06-11"), Some((4, true)));
    assert_eq!(newest(&["2026-06-10", "1990-01-01"], "2000-01-01"), None);
    // In the future, or in the future at that time.
    let future = ["2026-06-01", "2099-01-01", "2026-06-10"];
    assert_eq!((newest(&future, "2026-06-05"), newest(&future, "2026-06-12")), (Some((2, false)), Some((3, true))));
    let once = ["2025-01-01", "2026-06-10", "2025-07-01", "2025-08-01"];
    assert_eq!((newest(&once, "2025-07-05"), newest(&once, "2026-06-12")), (Some((3, true)), Some((4, true))));
    // A history in order keeps its times, and so does a single snapshot.
    let good = ["2026-06-01", "2026-06-01", "2026-06-10"];
    assert_eq!((newest(&good, "2026-06-01"), newest(&good, "2026-06-10")), (Some((2, true)), Some((3, true))));
    assert_eq!(newest(&["2099-01-01"], "2026-06-10"), None);
    assert!(dated(&[], at("15T00:00:00")).is_empty());
}

#[test]
fn what_others_may_read_is_closed_to_them_at_the_next_touch() {
    let place = Place::new();
    place.store.keep_at(&rows_of(&[A]), at("01T00:00:00")).unwrap();
    let mode = || place.cache().metadata().unwrap().mode() & 0o777;
    let open_up = || fs::set_permissions(place.cache(), Permissions::from_mode(0o644)).unwrap();
    open_up();
    assert_eq!(place.store.keep_at(&rows_of(&[A]), at("02T00:00:00")).unwrap(), Kept::Unchanged);
    assert_eq!(mode(), 0o600);
    open_up();
    assert!(place.store.keep_again(at("02T00:00:00"), at("03T00:00:00")).unwrap());
    assert_eq!(mode(), 0o600);
    open_up();
    place.texts();
    assert_eq!(mode(), 0o600);
}

#[test]
fn the_history_knows_when_webhooks_became_inactive() {
    let place = Place::new();
    let of = |a: bool, b: bool, url: &str| {
        let row = |id: &str, active: bool| format!(r#"{{"id":"{id}","url":"{url}","is_active":{active}}}"#);
        rows_of(&[&row("a", a), &row("b", b), r#"{"id":"c","url":"u","is_active":"true"}"#])
    };
    for (day, listing) in [
        ("01", of(true, true, "u")),
        ("02", of(true, false, "u")),
        ("03", of(true, false, "v")),
        ("04", of(false, false, "v")),
        ("05", of(false, false, "w")),
    ] {
        place.store.keep_at(&listing, at(&format!("{day}T00:00:00"))).unwrap();
    }
    let found = place.store.last_active(["a", "b", "c", "d"].into(), at("15T00:00:00"));
    let active = |seen, by| LastActive { seen: at(seen), inactive_by: Some(at(by)) };
    assert_eq!(found.get("a"), Some(&active("03T00:00:00", "04T00:00:00")));
    assert_eq!(found.get("b"), Some(&active("01T00:00:00", "02T00:00:00")));
    assert_eq!(found.len(), 2);
}

/// One minute of a workspace: the existing webhooks, those that the listing omits, and those that cannot be requested by id.
type Minute = (BTreeSet<u8>, BTreeSet<u8>, BTreeSet<u8>);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_there_is_never_lost_from_what_is_stored(
        minutes in vec((btree_set(0_u8..12, 0..10), btree_set(0_u8..12, 0..4), btree_set(0_u8..12, 0..3)), 1..8)
    ) {
        let place = Place::new();
        let json = |id: &u8| format!(r#"{{"id":"{id:02}","url":"u"}}"#);
        let of = |ids: &BTreeSet<u8>| rows_of(&ids.iter().map(json).collect::<Vec<_>>().iter().map(String::as_str).collect::<Vec<_>>());
        // All ids ever listed, and of them those that existed and those that the API confirmed as removed.
        let mut seen = BTreeSet::new();
        for (minute, (there, left_out, failing)) in (0..).zip::<Vec<Minute>>(minutes) {
            let mut listed: BTreeSet<u8> = &there - &left_out;
            let now = at("01T00:00:00") + jiff::SignedDuration::from_mins(minute);
            let mut removed = BTreeSet::new();
            loop {
                match place.store.keep(&of(&listed), now, now, &removed).unwrap() {
                    Kept::Unconfirmed(unconfirmed) => {
                        let ids: BTreeSet<u8> = unconfirmed.ids.iter().map(|id| id.parse().unwrap()).collect();
                        listed.extend(&ids & &there);
                        removed.extend((&ids - &there).iter().filter(|id| !failing.contains(id)).map(|id| format!("{id:02}")));
                        if ids.iter().any(|id| !there.contains(id) && failing.contains(id)) {
                            break;
                        }
                    }
                    Kept::Written { .. } | Kept::Unchanged | Kept::Outdated | Kept::Busy => {
                        seen.clone_from(&listed);
                        break;
                    }
                }
            }
            let (texts, _) = place.texts().unwrap_or_default();
            let last = place.store.history().last().map(|last| last.read(&Interner::default(), STORED_PAGE).unwrap());
            for id in &seen & &there {
                prop_assert!(texts.contains(&json(&id)), "{id} is not in the cache at {minute}");
                prop_assert!(last.as_ref().is_some_and(|last| RowsById::new(last).get(&format!("{id:02}")).is_some()), "{id} is not in the history");
            }
        }
    }
}
