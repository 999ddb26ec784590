//! The integration tests, in one binary: grouped by subject.

mod commands;
mod config;
mod configure;
mod docs;
mod doctor;
mod explorer;
mod faults;
mod frames;
mod pictures;
mod probe;
mod pty;
mod rules;
mod support;
mod tls;
mod widths;
