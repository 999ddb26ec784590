//! The integration tests, in one binary: grouped by subject.

mod config;
mod explorer;
mod faults;
mod frames;
mod pty;
mod rules;
mod support;
