//! Lessons: chosen from the list, read step by step, each played to its ticked goal.
//!
//! The page is read by names; the solution of a goal comes from the lesson's own file, and when to
//! do what is found out by the same run, played natively up to the same moment.

use psync::cluster::{Run, Scenario};
use psync::lesson::{self, Lesson};
use psync::time::{Instant, SECOND_US};
use serde_json::{Value, json};

use crate::browser::{Outcome, on_page};
use crate::lab::Lab;
use crate::page::{Page, Theme, wait_for};

/// The region as a script sees it.
const REGION: &str = "root.querySelector('.lesson')";

impl Page {
    /// Opens the site in a lesson.
    pub async fn open_lesson(&self, query: &str) -> Outcome<Lab<'_>> {
        self.set_size(1280, 900).await?;
        self.open_site_at(query).await?;
        let lab = self.lab(0);
        lab.wait_until("(lab) => lab.dataset.state === 'ready'").await?;
        Ok(lab)
    }
}

impl Lab<'_> {
    /// The number of the step, from 1.
    pub async fn step(&self) -> Outcome<usize> {
        let step = self.select(".lesson").await?.attr("data-step").await?;
        Ok(step.ok_or("the lesson has no step")?.parse()?)
    }

    /// Waits until the lesson is at a step.
    pub async fn comes_to_step(&self, step: usize) -> Outcome {
        self.root_has(&format!("{REGION}?.dataset.step === '{step}'")).await
    }

    /// Waits until what the step waits for has come.
    async fn has_come(&self) -> Outcome {
        self.root_has(&format!("{REGION}.classList.contains('is-come')")).await
    }

    /// Reads up to the goal: does what is asked, and goes on.
    async fn read(&self, lesson: &Lesson) -> Outcome {
        for (number, step) in lesson.steps[..lesson.goal()].iter().enumerate() {
            self.comes_to_step(number + 1).await?;
            if let Some(ask) = &step.ask {
                self.click("button", &ask.label).await?;
            }
            self.click("button", "Next").await?;
        }
        self.comes_to_step(lesson.goal() + 1).await
    }

    /// Does what the lesson's file says leads to the goal, and lets time go by until it ticks.
    async fn solve(&self, lesson: &'static Lesson) -> Outcome {
        let scenario = self.call("scenario", vec![]).await?.to_string();
        let mut run = Run::new(Scenario::from_json(&scenario).map_err(|why| why.to_string())?);
        run.seek(Instant(self.now_us().await?));
        for ((when, action), raw) in lesson.solution.iter().zip(solution(lesson)?) {
            let (since, from) = (run.world().next_entry(), run.now().0);
            while when.as_ref().is_some_and(|when| !when.holds(since, &run)) {
                assert!(run.now().0 < from + 180 * SECOND_US, "{}: in vain", lesson.name);
                run.advance_us(10_000);
            }
            if run.now().0 > from {
                self.advance(run.now().0 - from).await?;
            }
            run.act(action.clone()).map_err(|why| why.to_string())?;
            self.call("act", vec![raw]).await?;
        }
        for _ in 0..180 {
            let goal = self.select(".lesson").await?.attr("data-goal").await?;
            if goal.as_deref() == Some("reached") {
                return Ok(());
            }
            self.advance(SECOND_US).await?;
        }
        Err(format!("{}: the goal is not ticked", lesson.name).into())
    }
}

/// The actions of the solution as the file has them.
fn solution(lesson: &Lesson) -> Outcome<Vec<Value>> {
    let number = lesson::all().iter().position(|one| one.name == lesson.name).unwrap_or(0) + 1;
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/static/lessons");
    for file in std::fs::read_dir(folder)? {
        let path = file?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with(&format!("{number}-")) {
            let json: Value = serde_json::from_str(&std::fs::read_to_string(path)?)?;
            let steps = json["solution"].as_array().ok_or("no solution")?;
            return Ok(steps.iter().map(|step| step["do"].clone()).collect());
        }
    }
    Err(format!("no file of lesson {number}").into())
}

/// Plays lessons one after the other, in one page, the later ones begun by "Next lesson".
async fn play(page: &Page, numbers: std::ops::RangeInclusive<usize>) -> Outcome {
    let lab = page.open_lesson(&format!("?lesson={}", numbers.start())).await?;
    for number in numbers.clone() {
        let lesson = &lesson::all()[number - 1];
        lab.root_has(&format!("{REGION}?.textContent.includes('{}')", lesson.title)).await?;
        lab.read(lesson).await?;
        assert!(lab.has("button", "Next").await.eq(&false), "the goal is the reader's");
        let open = lab.select(".lesson").await?.attr("data-goal").await?;
        assert_eq!(open.as_deref(), Some("open"), "{}", lesson.name);
        lab.solve(lesson).await?;
        lab.root_has("root.querySelector('.say .box').textContent === '\u{2713}'").await?;
        lab.root_has("root.querySelector('.say').textContent.includes('Goal reached')").await?;
        lab.wait_until_it_stands(page).await?;
        if number < *numbers.end() {
            lab.click("button", "Next lesson").await?;
        }
    }
    page.assert_calm().await
}

#[test]
fn the_first_three_lessons_are_played_to_their_ticked_goals() -> Outcome {
    on_page("lessons-1-3", async |page| play(page, 1..=3).await)
}

#[test]
fn lessons_four_to_six_are_played_to_their_ticked_goals() -> Outcome {
    on_page("lessons-4-6", async |page| play(page, 4..=6).await)
}

#[test]
fn the_last_three_lessons_are_played_to_their_ticked_goals() -> Outcome {
    on_page("lessons-7-9", async |page| {
        play(page, 7..=9).await?;
        page.lab(0).click("button", "All lessons").await?;
        page.lab(0).find("dialog", "Learn").await.map(drop)
    })
}

#[test]
fn the_list_starts_a_stage_and_a_lesson() -> Outcome {
    on_page("learn", async |page| {
        let lab = page.open_quiet().await?;
        lab.click("button", "Learn").await?;
        lab.find("dialog", "Learn").await?;
        lab.pick("A bad network").await?;
        lab.root_has("!root.querySelector('dialog[open]')").await?;
        lab.find("button", "Pause").await?;
        assert_eq!(lab.call("scenario", vec![]).await?["preset"], "bad-network");
        assert!(!lab.has("region", "Lesson").await);

        lab.click("button", "Learn").await?;
        lab.root_has("root.querySelector('dialog[open] [aria-current]')?.textContent.includes('bad network')")
            .await?;
        lab.pick("Who are you?").await?;
        lab.find("region", "Lesson").await?;
        page.wait_until_focused("button", "Next").await?;
        lab.comes_to_step(1).await?;
        lab.click("button", "Leave the lesson").await?;
        lab.root_has("!root.querySelector('.lesson')").await?;
        page.wait_until_focused("button", "Learn").await?;
        page.assert_calm().await
    })
}

impl Lab<'_> {
    /// Presses what begins with this title in the list.
    async fn pick(&self, title: &str) -> Outcome {
        let path = "return [...document.querySelectorAll('psync-lab')[0].shadowRoot
            .querySelectorAll('dialog[open] li button')]
            .find((button) => button.querySelector('strong').textContent === arguments[0])";
        self.root_has("root.querySelector('dialog[open] li button')").await?;
        let found = self.page().driver().execute(path, vec![json!(title)]).await?;
        Ok(found.element()?.click().await?)
    }
}

#[test]
fn what_a_step_waits_for_comes_by_itself_or_by_the_readers_own_act() -> Outcome {
    on_page("lesson-comes", async |page| {
        let lab = page.open_lesson("?lesson=a-blip&speed=10").await?;
        lab.has_come().await?;
        lab.wait_until_it_stands(page).await?;
        lab.root_has("root.querySelector('.say').textContent.startsWith('\u{2713}It has come')")
            .await?;
        lab.root_has("root.querySelector('.next').classList.contains('strong')").await?;
        lab.click("button", "Next").await?;
        lab.comes_to_step(2).await?;
        // What the step speaks of is marked, and only that.
        let outlined = "[...root.querySelectorAll('[data-place]')].filter((place) =>
            getComputedStyle(place).outlineStyle === 'solid' && place.checkVisibility())
            .map((place) => place.dataset.place).join()";
        lab.root_has(&format!("{outlined} === 'links,replica-1'")).await?;
        // Not by the lesson's button but by the one on the drawing: it counts as well.
        lab.find("button", "Cut replica 1").await?;
        let listen = "window.said = [];
             const status = document.querySelector('psync-lab').shadowRoot
                 .querySelector('[role=status]');
             new MutationObserver(() => said.push(status.textContent)).observe(status,
                 { characterData: true, childList: true, subtree: true });";
        page.run(listen, vec![]).await?;
        lab.click("button", "Cut link to replica 1").await?;
        lab.has_come().await?;
        page.wait_until("said.some((sentence) => sentence.startsWith('It has come'))").await?;
        assert!(!lab.has("button", "Cut replica 1").await);
        assert_eq!(lab.link(1).await?, "cut");
        page.assert_calm().await
    })
}

#[test]
fn previous_restores_the_moment_and_start_step_again_undoes_the_step() -> Outcome {
    on_page("lesson-back", async |page| {
        let lab = page.open_lesson("?lesson=too-long").await?;
        lab.click("button", "Next").await?;
        lab.comes_to_step(2).await?;
        let (before, scenario) = (lab.snapshot().await?, lab.call("scenario", vec![]).await?);
        lab.click("button", "Cut replica 2").await?;
        page.wait_until_focused("button", "Next").await?;
        assert_eq!(lab.link(2).await?, "cut");
        lab.click("button", "Start step again").await?;
        lab.find("button", "Cut replica 2").await?;
        assert_eq!(lab.snapshot().await?, before);
        for step in 3..=5 {
            lab.click("button", "Next").await?;
            lab.comes_to_step(step).await?;
        }
        assert_ne!(lab.snapshot().await?["servers"], before["servers"]);
        for step in (2..=4).rev() {
            lab.click("button", "Previous").await?;
            lab.comes_to_step(step).await?;
        }
        assert_eq!(lab.snapshot().await?, before);
        assert_eq!(lab.call("scenario", vec![]).await?, scenario, "nothing is left of it");
        page.assert_calm().await
    })
}

#[test]
fn an_unknown_lesson_is_answered_with_those_that_exist() -> Outcome {
    on_page("lesson-unknown", async |page| {
        let lab = page.open_lesson("?lesson=ten&autoplay=false").await?;
        let said = lab.find("alert", "").await?.text().await?;
        assert!(said.contains("URL lesson=\"ten\""), "{said}");
        for lesson in lesson::all() {
            assert!(said.contains(&lesson.name), "{said}");
        }
        assert!(!lab.has("region", "Lesson").await);
        page.assert_calm().await
    })
}

#[test]
fn pictures_of_lessons_at_each_width() -> Outcome {
    on_page("lesson-pictures", async |page| {
        for (theme, width, height) in [
            (Theme::Light, 1280, 800),
            (Theme::Dark, 1280, 800),
            (Theme::Light, 720, 420),
            (Theme::Dark, 390, 844),
            (Theme::Light, 360, 240),
        ] {
            page.set_theme(theme).await?;
            page.set_size(width, height).await?;
            page.open_article(&format!(
                "<style>body {{ margin: 0 }}</style>\
                 <psync-lab lesson=two-windows style='height: {height}px'></psync-lab>"
            ))
            .await?;
            let lab = page.lab(0);
            lab.click("button", "Next").await?;
            lab.comes_to_step(2).await?;
            page.take_picture(&format!("lesson-asks-{width}x{height}-{theme}")).await?;
            for step in 3..=4 {
                lab.click("button", "Next").await?;
                lab.comes_to_step(step).await?;
            }
            wait_for("it stands", async || lab.stands(page).await).await?;
            page.take_picture(&format!("lesson-read-{width}x{height}-{theme}")).await?;
        }
        Ok(())
    })
}
