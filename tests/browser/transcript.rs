//! The transcript: what travelled, around the moment looked at, and what can be taken away of it.

use serde_json::json;
use thirtyfour::Key;

use crate::browser::{Outcome, on_page};
use crate::lab::Lab;
use crate::page::Page;

/// The rows as a reader sees them, and which of them is at the cursor.
const ROWS: &str = "const root = document.querySelector('psync-lab').shadowRoot;
     return [...root.querySelectorAll('.transcript [data-seq]')].map((row) => ({
         at_us: Number(row.value), text: row.innerText, here: row.ariaCurrent === 'true',
         raw: row.querySelector('.raw').title,
     }))";

/// How far the row at the cursor reaches out of its panel, and how far the document is scrolled.
const PLACE: &str = "const root = document.querySelector('psync-lab').shadowRoot;
     const panel = root.querySelector('.panel').getBoundingClientRect();
     const row = root.querySelector('.transcript [aria-current]').getBoundingClientRect();
     return [row.top >= panel.top && row.bottom <= panel.bottom + 1, scrollY]";

#[derive(serde::Deserialize)]
struct Row {
    at_us: u64,
    text: String,
    here: bool,
    raw: String,
}

impl Lab<'_> {
    async fn rows(&self) -> Outcome<Vec<Row>> {
        Ok(serde_json::from_value(self.page().run(ROWS, vec![]).await?)?)
    }

    /// Waits until the row at the cursor is the last one that is not later than `us`.
    async fn row_at(&self, us: u64) -> Outcome {
        self.root_has(&format!(
            "(() => {{
                 const rows = [...root.querySelectorAll('.transcript [data-seq]')];
                 const until = rows.filter((row) => Number(row.value) <= {us});
                 return until.length > 0 && until.at(-1).ariaCurrent === 'true';
             }})()"
        ))
        .await
    }
}

/// A clipboard that tells what was written into it, and files that tell what they hold.
async fn watch_what_leaves(page: &Page) -> Outcome {
    page.run(
        "window.left = [];
         navigator.clipboard.writeText = async (text) => { left.push(['copied', text]) };
         const make = URL.createObjectURL;
         URL.createObjectURL = (blob) => {
             blob.text().then((text) => left.push([blob.type, text]));
             return make.call(URL, blob);
         };",
        vec![],
    )
    .await
    .map(drop)
}

/// What left last, once so many things have.
async fn left(page: &Page, count: usize) -> Outcome<(String, String)> {
    page.wait_until(&format!("left.length === {count}")).await?;
    Ok(serde_json::from_value(page.run("return left.at(-1)", vec![]).await?)?)
}

#[test]
fn the_row_at_the_cursor_is_marked_and_in_sight_wherever_time_is_set() -> Outcome {
    on_page("transcript-follows", async |page| {
        page.set_size(1280, 800).await?;
        page.open_site_at("?preset=too-long&autoplay=false").await?;
        let lab = page.lab(0);
        lab.wait_until("(lab) => lab.dataset.state === 'ready'").await?;
        lab.call("advance", vec![json!(20_000_000)]).await?;
        for at_us in [20_000_000, 3_000_000, 16_586_000, 1_500_000, 12_345_678] {
            lab.call("seek", vec![json!(at_us)]).await?;
            lab.row_at(at_us).await?;
            let rows = lab.rows().await?;
            assert_eq!(rows.iter().filter(|row| row.here).count(), 1);
            assert!(rows.len() <= 100, "{} rows", rows.len());
            let place = page.run(PLACE, vec![]).await?;
            assert_eq!(place, json!([true, 0]), "at {at_us}");
        }
        page.assert_calm().await
    })
}

#[test]
fn a_click_and_the_keys_on_a_row_lead_to_its_moment() -> Outcome {
    on_page("transcript-jumps", async |page| {
        let lab = page.open_quiet_with("&preset=too-long").await?;
        lab.advance(5_000_000).await?;
        lab.click("button", "Write").await?;
        let now = lab.now_us().await?;
        lab.row_at(now).await?;
        let rows = lab.rows().await?;
        let before = rows.iter().rposition(|row| row.text.contains("PSYNC ? -1")).ok_or("asked")?;
        let asked = &rows[before];
        let row = lab.select(&format!(".transcript [value='{}']", asked.at_us)).await?;
        row.scroll_into_view().await?;
        row.click().await?;
        lab.wait_until_it_stands(page).await?;
        assert_eq!(lab.now_us().await?, asked.at_us);
        lab.row_at(asked.at_us).await?;
        // What comes after it is still listed, and one row is a stop of the tab key.
        assert_eq!(lab.rows().await?.last().map(|row| row.at_us), rows.last().map(|r| r.at_us));
        let stops = "root.querySelectorAll('.transcript [tabindex=\"0\"]').length === 1";
        lab.root_has(stops).await?;
        lab.select(".transcript [aria-current]").await?.focus().await?;
        page.press(Key::Down.value().to_string()).await?;
        page.press(Key::Down.value().to_string()).await?;
        let wanted =
            "return Number(document.querySelector('psync-lab').shadowRoot.activeElement.value)";
        let wanted = page.run(wanted, vec![]).await?.as_u64().ok_or("a row has the focus")?;
        assert!(wanted >= asked.at_us);
        page.press(Key::Enter.value().to_string()).await?;
        lab.row_at(wanted).await?;
        assert_eq!(lab.now_us().await?, wanted);
        page.press(Key::End.value().to_string()).await?;
        page.press(Key::Enter.value().to_string()).await?;
        lab.row_at(now).await?;
        page.assert_calm().await
    })
}

#[test]
fn the_row_at_the_cursor_shows_every_byte_of_a_request() -> Outcome {
    on_page("transcript-whole", async |page| {
        let lab = page.open_quiet().await?;
        let rows = lab.rows().await?;
        let asked = rows.iter().find(|row| row.text.contains("PSYNC ? -1")).ok_or("asked")?;
        assert_eq!(asked.raw, r"*3\r\n$5\r\nPSYNC\r\n$1\r\n?\r\n$2\r\n-1\r\n");
        lab.call("seek", vec![json!(asked.at_us)]).await?;
        lab.row_at(asked.at_us).await?;
        lab.root_has(r"root.querySelector('[aria-current] .raw').textContent.startsWith('*')").await
    })
}

#[test]
fn while_time_runs_the_newest_row_is_in_sight_and_who_reads_elsewhere_is_left_alone() -> Outcome {
    on_page("transcript-plays", async |page| {
        page.set_size(1280, 800).await?;
        page.open_site_at("?preset=too-long&autoplay=false").await?;
        let lab = page.lab(0);
        lab.wait_until("(lab) => lab.dataset.state === 'ready'").await?;
        lab.call("advance", vec![json!(6_000_000)]).await?;
        lab.click("button", "Play").await?;
        lab.wait_until_after(7_000_000).await?;
        let at_end = "(() => {
            const panel = root.querySelector('.panel');
            return panel.scrollHeight - panel.scrollTop - panel.clientHeight < 8;
        })()";
        lab.root_has(at_end).await?;
        // A reader scrolls up: what they read stays where it is.
        let read = "const root = document.querySelector('psync-lab').shadowRoot;
            const panel = root.querySelector('.panel');
            const top = panel.getBoundingClientRect().top + 60;
            const row = [...panel.querySelectorAll('[data-seq]')]
                .find((row) => row.getBoundingClientRect().top >= top);
            return [row.dataset.seq, Math.round(row.getBoundingClientRect().top)]";
        page.run(
            "document.querySelector('psync-lab').shadowRoot.querySelector('.panel').scrollTop -= 700",
            vec![],
        )
        .await?;
        let now = lab.now_us().await?;
        lab.wait_until_after(now + 500_000).await?;
        let before = page.run(read, vec![]).await?;
        lab.wait_until_after(now + 5_000_000).await?;
        assert_eq!(page.run(read, vec![]).await?, before);
        // Back at the end, it follows again.
        page.run(
            "const panel = document.querySelector('psync-lab').shadowRoot.querySelector('.panel');
             panel.scrollTop = panel.scrollHeight",
            vec![],
        )
        .await?;
        let now = lab.now_us().await?;
        lab.wait_until_after(now + 1_500_000).await?;
        lab.root_has(at_end).await?;
        page.assert_calm().await
    })
}

#[test]
fn what_is_listed_is_copied_as_text_and_mermaid_and_saved_as_svg() -> Outcome {
    on_page("transcript-leaves", async |page| {
        let lab = page.open_quiet().await?;
        lab.click("button", "Cut link to replica 1").await?;
        lab.click("button", "Write").await?;
        lab.click("button", "Heal link to replica 1").await?;
        lab.decided(3, 1).await?;
        watch_what_leaves(page).await?;
        let rows = lab.rows().await?;
        lab.click("button", "Copy as text").await?;
        let (kind, text) = left(page, 1).await?;
        assert_eq!(kind, "copied");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), rows.len());
        for (line, row) in lines.iter().zip(&rows) {
            let words: Vec<&str> = row.text.split_whitespace().take(2).collect();
            assert!(words.iter().all(|word| line.contains(word)), "{line} is {words:?}");
        }
        let continues = rows.iter().find(|row| row.text.contains("+CONTINUE")).ok_or("partial")?;
        let continues = continues.raw.trim_end_matches(r"\r\n");
        assert!(text.contains(continues), "with the whole of an id: {text}");
        lab.click("button", "Copy as Mermaid").await?;
        let (kind, mermaid) = left(page, 2).await?;
        assert_eq!(kind, "copied");
        assert!(mermaid.starts_with("sequenceDiagram") && mermaid.contains(continues));
        lab.click("button", "Save as Mermaid").await?;
        assert_eq!(left(page, 3).await?, ("text/plain".to_owned(), mermaid));
        lab.click("button", "Save as SVG").await?;
        let (kind, svg) = left(page, 4).await?;
        assert_eq!(kind, "image/svg+xml");
        assert!(svg.starts_with("<svg") && svg.contains("+CONTINUE"));
        lab.root_has("root.querySelector('[role=status]').textContent === 'Transcript saved.'")
            .await?;
        page.assert_calm().await
    })
}

#[test]
fn of_a_zoomed_timeline_only_its_stretch_leaves() -> Outcome {
    on_page("transcript-zoomed", async |page| {
        let lab = page.open_quiet().await?;
        lab.call("act", vec![json!({"do": "write", "argv": ["SET", "early", "1"]})]).await?;
        lab.advance(12_000_000).await?;
        lab.call("act", vec![json!({"do": "write", "argv": ["SET", "late", "1"]})]).await?;
        lab.advance(500_000).await?;
        watch_what_leaves(page).await?;
        lab.click("button", "Copy as text").await?;
        let (_, all) = left(page, 1).await?;
        assert!(all.contains("SET early 1") && all.contains("SET late 1"), "{all}");
        for _ in 0..2 {
            lab.click("button", "Zoom in on the timeline").await?;
        }
        // A frame later the timeline shows it.
        lab.stands(page).await?;
        lab.click("button", "Copy as text").await?;
        let (_, text) = left(page, 2).await?;
        assert!(!text.contains("SET early 1") && text.contains("SET late 1"), "{text}");
        lab.click("button", "Copy as Mermaid").await?;
        let (_, mermaid) = left(page, 3).await?;
        assert!(mermaid.contains("REPLCONF ACK") && !mermaid.contains("PSYNC"), "{mermaid}");
        lab.click("button", "Save as SVG").await?;
        let (_, svg) = left(page, 4).await?;
        assert!(svg.contains("REPLCONF ACK") && !svg.contains("PSYNC"), "{svg}");
        page.assert_calm().await
    })
}

#[test]
fn a_flood_is_told_in_few_rows() -> Outcome {
    on_page("transcript-flood", async |page| {
        page.open_site_at("?autoplay=false&writes-per-second=20000").await?;
        let lab = page.lab(0);
        lab.wait_until("(lab) => lab.dataset.state === 'ready'").await?;
        lab.advance(4_000_000).await?;
        let rows = lab.rows().await?;
        let sums = rows.iter().filter(|row| row.text.contains("pieces of the stream")).count();
        assert!(rows.len() <= 100 && sums >= 5, "{} rows, {sums} of them sums", rows.len());
        page.assert_calm().await
    })
}
