//! hookscope: a read-only explorer for the webhooks of a DialNexa workspace, in a terminal and for scripts.
//!
//! # The modules
//!
//! ```text
//!  base                 the foundation: the gate between text from outside and a terminal, secrets, time, files, the log
//!  model                webhooks: as packed pages of rows, and decoded where a single one is inspected
//!  api                  one request, one typed response or error; `GET` to one origin
//!  fetch                which pages to read, how many at once, retries, the rate limit, consistency
//!  analysis             pure functions over rows: filter, sort, groups, audit, diff, destinations, deliveries, migration
//!  probe                DNS, TCP, TLS and `HEAD` to destinations
//!  deliveries           exports of delivery attempts, read row by row
//!  config               file, environment and options become validated settings; which key goes to which origin
//!  cache, snapshot      saved listings: the last one, the history, files
//!  demo                 an embedded workspace and the server for it
//!  keymap               the actions of the explorer: names, keys and help
//!  cli, error, signals  the command line, how the program ends, the signals that it handles
//!  output               the writers of all formats
//!  commands             the headless front end, one file per command
//!  tui                  the explorer: state, views, event loop, terminal
//! ```
//!
//! # The path of a keypress
//!
//! ```text
//!  tui/terminal/input.rs      bytes from the terminal become a key event
//!  tui/events.rs              the loop takes it as a message
//!  tui/update.rs, update/     the state changes: `App::update(message, now) -> Vec<Effect>`
//!  keymap.rs                  the key's action; tui/update/keys.rs performs it
//!  tui/events.rs              the loop applies the effects
//!  tui/view.rs, view/         the next frame is drawn from the state
//!  tui/terminal/screen.rs     only what differs from the last frame is encoded (ansi.rs) and written (tty_writer.rs)
//! ```
//!
//! # The path of a page
//!
//! ```text
//!  tui/session/loading.rs     the explorer publishes its demand; commands ask in fetch/complete.rs
//!  fetch/crawler.rs           the next page to request; fetch/task.rs and fetch/complete.rs drive it
//!  fetch/requests.rs          retries and concurrency; budget.rs keeps to the rate limit
//!  api/client.rs, wire.rs     one `GET`; every envelope becomes one `Page`
//!  model/page_builder.rs      JSON becomes packed rows, once; every consumer reads this page
//!  fetch/pass.rs              whether all pages together are the workspace at one moment
//!  tui/session/listing.rs     the rows of the explorer; analysis/filter_sort.rs decides which are shown
//!  output/, cache/            what commands write, and what is stored
//! ```
//!
//! # Where to start reading
//!
//! - `model/page.rs`: the one form in which webhooks are kept.
//! - `tui/update.rs`: the state machine of the explorer.
//! - `commands/list.rs`: a command from its options to its output.
//!
//! # The rules
//!
//! - Dependencies point one way: base ← model ← api ← fetch ← {commands, tui}, and model ← analysis ← {commands, tui}. The
//!   two front ends do not use each other.
//! - Only `fetch` requests lists (`doctor` and `config init` request one row), and only `api` talks HTTP to the API, with
//!   `GET` alone. `probe` sends `HEAD` to destinations, when asked to, and never has the key.
//! - State changes only in [`tui::app::App::update`]: no IO, no async, no clock. [`tui::view::draw`] reads it.
//! - Text from outside is [`base::text::Untrusted`] until it is cleaned; a terminal takes only [`base::text::Safe`].
//!
//! `tests/it/rules.rs` checks the source against these rules, and `docs/architecture.md` explains them.

pub mod analysis;
pub mod api;
pub mod base;
pub mod cache;
pub mod cli;
pub mod commands;
pub mod config;
pub mod deliveries;
pub mod demo;
pub mod error;
pub mod fetch;
pub mod keymap;
pub mod model;
pub mod output;
pub mod probe;
pub mod signals;
pub mod snapshot;
pub mod tui;
