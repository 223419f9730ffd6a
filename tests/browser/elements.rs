//! Several elements on one page, elements out of sight, and elements inside other components:
//! what embedding promises.

use serde_json::{Value, json};

use crate::browser::{Outcome, on_page};
use crate::page::{Page, Theme};

/// Three worlds in one window.
const THREE: &str = "
    <psync-lab id=one style='display:block;height:280px' seed=1 writes-per-second=50></psync-lab>
    <psync-lab id=two style='display:block;height:280px' seed=2 preset=too-long></psync-lab>
    <psync-lab id=three style='display:block;height:280px' seed=3 replicas=5></psync-lab>";

impl Page {
    async fn open_three(&self) -> Outcome {
        self.set_size(900, 1000).await?;
        self.open_article(THREE).await?;
        for index in 0..3 {
            self.lab(index).wait_until("(lab) => lab.dataset.state === 'ready'").await?;
        }
        self.listen().await
    }
}

#[test]
fn what_is_done_to_one_of_three_elements_leaves_the_others_alone() -> Outcome {
    on_page("three-act", async |page| {
        page.open_three().await?;
        let labs = [page.lab(0), page.lab(1), page.lab(2)];
        for (lab, servers) in labs.iter().zip([4, 4, 6]) {
            lab.advance(2_000_000).await?;
            let snapshot = lab.snapshot().await?;
            assert_eq!(snapshot["servers"].as_array().map(Vec::len), Some(servers));
        }
        let (first, third) = (labs[0].snapshot().await?, labs[2].snapshot().await?);
        labs[1].call("act", vec![json!({ "do": "cut", "replica": "replica-1" })]).await?;
        labs[1]
            .call("act", vec![json!({ "do": "burst", "writes": 500, "value_bytes": 64 })])
            .await?;
        labs[1].advance(3_000_000).await?;
        assert_eq!(labs[1].link(1).await?, "cut");
        assert_eq!(labs[0].snapshot().await?, first);
        assert_eq!(labs[2].snapshot().await?, third);
        let changed = page.heard("psync-change").await?;
        let last = changed.last().ok_or("nothing was told")?;
        assert_eq!(last["from"], "two", "an event says which element changed");

        // Keys are for the element that has the focus.
        labs[2].find("button", "Play").await?.focus().await?;
        page.press("1").await?;
        assert_eq!(labs[2].link(1).await?, "cut");
        assert_eq!(labs[0].snapshot().await?, first);
        page.assert_calm().await
    })
}

#[test]
fn pausing_one_of_three_elements_pauses_no_other() -> Outcome {
    on_page("three-pause", async |page| {
        page.open_three().await?;
        let labs = [page.lab(0), page.lab(1), page.lab(2)];
        for lab in &labs {
            lab.call("play", vec![]).await?;
            lab.wait_until_after(0).await?;
        }
        labs[1].call("pause", vec![]).await?;
        let stands_at = labs[1].now_us().await?;
        for lab in [&labs[0], &labs[2]] {
            let now = lab.now_us().await?;
            lab.wait_until_after(now).await?;
        }
        assert_eq!(labs[1].now_us().await?, stands_at);
        let paused = |snapshot: Value| snapshot["paused"] == true;
        assert!(paused(labs[1].snapshot().await?));
        assert!(!paused(labs[0].snapshot().await?) && !paused(labs[2].snapshot().await?));
        page.assert_calm().await
    })
}

#[test]
fn nothing_is_loaded_or_runs_before_it_is_seen_and_it_stands_out_of_sight() -> Outcome {
    on_page("out-of-sight", async |page| {
        page.set_size(900, 600).await?;
        page.open_article(
            "<p style='height:4000px'>Long.</p>
             <psync-lab autoplay style='display:block;height:400px'></psync-lab>
             <p style='height:4000px'>Longer.</p>",
        )
        .await?;
        let lab = page.lab(0);
        lab.wait_until("(lab) => lab.shadowRoot").await?;
        page.wait_until("document.readyState === 'complete'").await?;
        let wanted = page.site().requests().iter().any(|request| request.path.ends_with(".wasm"));
        assert!(!wanted, "the module is for those who see it");
        // Being called starts it, but does not make it visible.
        assert_eq!(lab.snapshot().await?["paused"], false);
        assert!(lab.stands(page).await?);
        assert_eq!(lab.now_us().await?, 0);

        page.run("document.querySelector('psync-lab').scrollIntoView()", vec![]).await?;
        lab.wait_until_after(0).await?;
        page.run("scrollTo(0, 0)", vec![]).await?;
        lab.wait_until_it_stands(page).await?;
        let stands_at = lab.now_us().await?;
        assert_eq!(lab.snapshot().await?["paused"], false, "it is only out of sight");
        page.run("document.querySelector('psync-lab').scrollIntoView()", vec![]).await?;
        lab.wait_until_after(stands_at).await?;
        page.assert_calm().await
    })
}

#[test]
fn events_leave_the_shadow_of_a_component_that_embeds_the_element() -> Outcome {
    on_page("composed", async |page| {
        page.open_article("<div id=outer></div>").await?;
        page.listen().await?;
        page.wait_until("customElements.get('psync-lab')").await?;
        let script = "const done = arguments[0];
             const shadow = document.getElementById('outer').attachShadow({ mode: 'open' });
             shadow.innerHTML = '<psync-lab></psync-lab>';
             const lab = shadow.firstChild;
             lab.advance(3000000)
                 .then(() => lab.setAttribute('seed', 'abc'))
                 .then(() => done(true), (error) => done(String(error)));";
        let done = page.driver().execute_async(script, vec![]).await?;
        assert_eq!(done.json(), &json!(true));
        page.wait_until("heard.some((event) => event.name === 'psync-error')").await?;
        for name in ["psync-decision", "psync-change", "psync-error"] {
            let heard = page.heard(name).await?;
            let event = heard.last().ok_or(format!("no {name} was heard"))?;
            assert_eq!((&event["bubbles"], &event["composed"]), (&json!(true), &json!(true)));
            assert_eq!(event["from"], "outer", "as seen from outside");
        }
        let errors = page.heard("psync-error").await?;
        let message = errors[0]["detail"]["message"].as_str().unwrap_or_default();
        assert!(message.contains("seed=\"abc\""), "{message}");
        page.assert_calm().await
    })
}

#[test]
fn a_method_sees_what_the_attributes_said_just_before_it() -> Outcome {
    on_page("attribute-then-method", async |page| {
        let lab = page.open_quiet().await?;
        lab.call("seek", vec![json!(1_000_000)]).await?;
        let link = "1.eNqrVipOTs1LLMrMV7KqVipKLcjJTE4sVrIyrK0FAIpHCcU";
        let script = "const [link, done] = arguments;
             (async () => {
                 const lab = document.querySelector('psync-lab');
                 lab.setAttribute('preset', 'calm');
                 await lab.act({ do: 'cut', replica: 'replica-1' });
                 const calm = await lab.scenario();
                 lab.setAttribute('replicas', '2');
                 const two = await lab.scenario();
                 lab.setAttribute('run', link);
                 lab.setAttribute('class', 'a');
                 const run = await lab.scenario();
                 return [calm.preset, calm.actions.length, two.replicas, run.replicas];
             })().then(done, (error) => done(String(error)));";
        let seen = page.driver().execute_async(script, vec![json!(link)]).await?;
        assert_eq!(seen.json(), &json!(["calm", 1, 2, 1]));
        page.assert_calm().await
    })
}

#[test]
fn who_asks_for_less_motion_gets_a_page_that_waits_to_be_started() -> Outcome {
    on_page("reduced-motion", async |page| {
        page.set_preferences(Theme::Light, true).await?;
        page.set_size(1280, 900).await?;
        page.open_site().await?;
        let lab = page.lab(0);
        lab.wait_until("(lab) => lab.dataset.state === 'ready'").await?;
        assert_eq!(lab.snapshot().await?["paused"], true, "autoplay is not for everybody");
        assert!(lab.stands(page).await?);
        lab.click("button", "Step").await?;
        lab.click("button", "Play").await?;
        let now = lab.now_us().await?;
        lab.wait_until_after(now).await?;
        lab.click("button", "Pause").await?;
        lab.advance(15_000_000).await?;
        lab.shows("partial", None).await?;
        page.assert_calm().await
    })
}
