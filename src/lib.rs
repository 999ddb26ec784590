pub mod api;
pub mod base_url;
pub mod demo;
pub mod fetch;
pub mod model;
pub mod redact;
pub mod text;
