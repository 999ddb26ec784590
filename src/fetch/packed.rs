//! Pages whose rows are packed as soon as they are read: what a row is made of on the way never leaves the thread that read it.

use std::sync::Arc;

use super::Source;
use super::requests::{Ask, Pages};
use crate::api::{ApiAnswer, ApiFailure, Numbers, Page};
use crate::model::{Block, Drafts, Elements, Packer, Scope};

/// A page with its rows packed.
#[derive(Debug, Clone)]
pub struct PackedPage {
    pub numbers: Numbers,
    pub block: Arc<Block>,
}

impl PackedPage {
    fn new(packer: &Packer, page: &Page<Drafts>) -> Self {
        Self { numbers: Numbers::from(page), block: Arc::new(packer.pack(&page.rows)) }
    }

    /// Packs rows that were decoded already.
    pub fn of_rows(packer: &Packer, page: Page) -> Self {
        let numbers = Numbers::from(&page);
        let mut rows = Drafts::default();
        page.rows.into_iter().for_each(|row| rows.push_row(row));
        Self { numbers, block: Arc::new(packer.pack(&rows)) }
    }
}

/// Asks for pages of a listing, and packs them.
#[derive(Debug)]
pub(super) struct PackedPages {
    pages: Pages<Drafts>,
    packer: Packer,
}

impl PackedPages {
    pub(super) fn new(source: &Source, limit: u32, packer: Packer) -> Self {
        Self { pages: Pages::new(source, limit, Scope::All), packer }
    }

    pub(super) fn set_scope(&mut self, scope: Scope) {
        self.pages.set_scope(scope);
    }
}

impl Ask for PackedPages {
    type Value = PackedPage;

    fn source(&self) -> &Source {
        self.pages.source()
    }

    fn ask(&self, number: u64) -> impl Future<Output = Result<ApiAnswer<PackedPage>, ApiFailure>> + Send + 'static {
        let answer = self.pages.ask(number);
        let packer = self.packer.clone();
        async move {
            let ApiAnswer { value, rate } = answer.await?;
            Ok(ApiAnswer { value: PackedPage::new(&packer, &value), rate })
        }
    }
}
