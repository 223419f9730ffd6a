//! INFO and ROLE: what each server really answers, and the thing on the drawing each line is about.

use serde_json::json;
use thirtyfour::Key;

use crate::browser::{Outcome, on_page};
use crate::lab::Lab;
use crate::page::Theme;

impl Lab<'_> {
    /// The lines of an answer in the panel, by its command.
    async fn lines(&self, command: &str) -> Outcome<Vec<String>> {
        let script = "const list = document.querySelector('psync-lab').shadowRoot
                 .querySelector(`[role=listbox][aria-label='${arguments[0]}']`);
             return [...list.children].map((line) => line.querySelector('.line').textContent)";
        Ok(serde_json::from_value(self.page().run(script, vec![json!(command)]).await?)?)
    }

    /// What the console of the chosen server replies.
    async fn console_says(&self, command: &str) -> Outcome<String> {
        let input = self.find("textbox", "Command").await?;
        input.send_keys(command).await?;
        input.send_keys(Key::Enter.value().to_string()).await?;
        self.root_has(&format!(
            "root.querySelector('.console li .prompt')?.textContent.endsWith('> {command}')"
        ))
        .await?;
        let script = "return document.querySelector('psync-lab').shadowRoot
             .querySelector('.console li pre').textContent";
        Ok(serde_json::from_value(self.page().run(script, vec![json!(command)]).await?)?)
    }

    async fn choose(&self, server: usize) -> Outcome {
        let script = "const select = document.querySelector('psync-lab').shadowRoot
                 .querySelector('[aria-label=\"Server asked\"]');
             select.value = arguments[0];
             select.dispatchEvent(new Event('change', { bubbles: true }))";
        self.page().run(script, vec![json!(server.to_string())]).await?;
        self.root_has(&format!(
            "root.querySelector('[aria-label=\"Server asked\"]').value === '{server}'"
        ))
        .await
    }

    /// Waits until exactly these places are outlined.
    async fn marks(&self, places: &[&str]) -> Outcome {
        let found: Vec<String> = places
            .iter()
            .map(|place| {
                format!(
                    "[...root.querySelectorAll('[data-place~={place}]')]
                         .some((e) => getComputedStyle(e).outlineStyle === 'solid')"
                )
            })
            .collect();
        let all = if found.is_empty() { "true".to_owned() } else { found.join(" && ") };
        let count = "[...root.querySelectorAll('[data-place]')]
             .filter((e) => getComputedStyle(e).outlineStyle === 'solid' && !e.matches(':focus')).length";
        self.root_has(&format!("{all} && {count} === {}", places.len())).await
    }
}

/// Points at the line that begins so.
async fn hover(lab: &Lab<'_>, start: &str) -> Outcome {
    let line = lab.page().driver().execute(
        "return [...document.querySelector('psync-lab').shadowRoot.querySelectorAll('.said li')]
             .find((line) => line.textContent.startsWith(arguments[0]))",
        vec![json!(start)],
    );
    let line = line.await?.element()?;
    line.scroll_into_view().await?;
    Ok(lab.page().driver().action_chain().move_to_element_center(&line).perform().await?)
}

#[test]
fn each_server_says_in_the_panel_what_it_answers_in_the_console() -> Outcome {
    on_page("info-answers", async |page| {
        page.set_size(1280, 900).await?;
        page.open_site_at("?preset=too-long&autoplay=false").await?;
        let lab = page.lab(0);
        lab.wait_until("(lab) => lab.dataset.state === 'ready'").await?;
        lab.advance(16_900_000).await?;
        for server in 0..4 {
            lab.click("tab", "INFO").await?;
            lab.choose(server).await?;
            lab.root_has("root.querySelector('.panel').scrollTop === 0").await?;
            let (info, role) = (lab.lines("INFO replication").await?, lab.lines("ROLE").await?);
            lab.click("tab", "Console").await?;
            let reply = lab.console_says("INFO replication").await?;
            assert_eq!(format!("# Replication\n{}", info.join("\n")), reply);
            assert_eq!(role.join("\n"), lab.console_says("ROLE").await?);
            assert!(info[0] == if server == 0 { "role:master" } else { "role:slave" });
        }
        page.assert_calm().await
    })
}

#[test]
fn pointing_at_a_line_marks_its_thing_on_the_drawing() -> Outcome {
    on_page("info-points", async |page| {
        let lab = page.open_quiet().await?;
        lab.click("tab", "INFO").await?;
        let table: [(usize, &str, &[&str]); 8] = [
            (0, "role:", &["master"]),
            (0, "slave1:", &["replica-2", "replica-2-link"]),
            (0, "master_replid:", &["replid"]),
            (0, "master_repl_offset:", &["offset"]),
            (0, "repl_backlog_size:", &["dial"]),
            (0, "connected_slaves:", &["cards"]),
            (2, "master_link_status:", &["replica-2-link"]),
            (2, "slave_repl_offset:", &["replica-2"]),
        ];
        let mut chosen = 0;
        for (server, start, places) in table {
            if chosen != server {
                chosen = server;
                lab.choose(server).await?;
            }
            hover(&lab, start).await?;
            lab.marks(places).await?;
        }
        let away = lab.find("button", "Share").await?;
        page.driver().action_chain().move_to_element_center(&away).perform().await?;
        lab.marks(&[]).await?;
        page.assert_calm().await
    })
}

#[test]
fn the_keyboard_goes_through_the_lines_and_each_marks_its_thing() -> Outcome {
    on_page("info-keys", async |page| {
        let lab = page.open_quiet().await?;
        lab.click("tab", "INFO").await?;
        lab.find("combobox", "Server asked").await?.focus().await?;
        page.press("\t").await?;
        lab.marks(&["master"]).await?;
        let shown = "[...root.querySelectorAll('.said .meaning')]
             .filter((line) => line.checkVisibility()).length === 1";
        lab.root_has(shown).await?;
        page.press(Key::Down.value().to_string()).await?;
        lab.marks(&["cards"]).await?;
        page.press(Key::Down.value().to_string()).await?;
        lab.marks(&["replica-1", "replica-1-link"]).await?;
        page.press(Key::End.value().to_string()).await?;
        lab.marks(&["dial"]).await?;
        // One more stop leads to ROLE, and the next one out of both lists.
        page.press("\t").await?;
        lab.marks(&["master"]).await?;
        page.press("\t").await?;
        lab.marks(&[]).await?;
        page.assert_calm().await
    })
}

#[test]
fn no_violation_while_a_line_of_info_and_a_row_of_the_transcript_have_the_focus() -> Outcome {
    on_page("info-axe", async |page| {
        for theme in Theme::ALL {
            page.set_theme(theme).await?;
            let lab = page.open_quiet().await?;
            lab.select(".transcript [aria-current]").await?.focus().await?;
            let violations = page.violations().await?;
            assert!(violations.is_empty(), "transcript, {theme:?}: {violations:#?}");
            lab.click("tab", "INFO").await?;
            lab.select(".said li").await?.focus().await?;
            lab.marks(&["master"]).await?;
            let violations = page.violations().await?;
            assert!(violations.is_empty(), "INFO, {theme:?}: {violations:#?}");
        }
        page.assert_calm().await
    })
}
