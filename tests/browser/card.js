// Arguments: how many times, a callback. Lets the last decision of a run happen so many times, and
// counts for each: frames until the card shows it, its own one included; milliseconds from the
// beginning of that frame until the card says it; and until it is drawn.
//
// A decision happens in the frame after which the world stands at its moment or later. That is
// looked at in a task behind each frame, when all its callbacks are done and it is drawn. Time is
// begun at another distance each time, lest one rhythm of the page pass for all.
const [count, done] = arguments;

const lab = document.querySelector("psync-lab");
const said = () => lab.shadowRoot.querySelector(".decision").textContent;
const { port1, port2 } = new MessageChannel();
const drawn = () => new Promise((then) => {
  requestAnimationFrame((began) => {
    port1.onmessage = () => then(began);
    port2.postMessage(0);
  });
});

async function run(at_us, ahead_us) {
  await lab.load({ preset: "too-long" });
  await lab.seek(at_us - ahead_us);
  for (let n = 0; n < 2; n += 1) await drawn();
  const before = said();
  let shown_ms;
  const observer = new MutationObserver(() => {
    if (said() !== before) shown_ms ??= performance.now();
  });
  const whole = { subtree: true, childList: true, characterData: true };
  observer.observe(lab.shadowRoot.querySelector(".side"), whole);
  await lab.play();
  let frames = 0, began_ms, ended_ms;
  while (!shown_ms && frames < 60) {
    const ms = await drawn();
    ended_ms = performance.now();
    if ((await lab.snapshot()).now_us < at_us) continue;
    began_ms ??= ms;
    frames += 1;
  }
  observer.disconnect();
  await lab.pause();
  if (!shown_ms) throw new Error("the card never showed it");
  return [frames, shown_ms - began_ms, ended_ms - began_ms];
}

(async () => {
  await lab.load({ preset: "too-long" });
  await lab.advance(20e6);
  const { at_us } = (await lab.decisions()).at(-1);
  const runs = [];
  for (let n = 0; n < count; n += 1) runs.push(await run(at_us, 20e3 + n * 1700));
  return runs;
})().then(done, (error) => done(String(error)));
