//! The minimal reqwest program that downloads a listing: eight pages at a time, without looking at them. The baseline for
//! `hookscope list` (benches/README.md).
//!
//! `raw_pages BASE_URL KEY PAGES` prints the number of bytes received.

use std::env::args;

use reqwest::header::AUTHORIZATION;
use tokio::task::JoinSet;

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = args().skip(1).collect();
    let [base_url, key, pages] = words.as_slice() else { return Err("raw_pages BASE_URL KEY PAGES".into()) };
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build()?;
    let get = |page: u64| {
        let request = client
            .get(format!("{base_url}/user-webhooks?page={page}&limit=100"))
            .header(AUTHORIZATION, format!("Bearer {key}"));
        async move { request.send().await?.error_for_status()?.bytes().await }
    };
    let mut bytes = 0;
    let mut running = JoinSet::new();
    let mut pages = 1..=pages.parse::<u64>()?;
    (0..8).zip(&mut pages).for_each(|(_, page)| drop(running.spawn(get(page))));
    while let Some(page) = running.join_next().await {
        bytes += page??.len();
        if let Some(next) = pages.next() {
            running.spawn(get(next));
        }
    }
    // No line of text would be cheaper than this one.
    #[expect(clippy::print_stdout, reason = "a program for measuring")]
    {
        println!("{bytes}");
    }
    Ok(())
}
