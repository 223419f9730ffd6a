//! Gives a test a site and a browser, and takes both away again whatever happens.

use std::error::Error;
use std::panic::{self, AssertUnwindSafe};
use std::time::Duration;

use crate::driver::Driver;
use crate::page::Page;
use crate::site::Site;

/// How a test of the page ends. Assertions may also panic as usual.
pub type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// No single test may take longer.
const LIMIT: Duration = Duration::from_secs(120);

/// Runs `body` with a page of its own. A failure leaves a picture in
/// `target/screenshots/failed-NAME.png` and prints what the console said.
pub fn on_page(name: &str, body: impl AsyncFnOnce(&Page) -> Outcome) -> Outcome {
    on_page_for(LIMIT, name, body)
}

/// The same for what takes its time, such as watching the memory for ten minutes.
pub fn on_page_for(
    limit: Duration,
    name: &str,
    body: impl AsyncFnOnce(&Page) -> Outcome,
) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let site = Site::start()?;
    let driver = Driver::start()?;
    let page = Page::new(runtime.block_on(driver.session())?, site);

    // Panics are caught: a browser that is left behind disturbs whatever comes next.
    let ended = panic::catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(async {
            let limited = tokio::time::timeout(limit, body(&page));
            limited.await.unwrap_or_else(|_| Err(format!("not done after {limit:?}").into()))
        })
    }));
    runtime.block_on(async {
        if !matches!(ended, Ok(Ok(()))) {
            let report = tokio::time::timeout(LIMIT, page.report_failure(name)).await;
            println!("{}", report.unwrap_or_else(|_| "the browser does not answer".to_owned()));
        }
        // The driver ends the browser as well, when this fails.
        let _ = tokio::time::timeout(LIMIT, page.quit()).await;
    });
    drop(driver);
    ended.unwrap_or_else(|panicked| panic::resume_unwind(panicked))
}
