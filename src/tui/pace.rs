//! How fast keys follow one another, and how fast frames may. While a key is held, nobody reads the detail and nobody sees every
//! row; what was not sent need not be waited for when the key is released.

use std::time::Duration;

use tokio::time::Instant;

use crate::keymap::Key;

/// Keys that follow one another faster than this are one key that is held, and when none follows for so long it was released.
const GAP: Duration = Duration::from_millis(50);
/// A selection that stays for so long is one that somebody reads about.
const SETTLED: Duration = Duration::from_millis(150);
/// So many of them in a row are not just a quick hand.
const HELD: u32 = 2;
/// Bytes a second that every link takes: 2,400 with some left over for what else is on its way. The far end of an SSH session does
/// not tell how fast it is, and what lies between takes everything at once and lets it queue.
const BYTES_PER_SECOND: f64 = 2_000.0;

/// Longer than this no frame is held back, whatever was sent before.
const LONGEST: Duration = Duration::from_secs(1);

/// Between two frames that show nothing but progress.
const REST: Duration = Duration::from_millis(100);

/// The rhythm of the keys that move the selection.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rhythm {
    last: Option<Instant>,
    in_a_row: u32,
}

impl Rhythm {
    /// The selection moves.
    pub fn beat(&mut self, now: Instant) {
        let follows = self.last.is_some_and(|last| now.saturating_duration_since(last) < GAP);
        self.in_a_row = if follows { self.in_a_row.saturating_add(1) } else { 0 };
        self.last = Some(now);
    }

    /// Whether a key is being held.
    pub fn is_held(&self, now: Instant) -> bool {
        self.rests_at().is_some_and(|then| now < then)
    }

    /// When the selection will have stayed for long enough to be read about; `None` before the first move.
    pub fn settles_at(&self) -> Option<Instant> {
        self.last.map(|last| last + SETTLED)
    }

    /// When a key that is held counts as released.
    pub fn rests_at(&self) -> Option<Instant> {
        self.last.filter(|_| self.in_a_row >= HELD).map(|last| last + GAP)
    }
}

/// The rhythm of one key that is pressed again and again, whatever it does.
#[derive(Debug, Clone, Copy, Default)]
pub struct Repeats {
    key: Option<Key>,
    rhythm: Rhythm,
}

impl Repeats {
    pub fn press(&mut self, key: Key, now: Instant) {
        if self.key.replace(key) != Some(key) {
            self.rhythm = Rhythm::default();
        }
        self.rhythm.beat(now);
    }

    /// Whether the key is being held.
    pub fn is_held(&self, now: Instant) -> bool {
        self.rhythm.is_held(now)
    }

    /// When a key that is held counts as released.
    pub fn rests_at(&self) -> Option<Instant> {
        self.rhythm.rests_at()
    }
}

/// Spaces frames by what they cost.
#[derive(Debug, Clone, Copy, Default)]
pub struct Pacer {
    last: Option<Instant>,
    /// When the slowest link has taken what was sent.
    free_at: Option<Instant>,
}

impl Pacer {
    /// When the next frame may be sent, if that is not now.
    pub fn waits_until(&self, now: Instant) -> Option<Instant> {
        self.free_at.filter(|&free_at| now < free_at)
    }

    /// When a frame may be sent that nobody waits for, if that is not now.
    pub fn rests_until(&self, now: Instant) -> Option<Instant> {
        self.last.map(|last| last + REST).filter(|&then| now < then)
    }

    /// A frame of so many bytes was sent.
    pub fn sent(&mut self, bytes: u64, now: Instant) {
        #[expect(clippy::cast_precision_loss, reason = "frames are smaller than 2^52 bytes")]
        let takes = Duration::from_secs_f64(bytes as f64 / BYTES_PER_SECOND);
        let free_at = self.free_at.map_or(now, |free_at| free_at.max(now)) + takes;
        self.free_at = Some(free_at.min(now + LONGEST));
        self.last = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_held_from_the_third_on_until_none_follows() {
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let mut rhythm = Rhythm::default();
        rhythm.beat(at(0));
        rhythm.beat(at(33));
        assert!(!rhythm.is_held(at(33)), "two may be a quick hand");
        rhythm.beat(at(66));
        assert!(rhythm.is_held(at(66)) && rhythm.is_held(at(115)));
        assert!(!rhythm.is_held(at(116)) && rhythm.rests_at() == Some(at(116)));
        rhythm.beat(at(400));
        assert!(!rhythm.is_held(at(400)));
    }

    #[test]
    fn only_one_and_the_same_key_is_held() {
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let mut repeats = Repeats::default();
        let (one, other) = (Key::parse("j").unwrap(), Key::parse("k").unwrap());
        for (key, milliseconds) in [(one, 0), (one, 10), (other, 20), (other, 30)] {
            repeats.press(key, at(milliseconds));
            assert!(!repeats.is_held(at(milliseconds)));
        }
        repeats.press(other, at(40));
        assert!(repeats.is_held(at(40)) && repeats.rests_at() == Some(at(90)));
    }

    #[test]
    fn a_frame_is_followed_when_a_slow_link_has_taken_it() {
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let mut pacer = Pacer::default();
        assert_eq!(pacer.waits_until(start), None);
        pacer.sent(500, start);
        assert_eq!((pacer.waits_until(at(249)), pacer.waits_until(at(250))), (Some(at(250)), None));
        pacer.sent(100, at(100));
        assert_eq!(pacer.waits_until(at(250)), Some(at(300)), "what is sent meanwhile comes on top");
        assert_eq!(pacer.rests_until(at(199)), Some(at(200)), "progress is shown ten times a second");
        assert_eq!(pacer.rests_until(at(200)), None);
        pacer.sent(1_000_000, at(300));
        assert_eq!(pacer.waits_until(at(301)), Some(at(1300)));
    }
}
