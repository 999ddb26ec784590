//! The adaptive limit on requests in flight. It starts low, grows while answers arrive quickly, and is halved when the API
//! reports overload or requests time out.

use tokio::time::Instant;

/// Requests in flight until the first answers show what the API can take.
const START: usize = 2;
/// Answers per allowed request before the limit grows again after a reduction: a gateway with a fixed rate answers every
/// request beyond its limit with a pause for all.
const CAUTION: usize = 32;

/// The adaptive limit of one reader.
#[derive(Debug)]
pub(super) struct Window {
    size: usize,
    max: usize,
    /// Answers since the size last changed.
    answers: usize,
    reduced_at: Option<Instant>,
}

impl Window {
    pub(super) fn new(max: usize) -> Self {
        Self { size: START.min(max), max, answers: 0, reduced_at: None }
    }

    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Counts an answer. Slow ones do not raise the limit: requests that share a slow link would only time out together.
    pub(super) fn answered(&mut self, is_quick: bool) {
        self.answers += usize::from(is_quick);
        let needed = if self.reduced_at.is_some() { CAUTION * self.size } else { 1 };
        if self.answers >= needed && self.size < self.max {
            self.size += 1;
            self.answers = 0;
        }
    }

    /// Halves the limit, once for all requests that were in flight together. Returns true on the first report of them.
    pub(super) fn reduce(&mut self, sent: Instant, now: Instant) -> bool {
        if self.reduced_at.is_some_and(|reduced| sent <= reduced) {
            return false;
        }
        self.size = (self.size / 2).max(1);
        self.answers = 0;
        self.reduced_at = Some(now);
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn answered(window: &mut Window, answers: usize) -> usize {
        (0..answers).for_each(|_| window.answered(true));
        window.size()
    }

    #[test]
    fn it_grows_with_quick_answers_up_to_the_maximum() {
        let mut window = Window::new(8);
        assert_eq!(answered(&mut window, 1), 3);
        window.answered(false);
        assert_eq!(window.size(), 3);
        assert_eq!(answered(&mut window, 100), 8);
        assert_eq!(Window::new(1).size(), 1);
    }

    #[test]
    fn it_is_halved_once_for_requests_in_flight_together_and_never_below_one() {
        let mut window = Window::new(8);
        answered(&mut window, 100);
        let sent = Instant::now();
        let now = sent + Duration::from_secs(1);
        assert!(window.reduce(sent, now));
        assert!(!window.reduce(sent, now));
        assert_eq!(window.size(), 4);
        for second in 1..10 {
            let sent = now + Duration::from_secs(second);
            assert!(window.reduce(sent, sent));
        }
        assert_eq!(window.size(), 1);
    }

    #[test]
    fn after_a_reduction_it_grows_slowly() {
        let mut window = Window::new(8);
        window.reduce(Instant::now(), Instant::now());
        assert_eq!(answered(&mut window, CAUTION - 1), 1);
        assert_eq!(answered(&mut window, 1), 2);
        assert_eq!(answered(&mut window, 2 * CAUTION - 1), 2);
        assert_eq!(answered(&mut window, 1), 3);
    }
}
