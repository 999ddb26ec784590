//! The foundation: the text gate, secrets, time, files, the log, and the base URL. Uses no other module of the crate. Start
//! at [`text`].

pub mod base_url;
pub mod clock;
pub mod files;
pub mod log;
pub mod redact;
pub mod text;
