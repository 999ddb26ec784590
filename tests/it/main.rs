//! The integration tests, in one binary: grouped by subject.

mod commands;
mod config;
mod configure;
mod doctor;
mod explorer;
mod faults;
mod frames;
mod pty;
mod rules;
mod support;
