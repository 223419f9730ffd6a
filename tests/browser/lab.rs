//! One `<psync-lab>` element: its controls by role and name, its methods by name.

use serde_json::{Value, json};
use thirtyfour::prelude::*;

use crate::browser::Outcome;
use crate::page::{Page, wait_for};

/// Finds elements by role and name, looking into open shadow roots.
const FIND: &str = include_str!("find.js");

/// A `<psync-lab>` of a page, or the whole document.
pub struct Lab<'a> {
    page: &'a Page,
    index: Option<usize>,
}

impl<'a> Lab<'a> {
    pub fn new(page: &'a Page, index: Option<usize>) -> Self {
        Self { page, index }
    }

    /// The document that it is in.
    pub fn page(&self) -> &Page {
        self.page
    }

    /// Finds what a screen reader would call `name`, waiting for it to appear.
    pub async fn find(&self, role: &str, name: &str) -> Outcome<WebElement> {
        let mut last = self.find_now(role, name).await;
        let appears = wait_for("", async || {
            last = self.find_now(role, name).await;
            Ok(last.is_ok())
        });
        // The last error says more than that time is up.
        let _ = appears.await;
        last
    }

    /// The same without waiting; the error lists the names that are there.
    pub async fn find_now(&self, role: &str, name: &str) -> Outcome<WebElement> {
        let arguments = vec![json!(self.index), json!(role), json!(name)];
        let found = self.page.driver().execute(FIND, arguments).await?;
        if found.json()["others"].is_array() {
            let others: Vec<String> = serde_json::from_value(found.json()["others"].clone())?;
            return Err(format!("no {role} '{name}' among {others:?}").into());
        }
        Ok(found.element()?)
    }

    /// Whether it is there now.
    pub async fn has(&self, role: &str, name: &str) -> bool {
        self.find_now(role, name).await.is_ok()
    }

    /// Clicks on it, as soon as it is there.
    pub async fn click(&self, role: &str, name: &str) -> Outcome {
        Ok(self.find(role, name).await?.click().await?)
    }

    /// Calls a method of the element and awaits its result; a rejection is an error.
    pub async fn call(&self, method: &str, arguments: Vec<Value>) -> Outcome<Value> {
        let script = "const [index, method, args, done] = arguments;
             (async () => {
                 const lab = document.querySelectorAll('psync-lab')[index];
                 return await lab[method](...args);
             })().then((ok) => done({ ok: ok ?? null }), (e) => done({ error: String(e) }));";
        let arguments = vec![json!(self.index.unwrap_or(0)), json!(method), json!(arguments)];
        let answer = self.page.driver().execute_async(script, arguments).await?;
        match answer.json()["error"].as_str() {
            Some(error) => Err(error.into()),
            None => Ok(answer.json()["ok"].clone()),
        }
    }

    /// Waits until a function of the element is true, such as `"(lab) => lab.isConnected"`.
    pub async fn wait_until(&self, function: &str) -> Outcome {
        let index = self.index.unwrap_or(0);
        self.page
            .wait_until(&format!("({function})(document.querySelectorAll('psync-lab')[{index}])"))
            .await
    }

    /// The first match of a selector inside the shadow root.
    pub async fn select(&self, selector: &str) -> Outcome<WebElement> {
        let body = "const [index, selector] = arguments;
             return document.querySelectorAll('psync-lab')[index].shadowRoot.querySelector(selector);";
        let arguments = vec![json!(self.index.unwrap_or(0)), json!(selector)];
        Ok(self.page.driver().execute(body, arguments).await?.element()?)
    }
}
