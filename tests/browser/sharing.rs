//! "Share": links and files that lead back to the very same run, and bad ones that lose nothing.

use std::{env, fs, process};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use miniz_oxide::deflate::compress_to_vec_zlib;
use serde_json::{Value, json};

use crate::browser::{Outcome, on_page};
use crate::lab::Lab;
use crate::page::{Theme, wait_for};

const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";

/// All that a link has to restore: how the run was made, what is seen of it, what was decided.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    scenario: Value,
    snapshot: Value,
    decisions: Vec<Value>,
}

impl Lab<'_> {
    async fn seen(&self) -> Outcome<Seen> {
        let scenario = self.call("scenario", vec![]).await?;
        Ok(Seen { scenario, snapshot: self.snapshot().await?, decisions: self.decisions().await? })
    }

    async fn act(&self, action: Value) -> Outcome {
        self.call("act", vec![action]).await.map(drop)
    }

    /// The link in the dialog, which is closed again.
    async fn shared_link(&self) -> Outcome<String> {
        self.click("button", "Share").await?;
        let link = self.find("textbox", "Link").await?.prop("value").await?;
        self.click("button", "Close").await?;
        Ok(link.ok_or("the field is empty")?)
    }

    /// A run that nobody would want to do again: cuts, writes, another setting, and a look back.
    async fn have_history(&self) -> Outcome {
        self.act(json!({ "do": "cut", "replica": "replica-1", "direction": "to-replica" })).await?;
        self.act(json!({ "do": "cut", "replica": "replica-2" })).await?;
        self.act(json!({ "do": "write", "argv": ["SET", "k ü", "\"v\"\n"] })).await?;
        self.advance(1_234_567).await?;
        self.act(json!({ "do": "config", "server": "master", "directive": "repl-backlog-size", "value": "64kb" }))
            .await?;
        self.act(json!({ "do": "burst", "writes": 40, "value_bytes": 100 })).await?;
        self.advance(2_000_001).await?;
        self.act(json!({ "do": "heal", "replica": "replica-1" })).await?;
        self.act(json!({ "do": "heal", "replica": "replica-2" })).await?;
        self.advance(7_000_000).await?;
        let now = self.now_us().await?;
        self.call("seek", vec![json!(now - 8_000_001)]).await.map(drop)
    }

    /// Waits until it is at that moment.
    async fn wait_until_now(&self, seen: &Seen) -> Outcome {
        wait_for("the shared moment", async || Ok(self.snapshot().await? == seen.snapshot)).await
    }

    /// Waits for what the page says about a file or a link, and dismisses it.
    async fn complaint(&self) -> Outcome<String> {
        self.find("alert", "").await?;
        let text = self.select(".banner p").await?.text().await?;
        self.click("button", "Dismiss").await?;
        self.root_has("!root.querySelector('[role=alert]')").await?;
        Ok(text)
    }

    /// Lets a file fall on the element, as the system's file manager does.
    async fn drop_file(&self, name: &str, text: &str) -> Outcome {
        let script = "const [name, text] = arguments;
             const dataTransfer = new DataTransfer();
             dataTransfer.items.add(new File([text], name));
             const lab = document.querySelector('psync-lab');
             const inside = lab.shadowRoot.querySelector('[role=region], section, .map');
             for (const type of ['dragover', 'drop']) {
                 const event = new DragEvent(type,
                     { dataTransfer, bubbles: true, composed: true, cancelable: true });
                 // Whoever does not want a file leaves it to the browser, which would show it.
                 if (inside.dispatchEvent(event)) throw new Error(`${type} was not wanted`);
                 if (type === 'dragover' && !lab.shadowRoot.querySelector('[data-drop]')) {
                     throw new Error('nothing shows where it may fall');
                 }
             }";
        self.page().run(script, vec![json!(name), json!(text)]).await?;
        self.root_has("!root.querySelector('[data-drop]')").await
    }
}

#[test]
fn a_link_restores_the_run_to_the_byte_in_a_fresh_profile() -> Outcome {
    let mut told = None;
    on_page("share-from", async |page| {
        let lab = page.open_quiet_with("&replicas=2&seed=77&theme=dark").await?;
        lab.have_history().await?;
        let link = lab.shared_link().await?;
        assert!(link.starts_with(&format!("{}#run=1.", page.site().url())), "{link}");
        assert!(link.len() < 600, "{link}");
        told = Some((link, lab.seen().await?));
        page.assert_calm().await
    })?;
    let (link, seen) = told.ok_or("nothing was shared")?;
    let fragment = link.split_once('#').map(|(_, fragment)| format!("#{fragment}"));
    on_page("share-to", async |page| {
        page.set_size(1280, 900).await?;
        page.open_site_at(fragment.as_deref().unwrap_or_default()).await?;
        let lab = page.lab(0);
        lab.wait_until("(lab) => lab.dataset.state === 'ready'").await?;
        assert_eq!(lab.seen().await?, seen);
        assert_eq!(seen.snapshot["paused"], true);
        assert!(lab.stands(page).await?, "the page plays by itself, but not what was shared");
        // What came later is in it too: the run goes on as it did.
        lab.advance(8_000_001).await?;
        assert!(lab.decisions().await?.len() > seen.decisions.len());
        page.assert_calm().await
    })
}

#[test]
fn an_article_has_a_shared_moment_as_an_attribute_and_shares_links_to_the_lab_itself() -> Outcome {
    on_page("share-article", async |page| {
        let lab = page.open_quiet().await?;
        lab.have_history().await?;
        let (link, seen) = (lab.shared_link().await?, lab.seen().await?);
        let run = link.split_once("#run=").ok_or("no run")?.1;
        page.open_article(&format!(
            "<psync-lab run='{run}' seed=5 autoplay style='display:block;height:700px'></psync-lab>"
        ))
        .await?;
        lab.wait_until("(lab) => lab.dataset.state === 'ready'").await?;
        assert_eq!(lab.seen().await?, seen);
        // The article reads no links, the lab's own page does.
        let link = lab.shared_link().await?;
        let opened = link.starts_with(&page.site().url()) || link.contains("/lab/#run=");
        assert!(opened && !link.contains("article"), "{link}");
        page.driver().goto(&link).await?;
        lab.wait_until("(lab) => lab.dataset.state === 'ready'").await?;
        assert_eq!(lab.seen().await?, seen);
        page.assert_calm().await
    })
}

#[test]
fn another_link_in_the_address_bar_is_opened_and_a_bad_one_loses_nothing() -> Outcome {
    on_page("share-hash", async |page| {
        let lab = page.open_quiet().await?;
        lab.have_history().await?;
        let (link, seen) = (lab.shared_link().await?, lab.seen().await?);
        let good = link.split_once('#').ok_or("no fragment")?.1.to_owned();
        lab.advance(20_000_000).await?;
        lab.click("button", "Write").await?;
        // What is no key of ours is no mistake, and begins nothing again.
        let later = lab.seen().await?;
        page.run("location.hash = 'chapter-2'", vec![]).await?;
        assert!(lab.stands(page).await?);
        assert_eq!(lab.seen().await?, later);
        page.run("location.hash = arguments[0]", vec![json!(good)]).await?;
        lab.wait_until_now(&seen).await?;
        assert_eq!(lab.seen().await?, seen);

        lab.click("button", "Write burst").await?;
        lab.advance(1_000_000).await?;
        let present = lab.seen().await?;
        let letter =
            |at: usize, letter: &str| format!("{}{letter}{}", &good[..at], &good[at + 1..]);
        let swap = |at: usize| letter(at, if &good[at..=at] == "x" { "y" } else { "x" });
        // 8 MB of the same letter in 11 kB: unpacked no further than a file may be long.
        let bomb = URL_SAFE_NO_PAD.encode(compress_to_vec_zlib(&[b'a'; 8 << 20], 9));
        for (bad, says) in [
            (format!("run=1.{bomb}"), "link unpacks to more than 4 MB"),
            (good.replace("run=1.", "run=2."), "is of version \"2\"; this page reads version 1"),
            (good.replace("run=1.", "run="), "has no version"),
            ("run=".to_owned(), "has no version: it must begin with \"1.\""),
            ("run=hello".to_owned(), "has no version"),
            (letter(20, "*"), "is damaged: letter 17 is one that no link has"),
            (swap(good.len() - 8), "is damaged"),
            (good[..good.len() - 5].to_owned(), "is damaged: letters are missing or wrong"),
            (swap(30), "is damaged"),
            (format!("run=1.{}", "A".repeat((1 << 20) + 1)), "is too long: more than 1 MB"),
            // Packed well, but no run: {"scenario":{"replicas":0}} and the number 7.
            (
                "run=1.eNqrVipOTs1LLMrMV7KqVipKLcjJTE4sVrIyqK0FAIpECcQ".to_owned(),
                "scenario.replicas is 0",
            ),
            ("run=1.eNozBwAAOAA4".to_owned(), "must be an object, not a number"),
        ] {
            page.run("location.hash = arguments[0]", vec![json!(bad)]).await?;
            let said = lab.complaint().await?;
            let shown = &bad[..bad.len().min(60)];
            assert!(said.contains("URL run=\"") && said.contains(says), "{shown}: {said}");
            assert_eq!(lab.seen().await?, present, "{shown}");
        }
        page.assert_calm().await
    })
}

#[test]
fn a_run_with_hundreds_of_actions_is_saved_and_opened_as_a_file() -> Outcome {
    on_page("share-file", async |page| {
        let folder = env::temp_dir().join(format!("psync-lab-{}", process::id()));
        fs::create_dir_all(&folder)?;
        let downloads = json!({ "behavior": "allow", "downloadPath": folder });
        page.driver().cdp().send_raw("Browser.setDownloadBehavior", downloads).await?;
        let lab = page.open_quiet_with("&seed=99").await?;
        let script = "const [done] = [arguments[0]];
             (async () => {
                 const lab = document.querySelector('psync-lab');
                 for (let n = 0; n < 700; n++) {
                     await lab.act({ do: 'burst', writes: 1 + n * n % 11, value_bytes: 1 + n });
                     await lab.advance(1000 + n * 7919 % 1000);
                 }
             })().then(done, (error) => done(String(error)));";
        let failed = page.driver().execute_async(script, vec![]).await?;
        assert_eq!(failed.json(), &Value::Null);
        let seen = lab.seen().await?;
        lab.click("button", "Share").await?;
        let dialog = lab.find("dialog", "Share this moment").await?.text().await?;
        assert!(dialog.contains("letters long") && dialog.contains("4,096"), "{dialog}");
        assert!(!lab.has("textbox", "Link").await && !lab.has("button", "Copy link").await);
        lab.click("button", "Save as file").await?;
        let file = folder.join("psync-lab-short-blip-99.json");
        let saved = async || Ok(fs::metadata(&file).is_ok_and(|file| file.len() > 0));
        wait_for("the file is saved", saved).await?;
        let text = fs::read_to_string(&file)?;
        assert!(text.lines().count() > 700, "an action a line");

        page.open_site_at("?preset=calm").await?;
        lab.wait_until("(lab) => lab.dataset.state === 'ready'").await?;
        lab.click("button", "Share").await?;
        lab.find("dialog", "Share this moment").await?;
        // The button asks the browser for its own dialog, which only a person can answer.
        let asked = "const field = document.querySelector('psync-lab').shadowRoot
             .querySelector('input[type=file]');
             window.asked = 0;
             field.addEventListener('click', (event) => { asked += 1; event.preventDefault(); });";
        page.run(asked, vec![]).await?;
        lab.click("button", "Open file\u{2026}").await?;
        assert_eq!(page.run("return asked", vec![]).await?, json!(1));
        lab.select("input[type=file]").await?.send_keys(file.to_string_lossy()).await?;
        lab.wait_until_now(&seen).await?;
        assert_eq!(lab.seen().await?, seen);
        lab.root_has("!root.querySelector('dialog[open]')").await?;

        page.open_site_at("?preset=two-windows").await?;
        lab.wait_until("(lab) => lab.dataset.state === 'ready'").await?;
        lab.drop_file("psync-lab.json", &text).await?;
        lab.wait_until_now(&seen).await?;
        assert_eq!(lab.seen().await?, seen);
        fs::remove_dir_all(&folder)?;
        page.assert_calm().await
    })
}

#[test]
fn scenarios_and_links_in_files_are_opened_and_whatever_is_wrong_with_a_file_loses_nothing()
-> Outcome {
    on_page("share-drop", async |page| {
        let lab = page.open_quiet().await?;
        lab.have_history().await?;
        let (link, seen) = (lab.shared_link().await?, lab.seen().await?);
        lab.drop_file("own.json", r#"{ "preset": "calm", "replicas": 5 }"#).await?;
        lab.find("button", "Cut link to replica 5").await?;
        lab.drop_file("run.url", &format!("[InternetShortcut]\r\nURL={link}\r\n")).await?;
        lab.wait_until_now(&seen).await?;
        assert_eq!(lab.seen().await?, seen);
        for (name, text, says) in [
            (
                "diary.txt",
                "Dear diary,".to_owned(),
                "file is not JSON: Unexpected token 'D', \"Dear diary,\" is not valid JSON",
            ),
            (
                "half.json",
                r#"{ "preset": "calm","#.to_owned(),
                "file is not JSON: Expected double-quoted property name in JSON at position",
            ),
            (
                "crowd.json",
                r#"{ "replicas": 1000 }"#.to_owned(),
                "scenario.replicas is 1000; it must be from 1 to 100",
            ),
            ("typo.json", r#"{ "replica": 3 }"#.to_owned(), "scenario.replica is not known here"),
            (
                "action.json",
                r#"{ "actions": [{ "at_us": 5, "do": "explode" }] }"#.to_owned(),
                "scenario.actions[0].do",
            ),
            ("later.json", r#"{ "shared": 9, "scenario": {} }"#.to_owned(), "file.shared is 9"),
            ("link.txt", link.replace("run=1.", "run=7."), "link is of version \"7\""),
            ("cut.txt", link[..link.len() - 9].to_owned(), "link is damaged"),
            ("film.mp4", "\0".repeat((4 << 20) + 1), "it is longer than 4 MB"),
        ] {
            lab.drop_file(name, &text).await?;
            let said = lab.complaint().await?;
            let begins = format!("{name} was not opened: ");
            assert!(said.starts_with(&begins) && said.contains(says), "{name}: {said}");
            assert_eq!(lab.seen().await?, seen, "{name}");
        }
        let told = page.heard("psync-error").await?;
        assert_eq!(told.len(), 9, "scripts hear of each");
        page.assert_calm().await
    })
}

#[test]
fn a_bad_link_at_the_first_visit_is_told_and_the_default_run_is_there() -> Outcome {
    on_page("share-bad", async |page| {
        page.set_size(1280, 900).await?;
        page.open_site_at("?replicas=2#run=1.eNozBwAAOAA5").await?;
        let lab = page.lab(0);
        let said = lab.complaint().await?;
        let says = "URL run=\"1.eNozBwAAOAA5\" was left out: link is damaged: letters are missing or wrong";
        assert_eq!(said, says);
        let scenario = lab.call("scenario", vec![]).await?;
        assert_eq!((&scenario["preset"], &scenario["replicas"]), (&json!("short-blip"), &json!(2)));
        page.assert_calm().await
    })
}

#[test]
fn what_is_mistyped_on_the_console_is_answered_as_a_server_does_and_changes_nothing() -> Outcome {
    on_page("console-mistakes", async |page| {
        let lab = page.open_quiet().await?;
        lab.click("button", "Write").await?;
        lab.settle().await?;
        lab.click("tab", "Console").await?;
        let seen = lab.seen().await?;
        for (line, answer) in [
            ("SET a \"open", "Invalid argument(s)"),
            ("SET a 'open", "Invalid argument(s)"),
            ("SET a \"b\"c", "Invalid argument(s)"),
            ("FROB", "(error) ERR unknown command `FROB`, with args beginning with: "),
            ("SET a", "(error) ERR wrong number of arguments for 'set' command"),
            ("GET a b", "(error) ERR wrong number of arguments for 'get' command"),
            ("SET a b NOPE", "(error) ERR syntax error"),
            ("SET a b EX 0", "(error) ERR invalid expire time in set"),
            ("INCRBY a x", "(error) ERR value is not an integer or out of range"),
            ("CONFIG SET repl-backlog-size many", "(error) ERR "),
            ("CONFIG SET no-such-thing 1", "(error) ERR "),
            ("REPLICAOF nowhere", "(error) ERR wrong number of arguments for 'replicaof' command"),
            ("EXEC", "(error) ERR EXEC without MULTI"),
        ] {
            let said = lab.command(line).await?;
            assert!(said.starts_with(answer), "{line}: {said}");
            assert_eq!(lab.seen().await?.snapshot, seen.snapshot, "{line}");
        }
        page.assert_calm().await
    })
}

#[test]
fn sharing_and_going_back_to_what_was_shared_by_the_keyboard_alone() -> Outcome {
    on_page("share-keys", async |page| {
        let lab = page.open_quiet().await?;
        let granted = json!({ "origin": page.site().origin(),
            "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"] });
        page.driver().cdp().send_raw("Browser.grantPermissions", granted).await?;
        page.tab_to("button", "Share").await?;
        let seen = lab.seen().await?;
        page.press("s").await?;
        page.wait_until_focused("textbox", "Link").await?;
        page.press("w").await?;
        page.press("\t").await?;
        page.wait_until_focused("button", "Copy link").await?;
        page.press(ENTER).await?;
        lab.root_has("root.querySelector('.said').textContent === 'Copied.'").await?;
        let copied = page.driver().execute_async(
            "const done = arguments[0]; navigator.clipboard.readText().then(done, (e) => done(String(e)))",
            vec![],
        );
        let copied = copied.await?.json().as_str().unwrap_or_default().to_owned();
        assert_eq!(
            Some(&*copied),
            lab.select("#share-link").await?.prop("value").await?.as_deref()
        );
        for next in ["Save as file", "Open file\u{2026}", "Close"] {
            page.press("\t").await?;
            page.wait_until_focused("button", next).await?;
        }
        page.press(ESCAPE).await?;
        page.wait_until_focused("button", "Share").await?;
        assert_eq!(lab.seen().await?, seen, "below the dialog no key does anything");
        page.press("w").await?;
        assert_ne!(lab.seen().await?, seen);
        page.driver().goto(&copied).await?;
        // The same page with another fragment: nothing is loaded, the run is opened.
        lab.wait_until_now(&seen).await?;
        page.assert_calm().await
    })
}

#[test]
fn the_dialog_is_in_order_for_axe_at_three_widths_and_in_three_themes() -> Outcome {
    on_page("share-axe", async |page| {
        for theme in Theme::ALL {
            page.set_theme(theme).await?;
            for (width, height) in [(1280, 800), (720, 420), (390, 844)] {
                for long in [false, true] {
                    page.set_size(width, height).await?;
                    page.open_site_at("?preset=too-long&autoplay=false").await?;
                    let lab = page.lab(0);
                    lab.call("seek", vec![json!(17_000_000)]).await?;
                    if long {
                        let act = "const done = arguments[0];
                            const lab = document.querySelector('psync-lab');
                            const acts = [...Array(700).keys()].map((n) => lab.act(
                                { do: 'write', argv: ['SET', `key-${n * n % 1009}`, `${n * n * n % 99991}`] }));
                            Promise.all(acts).then(() => done(), (error) => done(String(error)))";
                        let failed = page.driver().execute_async(act, vec![]).await?;
                        assert_eq!(failed.json(), &Value::Null);
                    }
                    lab.click("button", "Share").await?;
                    lab.find("dialog", "Share this moment").await?;
                    let name = if long { "share-long" } else { "share" };
                    page.take_picture(&format!("{name}-{width}x{height}-{theme}")).await?;
                    let inside = "const box = document.querySelector('psync-lab').shadowRoot
                        .querySelector('dialog[open]').getBoundingClientRect();
                        return box.left >= 0 && box.right <= innerWidth && box.bottom <= innerHeight";
                    assert_eq!(page.run(inside, vec![]).await?, json!(true), "{name} {width}");
                    let violations = page.violations().await?;
                    assert!(violations.is_empty(), "{name} {width} {theme}: {violations:#?}");
                }
            }
        }
        page.assert_calm().await
    })
}
