//! The views of the explorer, by name. What they show is in [`super::views`].

/// What the explorer shows of the workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum View {
    #[default]
    Webhooks,
    Hosts,
    Events,
    Findings,
    Changes,
}
