//! The terminal below the views: cells to bytes on the way out, bytes to keys on the way in.
//!
//! ```text
//!  views ──► canvas ──► screen ──► ansi ──► tty_writer ──► terminal ──► input ──► keys
//!           Safe text   what      bytes     never blocks               decoder
//!                       changed             the loop
//! ```
//! `console` takes the terminal, restores it on every way out, and reports signals; `frame_limiter` decides when a frame is
//! due. None of this uses the state of the explorer. Start with `screen`.

pub mod ansi;
pub mod canvas;
pub mod console;
pub mod frame_limiter;
pub mod input;
pub mod screen;
pub mod tty_writer;
