//! What can be done to a server and its link: from the inspector, from keys, from the drawing;
//! and what the page says where that changes nothing.

use serde_json::{Value, json};
use thirtyfour::Key;

use crate::browser::{Outcome, on_page};
use crate::lab::Lab;
use crate::page::{Page, Theme};
use crate::story::verdicts;

impl Lab<'_> {
    /// A server of the snapshot.
    async fn server(&self, number: usize) -> Outcome<Value> {
        Ok(self.snapshot().await?["servers"][number].clone())
    }

    /// Opens the inspector of a server from the drawing.
    async fn inspect(&self, title: &str) -> Outcome {
        self.click("button", &format!("Inspect {title}")).await?;
        self.find("region", "Inspector").await.map(drop)
    }

    /// Waits until the page says why something changes nothing, and reads it away.
    async fn says_why(&self, page: &Page, why: &str) -> Outcome {
        let text = format!("root.querySelector('.banner p')?.textContent === '{why}'");
        self.root_has(&text).await?;
        page.press("\u{e00c}").await?;
        self.root_has("!root.querySelector('.banner')").await
    }

    /// The card of a replica, in words.
    async fn card(&self, number: usize) -> Outcome<String> {
        let selector = format!(".replica:has([data-number=\"{number}\"])");
        Ok(self.select(&selector).await?.text().await?)
    }

    /// How much simulated time goes by until all are in sync.
    async fn time_to_settle(&self) -> Outcome<u64> {
        let before = self.now_us().await?;
        self.settle().await?;
        Ok(self.now_us().await? - before)
    }
}

#[test]
fn one_way_of_a_link_is_cut_and_healed_and_the_drawing_says_which() -> Outcome {
    on_page("doing-one-way", async |page| {
        let lab = page.open_quiet().await?;
        lab.inspect("replica 2").await?;
        lab.click("button", "Cut the way to replica 2").await?;
        lab.find("button", "Heal the way to replica 2").await?;
        let link = lab.server(2).await?["link"].clone();
        assert_eq!(
            (&link["cut_to_replica"], &link["cut_to_master"]),
            (&json!(true), &json!(false))
        );
        assert!(lab.card(2).await?.contains("cut to replica"), "{}", lab.card(2).await?);
        // Nothing arrives, and yet the replica speaks.
        lab.click("button", "Write").await?;
        lab.advance(2_000_000).await?;
        let (master, replica) = (lab.offset(0).await?, lab.offset(2).await?);
        assert!(replica < master, "{replica} of {master}");
        lab.click("button", "Heal the way to replica 2").await?;
        lab.settle().await?;

        lab.click("button", "Cut the way from replica 2").await?;
        lab.find("button", "Heal the way from replica 2").await?;
        assert!(lab.card(2).await?.contains("cut to master"));
        lab.click("button", "Heal the way from replica 2").await?;
        lab.find("button", "Cut the way from replica 2").await?;
        assert_eq!(lab.link(2).await?, "up", "the connection has outlived it");
        page.assert_calm().await
    })
}

#[test]
fn a_slow_and_a_lossy_link_take_longer_and_say_what_they_are() -> Outcome {
    on_page("doing-slow", async |page| {
        let lab = page.open_quiet().await?;
        lab.inspect("replica 1").await?;
        lab.click("button", "Write burst").await?;
        let quick = lab.time_to_settle().await?;
        for (slider, keys, says) in [
            ("Latency, replica 1", Key::End + "", "10.0 s"),
            ("Bandwidth, replica 1", Key::Home + "", "1,000 B/s"),
            ("Loss, replica 1", Key::Home + Key::Right + Key::Right, "1 in 500"),
        ] {
            let slider = lab.find("slider", slider).await?;
            slider.send_keys(keys).await?;
            assert_eq!(slider.attr("aria-valuetext").await?.as_deref(), Some(says));
        }
        let link = lab.server(1).await?["link"].clone();
        assert_eq!(link["latency_us"], 10_000_000);
        assert_eq!(link["bandwidth_bytes_per_second"], 1000);
        assert_eq!(link["loss"], "2/1000");
        assert!(lab.card(1).await?.contains("slow, lossy"), "{}", lab.card(1).await?);
        lab.root_has("root.querySelector('.wire-note').textContent.includes('10.0 s')").await?;
        lab.find("slider", "Latency, replica 1").await?.send_keys(Key::Home + "").await?;
        lab.click("button", "Write burst").await?;
        let slow = lab.time_to_settle().await?;
        assert!(slow > quick + 3_000_000, "{slow} is not much longer than {quick}");
        page.assert_calm().await
    })
}

#[test]
fn a_frozen_server_stands_still_until_it_thaws_and_cannot_be_promoted() -> Outcome {
    on_page("doing-freeze", async |page| {
        let lab = page.open_quiet().await?;
        lab.inspect("replica 3").await?;
        lab.click("button", "Freeze replica 3").await?;
        lab.find("button", "Thaw replica 3").await?;
        assert_eq!(lab.server(3).await?["frozen"], true);
        assert!(lab.card(3).await?.contains("frozen"));
        let before = lab.offset(3).await?;
        lab.click("button", "Write").await?;
        lab.advance(2_000_000).await?;
        assert_eq!(lab.offset(3).await?, before);
        lab.click("button", "Promote replica 3").await?;
        lab.says_why(page, "replica 3 is frozen and answers nothing").await?;
        // The focus is on a button of the page: the same by key.
        page.press("z").await?;
        lab.find("button", "Freeze replica 3").await?;
        lab.settle().await?;
        page.press("z").await?;
        lab.find("button", "Thaw replica 3").await?;
        page.assert_calm().await
    })
}

#[test]
fn a_killed_server_is_gone_until_it_is_started_and_says_so_to_all_who_ask() -> Outcome {
    on_page("doing-kill", async |page| {
        let lab = page.open_quiet().await?;
        lab.inspect("replica 1").await?;
        lab.click("button", "Kill replica 1").await?;
        lab.find("button", "Start replica 1").await?;
        lab.advance(1_000_000).await?;
        assert_eq!(lab.server(1).await?["killed"], true);
        assert_eq!(lab.server(0).await?["connected_replicas"], 2);
        assert!(lab.card(1).await?.contains("killed"));
        let why = "replica 1 is killed and must be started";
        for useless in ["Freeze replica 1", "Restart with its saved ID: replica 1"] {
            lab.click("button", useless).await?;
            lab.says_why(page, why).await?;
        }
        page.press("p").await?;
        lab.says_why(page, why).await?;
        lab.click("button", "Start replica 1").await?;
        lab.find("button", "Kill replica 1").await?;
        lab.settle().await?;
        // By key too; and the master, with the drawing's own button.
        page.press("k").await?;
        lab.find("button", "Start replica 1").await?;
        lab.inspect("master").await?;
        page.press("k").await?;
        lab.find("button", "Start master").await?;
        lab.click("button", "Write burst").await?;
        lab.says_why(page, "burst, but no server runs that takes writes").await?;
        page.press("k").await?;
        lab.find("button", "Kill master").await?;
        page.assert_calm().await
    })
}

#[test]
fn a_restart_with_the_saved_id_can_go_on_and_one_without_cannot() -> Outcome {
    on_page("doing-restart", async |page| {
        let lab = page.open_quiet().await?;
        lab.click("button", "Write").await?;
        lab.settle().await?;
        let known = lab.decisions().await?.len();
        lab.inspect("replica 2").await?;
        let replid = lab.server(2).await?["replid"].clone();
        page.press("R").await?;
        let decided = lab.decided(known, 1).await?;
        assert_eq!(verdicts(&decided), ["replica-2 partial -"]);
        assert_eq!(lab.server(2).await?["replid"], replid);
        lab.settle().await?;
        lab.click("button", "Restart with its saved ID: replica 2").await?;
        assert_eq!(verdicts(&lab.decided(known + 1, 1).await?), ["replica-2 partial -"]);
        lab.settle().await?;
        lab.click("button", "Restart replica 2").await?;
        assert_eq!(verdicts(&lab.decided(known + 2, 1).await?), ["replica-2 full requested"]);
        page.assert_calm().await
    })
}

#[test]
fn replicas_are_chained_promoted_and_disconnected_from_the_inspector() -> Outcome {
    on_page("doing-chain", async |page| {
        let lab = page.open_quiet().await?;
        lab.inspect("replica 2").await?;
        let menu = lab.select(".inspector .follow select").await?;
        menu.send_keys("replica 1").await?;
        lab.root_has("root.querySelector('.inspector h3').textContent === 'Link to replica 1'")
            .await?;
        assert_eq!(lab.server(2).await?["link"]["master"], "replica-1");
        lab.settle().await?;
        let known = lab.decisions().await?.len();
        lab.inspect("replica 1").await?;
        lab.click("button", "Disconnect replica 1").await?;
        let decided = verdicts(&lab.decided(known, 2).await?);
        assert!(decided.iter().all(|said| said.ends_with("partial -")), "{decided:?}");
        page.press("p").await?;
        lab.root_has("root.querySelector('.inspected').textContent.includes('a master')").await?;
        assert_eq!(lab.server(1).await?["role"], "master");
        page.press("p").await?;
        lab.says_why(page, "replica 1 is a master already").await?;
        lab.inspect("replica 2").await?;
        lab.click("button", "Kill replica 2").await?;
        lab.inspect("replica 1").await?;
        lab.advance(1_000_000).await?;
        lab.click("button", "Disconnect replica 1").await?;
        lab.says_why(page, "replica-1 has no connection that could be ended").await?;
        page.assert_calm().await
    })
}

#[test]
fn keys_act_on_the_chosen_server_and_say_so_when_none_is_chosen() -> Outcome {
    on_page("doing-keys", async |page| {
        let lab = page.open_quiet().await?;
        lab.click("tab", "INFO").await?;
        page.press("z").await?;
        lab.says_why(page, "Choose a server first: press its name on the map.").await?;
        lab.click("button", "replica 2").await?;
        page.press("o").await?;
        lab.find("region", "Inspector").await?;
        page.press(">").await?;
        lab.find("button", "Heal the way to replica 2").await?;
        page.press("<").await?;
        lab.find("button", "Heal the way from replica 2").await?;
        assert_eq!(lab.link(2).await?, "cut");
        page.press("2").await?;
        lab.find("button", "Cut the way from replica 2").await?;
        lab.settle().await?;
        // A master has no link to be cut.
        lab.click("button", "Inspect master").await?;
        page.press("<").await?;
        lab.says_why(page, "master has no master, and so no link").await?;
        page.assert_calm().await
    })
}

impl Page {
    /// Draws a stroke over the pad: shares of its width and height, from its lower left corner.
    async fn draw(&self, lab: &Lab<'_>, stroke: &[(f64, f64)]) -> Outcome {
        let script = "const lab = document.querySelector('psync-lab').shadowRoot;
             const box = lab.querySelector('.pad').getBoundingClientRect();
             return [box.left, box.bottom, box.width, box.height]";
        lab.find("slider", "Rate curve").await?.scroll_into_view().await?;
        let place: [f64; 4] = serde_json::from_value(self.run(script, vec![]).await?)?;
        let at = |(x, y): (f64, f64)| {
            ((place[0] + x * place[2]) as i64, (place[1] - y * place[3]) as i64)
        };
        let mut points = stroke.iter().copied().map(at);
        let first = points.next().ok_or("no stroke")?;
        let pen = self.driver().action_chain().move_to(first.0, first.1).click_and_hold();
        points.fold(pen, |pen, to| pen.move_to(to.0, to.1)).release().perform().await?;
        Ok(())
    }
}

/// Bytes of history a second, over this many seconds each.
async fn rates(lab: &Lab<'_>, seconds: &[u64]) -> Outcome<Vec<u64>> {
    let mut rates = Vec::new();
    for span in seconds {
        let before = lab.offset(0).await?;
        lab.advance(span * 1_000_000).await?;
        rates.push((lab.offset(0).await? - before) / span);
    }
    Ok(rates)
}

#[test]
fn writes_follow_a_curve_that_is_drawn_by_hand() -> Outcome {
    on_page("doing-curve", async |page| {
        let lab = page.open_quiet().await?;
        lab.click("button", "Draw the write rate").await?;
        // Nothing for a half of it, then the top.
        page.draw(&lab, &[(0.001, 0.01), (0.3, 0.01), (0.5, 0.01)]).await?;
        page.draw(&lab, &[(0.55, 0.99), (0.8, 0.99), (0.999, 0.99)]).await?;
        lab.click("button", "Write like this").await?;
        lab.find("button", "Steady again, 0/s").await?;
        let scenario = lab.call("scenario", vec![]).await?;
        let curve = scenario["actions"][0]["curve"].as_array().ok_or("no curve")?.clone();
        let rate = |at: usize| curve[at]["writes_per_second"].as_u64().unwrap_or(u64::MAX);
        assert!((0..=10).all(|at| rate(at) <= 3), "{curve:?}");
        assert!((11..=20).all(|at| rate(at) >= 97), "{curve:?}");
        let rates = rates(&lab, &[14, 3, 13]).await?;
        assert!(rates[0] < 500 && rates[2] > 5000, "{rates:?}");
        lab.root_has("root.querySelector('.pad .present').textContent.endsWith('/s')").await?;
        lab.click("button", "Steady again, 0/s").await?;
        lab.root_has("!root.querySelector('.pad .present')").await?;
        lab.advance(1_000_000).await?;
        let before = lab.offset(0).await?;
        lab.advance(5_000_000).await?;
        assert!(lab.offset(0).await? - before < 100, "only PINGs");
        page.assert_calm().await
    })
}

#[test]
fn a_curve_can_be_drawn_with_the_keyboard_and_made_of_a_shape() -> Outcome {
    on_page("doing-curve-keys", async |page| {
        let lab = page.open_quiet().await?;
        lab.click("button", "Draw the write rate").await?;
        lab.click("button", "Pulses").await?;
        let pad = lab.find("slider", "Rate curve").await?;
        pad.send_keys(Key::Home + Key::PageUp).await?;
        lab.root_has("root.querySelector('.pad').ariaValueText === '0.0 s: 100 writes/s'").await?;
        pad.send_keys(Key::Down + Key::Down + Key::Right).await?;
        lab.root_has("root.querySelector('.pad').ariaValueText === '1.5 s: 100 writes/s'").await?;
        let now = lab.now_us().await?;
        pad.send_keys(Key::Left + "").await?;
        assert_eq!(lab.now_us().await?, now, "the arrows are the pad's, and no step of time");
        let peak = lab.select(".pad-tools input").await?;
        peak.send_keys(Key::Control + "a" + Key::Null + "400\t").await?;
        lab.root_has("root.querySelector('.pad').ariaValueText === '0.0 s: 360 writes/s'").await?;
        lab.click("button", "Write like this").await?;
        lab.find("button", "Steady again, 0/s").await?;
        let scenario = lab.call("scenario", vec![]).await?;
        let curve = &scenario["actions"][0]["curve"];
        assert_eq!(curve[0], json!({"at_us": 0, "writes_per_second": 360}));
        assert_eq!(curve[20], json!({"at_us": 30_000_000, "writes_per_second": 0}));
        page.assert_calm().await
    })
}

#[test]
fn the_write_rate_is_a_slider_whose_top_is_refused_with_a_reason() -> Outcome {
    on_page("doing-rate", async |page| {
        let lab = page.open_quiet_with("&value-bytes=1000").await?;
        let slider = lab.find("slider", "Write rate").await?;
        slider.send_keys(Key::Right + Key::Right + Key::Right).await?;
        lab.root_has("root.querySelector('[aria-valuetext=\"5 writes/s\"]')").await?;
        let rates = rates(&lab, &[10]).await?;
        assert!((5000..5500).contains(&rates[0]), "5 writes of 1,000 bytes: {rates:?}");
        slider.send_keys(Key::End + "").await?;
        lab.root_has("root.querySelector('.banner p')?.textContent.includes('1000000 writes')")
            .await?;
        assert_eq!(slider.attr("aria-valuetext").await?.as_deref(), Some("5 writes/s"));
        page.assert_calm().await
    })
}

#[test]
fn no_violation_in_the_inspector_and_at_the_pad() -> Outcome {
    on_page("axe-doing", async |page| {
        for theme in Theme::ALL {
            page.set_theme(theme).await?;
            let lab = page.open_quiet().await?;
            lab.inspect("replica 1").await?;
            lab.click("button", "Cut the way to replica 1").await?;
            lab.find("slider", "Loss, replica 1").await?.send_keys(Key::End + "").await?;
            lab.click("button", "Draw the write rate").await?;
            lab.click("button", "Day").await?;
            lab.click("button", "Write like this").await?;
            lab.advance(5_000_000).await?;
            page.press("z").await?;
            let violations = page.violations().await?;
            assert!(violations.is_empty(), "{theme:?}: {violations:#?}");
            page.press("k").await?;
            let violations = page.violations().await?;
            assert!(violations.is_empty(), "killed, {theme:?}: {violations:#?}");
        }
        page.assert_calm().await
    })
}

#[test]
fn the_console_remembers_completes_and_speaks_to_any_server() -> Outcome {
    on_page("doing-console", async |page| {
        let lab = page.open_quiet().await?;
        lab.click("tab", "Console").await?;
        let line = lab.find("textbox", "Command").await?;
        let reads = async |text: &str| {
            lab.root_has(&format!("root.querySelector('.console input').value === '{text}'")).await
        };
        let answered = async |text: &str| {
            lab.root_has(&format!(
                "root.querySelector('.console .lines li pre')?.textContent === '{text}'"
            ))
            .await
        };
        line.send_keys("SET a 1\n").await?;
        answered("OK").await?;
        line.send_keys("incr").await?;
        line.send_keys(Key::Right + "").await?;
        reads("INCRBY ").await?;
        lab.root_has("root.querySelector('.syntax').textContent === 'INCRBY key increment'")
            .await?;
        line.send_keys("a 5\n").await?;
        answered("(integer) 6").await?;
        line.send_keys(Key::Up + Key::Up).await?;
        reads("SET a 1").await?;
        line.send_keys(Key::Down + "").await?;
        reads("INCRBY a 5").await?;
        line.send_keys(Key::Down + "").await?;
        reads("").await?;
        // Tab leaves the line, as everywhere.
        line.send_keys("\t").await?;
        page.wait_until_focused("button", "Run").await?;
        lab.select(".console select").await?.send_keys("replica 2").await?;
        line.send_keys("SET a 2\n").await?;
        lab.root_has("root.querySelector('.console').textContent.includes('READONLY')").await?;
        lab.call("act", vec![json!({ "do": "kill", "server": "replica-2" })]).await?;
        line.send_keys("PING\n").await?;
        lab.root_has("root.querySelector('.console').textContent.includes('10.0.0.3:6379: Connection refused')")
            .await?;
        page.assert_calm().await
    })
}
