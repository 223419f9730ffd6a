//! One document in a browser: what a person, a console and a network monitor see.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fmt, fs};

use serde_json::{Value, json};
use thirtyfour::prelude::*;

use crate::browser::Outcome;
use crate::lab::Lab;
use crate::site::Site;

/// How long a state may take to come about; generous, because machines are shared.
const PATIENCE: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(50);

/// What the reader's system prefers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    Light,
    Dark,
    /// More contrast, on a light ground.
    Contrast,
}

impl Theme {
    pub const BOTH: [Self; 2] = [Self::Light, Self::Dark];
    pub const ALL: [Self; 3] = [Self::Light, Self::Dark, Self::Contrast];
}

impl fmt::Display for Theme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Light => "light",
            Self::Dark => "dark",
            Self::Contrast => "contrast",
        })
    }
}

/// A browser window showing a document of a site.
pub struct Page {
    driver: WebDriver,
    site: Site,
}

impl Page {
    pub fn new(driver: WebDriver, site: Site) -> Self {
        Self { driver, site }
    }

    /// For what this harness has no words for.
    pub fn driver(&self) -> &WebDriver {
        &self.driver
    }

    pub fn site(&self) -> &Site {
        &self.site
    }

    /// Opens the release site, as `cargo xtask build` left it.
    pub async fn open_site(&self) -> Outcome {
        self.open_site_at("").await
    }

    /// Opens the release site with something behind its address, such as `?preset=x`.
    pub async fn open_site_at(&self, suffix: &str) -> Outcome {
        Ok(self.driver.goto(format!("{}{suffix}", self.site.url())).await?)
    }

    /// Opens somebody's article, in another folder than the site, that embeds the element.
    pub async fn open_article(&self, body: &str) -> Outcome {
        let html = format!(
            "<!doctype html><html lang=en><meta charset=utf-8><title>An article</title>\
             <link rel=icon href=lab/icon.svg>\
             <script type=module src=lab/psync-lab.js></script><body>{body}"
        );
        Ok(self.driver.goto(self.site.publish("article.html", &html)).await?)
    }

    /// The `index`th `<psync-lab>` of the document.
    pub fn lab(&self, index: usize) -> Lab<'_> {
        Lab::new(self, Some(index))
    }

    /// Finds by role and accessible name anywhere, waiting for it to appear.
    pub async fn find(&self, role: &str, name: &str) -> Outcome<WebElement> {
        Lab::new(self, None).find(role, name).await
    }

    /// The same without waiting; the error lists what is there.
    pub async fn find_now(&self, role: &str, name: &str) -> Outcome<WebElement> {
        Lab::new(self, None).find_now(role, name).await
    }

    /// Runs the body of a function; `arguments` are its arguments.
    pub async fn run(&self, body: &str, arguments: Vec<Value>) -> Outcome<Value> {
        Ok(self.driver.execute(body, arguments).await?.json().clone())
    }

    /// Waits until an expression is true.
    pub async fn wait_until(&self, expression: &str) -> Outcome {
        let body = format!("return Boolean({expression})");
        let is_true = async || Ok(self.run(&body, vec![]).await? == json!(true));
        wait_for(expression, is_true).await
    }

    /// Waits until a file of the site was asked for.
    pub async fn wait_until_requested(&self, file: &str) -> Outcome {
        let asked = || self.site.requests().iter().any(|request| request.path.ends_with(file));
        wait_for(&format!("a request for {file}"), async || Ok(asked())).await
    }

    /// Types into what has the focus. Special keys: `thirtyfour::Key`, "\t", "\n".
    pub async fn press(&self, keys: impl AsRef<str>) -> Outcome {
        Ok(self.driver.action_chain().send_keys(keys.as_ref()).perform().await?)
    }

    /// Role and name of what has the focus, looking into shadow roots.
    pub async fn focused(&self) -> Outcome<(String, String)> {
        let found = self
            .run(
                "let e = document.activeElement;
                 while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;
                 return [e?.computedRole ?? '', e?.computedName ?? ''];",
                vec![],
            )
            .await?;
        Ok(serde_json::from_value(found)?)
    }

    /// Waits until this has the focus.
    pub async fn wait_until_focused(&self, role: &str, name: &str) -> Outcome {
        let wanted = (role.to_owned(), name.to_owned());
        wait_for(&format!("{role} {name:?} has the focus"), async || {
            Ok(self.focused().await? == wanted)
        })
        .await
    }

    /// Makes the viewport exactly this large, in CSS pixels.
    pub async fn set_size(&self, width: u32, height: u32) -> Outcome {
        let size =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.driver.cdp().send_raw("Emulation.setDeviceMetricsOverride", size).await?;
        Ok(())
    }

    /// Changes what the system prefers, at once and for later documents.
    pub async fn set_theme(&self, theme: Theme) -> Outcome {
        self.set_preferences(theme, false).await
    }

    /// The same for both preferences that the page honours.
    pub async fn set_preferences(&self, theme: Theme, reduced_motion: bool) -> Outcome {
        let motion = if reduced_motion { "reduce" } else { "no-preference" };
        let scheme = if theme == Theme::Dark { "dark" } else { "light" };
        let contrast = if theme == Theme::Contrast { "more" } else { "no-preference" };
        let features = json!([
            { "name": "prefers-color-scheme", "value": scheme },
            { "name": "prefers-contrast", "value": contrast },
            { "name": "prefers-reduced-motion", "value": motion },
        ]);
        let media = json!({ "features": features });
        self.driver.cdp().send_raw("Emulation.setEmulatedMedia", media).await?;
        Ok(())
    }

    /// Nothing went wrong that a person might not see: no error on the console, no
    /// file missing, no other origin asked.
    pub async fn assert_calm(&self) -> Outcome {
        assert_eq!(self.console_errors().await?, [""; 0]);
        assert_eq!(self.foreign_requests().await?, [""; 0]);
        let missing: Vec<_> =
            self.site.requests().into_iter().filter(|request| request.status != 200).collect();
        assert_eq!(missing, []);
        Ok(())
    }

    /// Errors on the console since the last call, uncaught ones and policy violations included.
    pub async fn console_errors(&self) -> Outcome<Vec<String>> {
        let entries = self.driver.browser_log().await?;
        Ok(entries.into_iter().filter(|e| e.level == "SEVERE").map(|e| e.message).collect())
    }

    /// Addresses outside the site's origin that the browser asked for since the last call.
    pub async fn foreign_requests(&self) -> Outcome<Vec<String>> {
        let mut foreign = Vec::new();
        for entry in self.driver.get_log("performance").await? {
            let event: Value = serde_json::from_str(&entry.message)?;
            let params = &event["message"]["params"];
            let url = match event["message"]["method"].as_str() {
                Some("Network.requestWillBeSent") => &params["request"]["url"],
                Some("Network.webSocketCreated") => &params["url"],
                _ => continue,
            };
            let url = url.as_str().unwrap_or_default();
            // `data:` and `blob:` addresses stay inside the browser.
            let local = url.starts_with("data:") || url.starts_with("blob:");
            if !local && !url.starts_with(&format!("{}/", self.site.origin())) {
                foreign.push(url.to_owned());
            }
        }
        Ok(foreign)
    }

    /// Saves what the viewport shows as `target/screenshots/NAME.png`.
    pub async fn take_picture(&self, name: &str) -> Outcome<PathBuf> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/screenshots");
        fs::create_dir_all(&folder)?;
        let path = folder.join(format!("{name}.png"));
        self.driver.screenshot(&path).await?;
        Ok(path)
    }

    /// What helps to understand a failed test.
    pub async fn report_failure(&self, name: &str) -> String {
        let picture = match self.take_picture(&format!("failed-{name}")).await {
            Ok(path) => format!("{name}: see {}", path.display()),
            Err(error) => format!("{name}: no picture ({error})"),
        };
        let said = match self.console_errors().await {
            Ok(errors) => errors.join("\n"),
            Err(error) => error.to_string(),
        };
        format!("{picture}\nconsole:\n{said}")
    }

    /// Closes the browser.
    pub async fn quit(self) -> WebDriverResult<()> {
        self.driver.quit().await
    }
}

/// Asks until the answer is yes; the error names what never came about.
pub async fn wait_for(what: &str, mut holds: impl AsyncFnMut() -> Outcome<bool>) -> Outcome {
    let deadline = Instant::now() + PATIENCE;
    while !holds().await? {
        if Instant::now() >= deadline {
            return Err(format!("not within {PATIENCE:?}: {what}").into());
        }
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}
