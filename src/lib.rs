//! hookscope: a read-only explorer for the webhooks of a DialNexa workspace, in a terminal and for scripts.
//!
//! # The modules
//!
//! ```text
//!  base                the foundation: the gate between strings from outside and a terminal, secrets that cannot be shown,
//!                      time as an input, atomic files, the log file, the API's base URL
//!  model               webhooks: the contract's fields, and all others as received
//!  analysis            pure functions over webhooks: the filter language, sorting, coverage of events, the audit,
//!                      destinations, deliveries
//!  api                 HTTP requests to the API, with typed answers
//!  fetch               paging, concurrency, retries, rate limit; the background task and the complete read
//!  probe               checks if destinations are reachable: DNS, TCP, TLS, HEAD, many at once
//!  deliveries          exports of delivery attempts, read row by row
//!  keymap              the actions of the explorer with their names, keys and descriptions
//!  config              file, environment and options → validated settings, and the key of each workspace
//!  demo                an embedded workspace and the server that serves it
//!  snapshot            reads and writes workspaces as files
//!  cache               the last listing of each workspace, and its history
//!  signals             the signals that end or stop the program
//!  cli, error, output  the command line; errors and exit codes; stdout and stderr
//!  commands            the headless front end, one file per command
//!  tui                 the explorer: state machine, view, loop, terminal
//! ```
//!
//! # The rules
//!
//! - Dependencies point one way: model ← api ← fetch ← {commands, tui}, and model ← analysis ← {commands, tui}. The two
//!   front ends do not use each other.
//! - Only `fetch` requests lists from the API (`doctor` and `config init` request one row). Only `api` sends requests to it,
//!   all of them `GET`. `probe` sends `HEAD` to destinations if requested, and has no access to the key.
//! - State changes only in [`tui::app::App::update`]: no IO, no async, no clock. [`tui::view::draw`] reads it and changes
//!   nothing.
//! - A string from outside is [`base::text::Untrusted`] until it is cleaned; a terminal gets only [`base::text::Safe`] text.
//!
//! A test checks the source against these rules (`tests/it/rules.rs`).

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
