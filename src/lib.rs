//! hookscope: a read-only explorer for the webhooks of a DialNexa workspace, in a terminal and for scripts.
//!
//! # The modules
//!
//! ```text
//!  base                the foundation: the gate between strings from outside and a terminal, secrets that cannot be shown, time
//!                      as an input, atomic files, the log file, the API's base URL
//!  model               what a webhook is: the contract's fields, and everything else as it came
//!  analysis            pure functions over webhooks: the filter language, sorting, coverage of events, the audit,
//!                      destinations, deliveries
//!  api                 one request in, one typed answer out
//!  fetch               which pages, how many at once, retries, rate limit; the background task and the complete read
//!  probe               is a destination alive: DNS, TCP, TLS, HEAD, many at once
//!  deliveries          exports of delivery attempts, read row by row
//!  keymap              every action of the explorer with its name, keys and words
//!  config              file, environment and options → validated settings, and which key goes where
//!  demo                an embedded workspace and the server that serves it
//!  snapshot            workspaces in files
//!  cache               what is remembered of workspaces: the last listing, and how it was before
//!  signals             the signals that end or stop the program
//!  cli, error, output  the command line; how the program ends; stdout and stderr
//!  commands            the headless front end, one file a command
//!  tui                 the explorer: state machine, view, loop, terminal
//! ```
//!
//! # The rules
//!
//! - Dependencies point one way: model ← api ← fetch ← {commands, tui}, and model ← analysis ← {commands, tui}. The two front
//!   ends do not know each other.
//! - Nothing but `fetch` asks the API for lists (`doctor` and `config init` ask for one row); nothing but `api` speaks HTTP to it, and it sends
//!   `GET` only. `probe` sends `HEAD` to destinations if requested, and has no access to the key.
//! - State changes in [`tui::app::App::update`]: no IO, no async, no clock. [`tui::view::draw`] reads it and changes nothing.
//! - A string from outside is [`base::text::Untrusted`] until it is cleaned; a terminal gets [`base::text::Safe`] and nothing else.
//!
//! A test holds the source against these rules (`tests/it/rules.rs`).

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
