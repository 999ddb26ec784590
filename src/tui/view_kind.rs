//! The views of the explorer, by name. Their content is in [`super::views`].

/// A view of the workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum View {
    #[default]
    Webhooks,
    Hosts,
    Events,
    Findings,
    Changes,
}
