//! Limits the rate of frames, and detects held keys. While a key is held, details need not be drawn, and not every row has
//! to be visible; frames that a slow connection has not taken yet would only delay the display after the key is released.

use std::time::Duration;

use tokio::time::Instant;

/// Presses within this time of each other are repeats of a held key. A longer pause means that it was released.
const GAP: Duration = Duration::from_millis(50);
/// The time after which the details of the selection are shown.
const SETTLED: Duration = Duration::from_millis(150);
/// The repeats that make a held key. Fewer may be fast typing.
const HELD: u32 = 2;

/// The bytes per second that every connection can take: 2,400, minus room for other output. The speed of an SSH connection
/// is unknown, and the hops in between buffer everything.
const BYTES_PER_SECOND: u64 = 2_000;
/// The longest time to hold back a frame, however much was sent before.
const LONGEST: Duration = Duration::from_secs(1);
/// The time between two frames that show nothing but progress.
const PROGRESS: Duration = Duration::from_millis(100);

/// Distinguishes a held key from single presses.
#[derive(Debug, Clone, Copy, Default)]
pub struct KeyRepeat {
    last: Option<Instant>,
    repeats: u32,
}

impl KeyRepeat {
    pub fn press(&mut self, now: Instant) {
        let follows = self.last.is_some_and(|last| now.saturating_duration_since(last) < GAP);
        self.repeats = if follows { self.repeats.saturating_add(1) } else { 0 };
        self.last = Some(now);
    }

    /// Returns when the held key counts as released; `None` if none is held.
    pub fn released_at(&self, now: Instant) -> Option<Instant> {
        self.last.filter(|_| self.repeats >= HELD).map(|last| last + GAP).filter(|&then| now < then)
    }

    pub fn is_held(&self, now: Instant) -> bool {
        self.released_at(now).is_some()
    }

    /// Returns the time at which the details of the selection are to be shown; `None` if it has passed.
    pub fn settles_at(&self, now: Instant) -> Option<Instant> {
        self.last.map(|last| last + SETTLED).filter(|&then| now < then)
    }
}

/// Spaces frames by their size.
#[derive(Debug, Clone, Copy, Default)]
pub struct FrameLimiter {
    last: Option<Instant>,
    /// The time at which the slowest connection has taken all frames.
    free_at: Option<Instant>,
}

impl FrameLimiter {
    /// Returns when the next frame of a held key may be sent, if not now.
    pub fn repeat_at(&self, now: Instant) -> Option<Instant> {
        self.free_at.filter(|&then| now < then)
    }

    /// Returns when the next frame that shows only progress may be sent, if not now.
    pub fn progress_at(&self, now: Instant) -> Option<Instant> {
        self.last.map(|last| last + PROGRESS).filter(|&then| now < then)
    }

    /// Counts a frame that was sent.
    pub fn sent(&mut self, bytes: usize, now: Instant) {
        let takes = Duration::from_millis((bytes as u64).saturating_mul(1000) / BYTES_PER_SECOND);
        let free_at = self.free_at.map_or(now, |free_at| free_at.max(now)) + takes.min(LONGEST);
        self.free_at = Some(free_at.min(now + LONGEST));
        self.last = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_held_from_the_third_press_on_until_none_follows() {
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let mut keys = KeyRepeat::default();
        keys.press(at(0));
        keys.press(at(33));
        assert!(!keys.is_held(at(33)), "two may be a quick hand");
        assert_eq!(keys.settles_at(at(33)), Some(at(183)));
        keys.press(at(66));
        assert!(keys.is_held(at(66)) && keys.released_at(at(115)) == Some(at(116)));
        assert_eq!((keys.released_at(at(116)), keys.settles_at(at(116))), (None, Some(at(216))));
        assert_eq!(keys.settles_at(at(216)), None);
        keys.press(at(400));
        assert!(!keys.is_held(at(400)));
    }

    #[test]
    fn a_frame_is_followed_when_a_slow_link_has_taken_it() {
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let mut limiter = FrameLimiter::default();
        assert_eq!(limiter.repeat_at(start), None);
        limiter.sent(500, start);
        assert_eq!((limiter.repeat_at(at(249)), limiter.repeat_at(at(250))), (Some(at(250)), None));
        limiter.sent(100, at(100));
        assert_eq!(limiter.repeat_at(at(250)), Some(at(300)), "what is sent meanwhile comes on top");
        assert_eq!(limiter.progress_at(at(199)), Some(at(200)), "progress is shown ten times a second");
        assert_eq!(limiter.progress_at(at(200)), None);
        limiter.sent(1_000_000, at(300));
        assert_eq!(limiter.repeat_at(at(301)), Some(at(1300)));
    }
}
