//! The key of a client, and its renewal: keys are rotated while a program runs.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::base::log;
use crate::base::redact::ApiKey;
use crate::base::text::Safe;

type Reading = Pin<Box<dyn Future<Output = Result<ApiKey, Safe>> + Send>>;

/// Reads a key again from its storage. Cheap to clone.
#[derive(Clone)]
pub struct Renewal {
    read: Arc<dyn Fn() -> Reading + Send + Sync>,
    /// True if a command prints the key, which may ask a person on the terminal.
    pub asks: bool,
}

impl Renewal {
    pub fn new<F>(asks: bool, read: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<ApiKey, Safe>> + Send + 'static,
    {
        Self { read: Arc::new(move || Box::pin(read())), asks }
    }

    /// Reads the key. The error is a clause without the place.
    pub async fn read(&self) -> Result<ApiKey, Safe> {
        let read = (self.read)().await;
        if let Ok(key) = &read {
            log::hide(key);
        }
        read
    }
}

impl fmt::Debug for Renewal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Renewal").field("asks", &self.asks).finish_non_exhaustive()
    }
}

/// The key of a client, the same one for all of its requests.
#[derive(Debug)]
pub(super) struct Keys {
    in_use: Mutex<InUse>,
    renewal: Option<Renewal>,
    /// Held while the key is read again.
    reading: tokio::sync::Mutex<()>,
}

/// A key that a request was sent with.
#[derive(Debug, Clone)]
pub(super) struct InUse {
    pub(super) key: ApiKey,
    /// The number of renewals before the request.
    readings: u64,
}

impl Keys {
    pub(super) fn new(key: ApiKey, renewal: Option<Renewal>) -> Self {
        Self { in_use: Mutex::new(InUse { key, readings: 0 }), renewal, reading: tokio::sync::Mutex::default() }
    }

    pub(super) fn in_use(&self) -> InUse {
        self.lock().clone()
    }

    /// Returns the key to repeat a refused request with; `None` without a different key. Of requests that were refused at
    /// the same time, one reads the key and the others wait for it.
    pub(super) async fn renewed(&self, refused: &InUse) -> Result<Option<InUse>, Safe> {
        let Some(renewal) = &self.renewal else { return Ok(None) };
        let _reading = self.reading.lock().await;
        let now = self.in_use();
        if now.readings != refused.readings {
            return Ok((now.key != refused.key).then_some(now));
        }
        let read = renewal.read().await;
        let mut in_use = self.lock();
        in_use.readings += 1;
        let key = read?;
        if key == in_use.key {
            return Ok(None);
        }
        tracing::info!("the API refused the key, and there is a new one");
        in_use.key = key;
        Ok(Some(in_use.clone()))
    }

    fn lock(&self) -> MutexGuard<'_, InUse> {
        // A panic cannot leave it half-changed.
        self.in_use.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    fn key(text: &str) -> ApiKey {
        ApiKey::new(text).unwrap()
    }

    /// Keys whose source returns these in turn, and those that are left.
    fn keys(source: &[&str]) -> (Keys, Arc<Mutex<VecDeque<String>>>) {
        let left: Arc<Mutex<VecDeque<_>>> = Arc::new(Mutex::new(source.iter().map(ToString::to_string).collect()));
        let taken = Arc::clone(&left);
        let renewal = Renewal::new(false, move || {
            let next = taken.lock().unwrap().pop_front();
            async move {
                // Others come to wait.
                tokio::task::yield_now().await;
                next.and_then(|text| ApiKey::new(&text).ok()).ok_or_else(|| "it is empty".into())
            }
        });
        (Keys::new(key("id:first-key"), Some(renewal)), left)
    }

    #[tokio::test]
    async fn requests_refused_together_read_the_key_once() {
        let (keys, left) = keys(&["id:second-key", "id:third-key"]);
        let used = keys.in_use();
        let renewed = || async { keys.renewed(&used).await.unwrap().map(|now| now.key) };
        let (a, b, c) = tokio::join!(renewed(), renewed(), renewed());
        assert_eq!([a, b, c], [(); 3].map(|()| Some(key("id:second-key"))));
        assert_eq!(left.lock().unwrap().len(), 1);
        // It is refused too, later.
        let used = keys.in_use();
        assert_eq!(keys.renewed(&used).await.unwrap().unwrap().key, key("id:third-key"));
    }

    #[tokio::test]
    async fn the_same_key_is_no_new_one_and_is_read_again_for_a_later_request() {
        let (keys, left) = keys(&["id:first-key", "", "id:second-key"]);
        let used = keys.in_use();
        let (a, b) = tokio::join!(keys.renewed(&used), keys.renewed(&used));
        assert!(a.unwrap().is_none() && b.unwrap().is_none());
        assert_eq!(left.lock().unwrap().len(), 2, "one reading for both");
        assert_eq!(keys.renewed(&keys.in_use()).await.unwrap_err().as_str(), "it is empty");
        assert_eq!(keys.in_use().key, key("id:first-key"));
        assert_eq!(keys.renewed(&keys.in_use()).await.unwrap().unwrap().key, key("id:second-key"));
    }

    #[tokio::test]
    async fn without_a_source_there_is_no_other_key() {
        let keys = Keys::new(key("id:first-key"), None);
        assert!(keys.renewed(&keys.in_use()).await.unwrap().is_none());
    }
}
