// What the live part consists of, and what it looks like. Its colours are the page's own (style.css).

const STYLE = `
.live .bar { display: flex; flex-wrap: wrap; align-items: center; gap: 0.45rem 1.3rem; margin: 0 0 0.6rem; }
.live .bar > * { display: inline-flex; align-items: center; gap: 0.45rem; }
.live .bar + .bar { margin-top: -0.1rem; }
.live button, .live select, .live .file {
  font: inherit; color: inherit; background: var(--panel); border: 1px solid var(--line); border-radius: 6px;
  padding: 0.3rem 0.8rem; cursor: pointer;
}
.live button.main { background: var(--left); border-color: var(--left); color: var(--panel); font-weight: 600; }
.live button:hover:enabled, .live .file:hover { border-color: var(--ink); }
.live button:disabled { opacity: 0.5; cursor: default; }
.live :focus-visible, .live .file:focus-within { outline: 3px solid var(--left); outline-offset: 2px; }
.live .file input { position: absolute; opacity: 0; width: 1px; height: 1px; }
.live output { font-variant-numeric: tabular-nums; min-width: 8.2em; }
.live .said { flex: 1 1 14rem; min-height: 2.9em; } /* two lines, so that longer words do not move the pictures */
.live .bar > .kept { display: inline; }
.live .said.wrong { padding: 0 0.7rem; border-left: 3px solid var(--right); border-radius: 4px; background: var(--panel); }
.live .panels { display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); gap: 0.7rem; }
.live .maps { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 0.7rem; margin-top: 0.7rem; }
.live figure {
  margin: 0; padding: 0.4rem 0.6rem 0.6rem; background: var(--panel); border: 1px solid var(--line); border-radius: 11px; min-width: 0;
}
.live figcaption { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 1rem; margin-bottom: 0.3rem; }
.live figcaption span { color: var(--muted); font-size: 0.86rem; }
.live canvas { display: block; width: 100%; border-radius: 4px; }
.live .panels canvas { height: max(15rem, min(30rem, 100vh - 25rem)); }
.live .maps canvas { height: 6.4rem; }
.live .solid { cursor: grab; touch-action: pan-y; }
.live .solid:active { cursor: grabbing; }
.live .wants.over { outline: 3px dashed var(--left); outline-offset: -6px; }
.live .view { position: relative; }
.live .welcome {
  position: absolute; inset: 0; display: grid; place-content: center; justify-items: center; gap: 0.7rem;
  text-align: center; border: 2px dashed var(--line); border-radius: 6px; padding: 0.8rem; color: var(--muted);
}
.live .welcome p { max-width: 29rem; }
.live .welcome strong { color: var(--ink); font-size: 1.1rem; }
.live .numbers { color: var(--muted); font-size: 0.86rem; font-variant-numeric: tabular-nums; min-height: 1.5em; margin-top: 0.5rem; }
.live .line::before { content: ""; display: inline-block; width: 1.6rem; margin-right: 0.35rem; vertical-align: middle; border-top: 3px solid; }
.live .line.left::before { border-color: var(--left); }
.live .line.right::before { border-color: var(--right); border-top-style: dashed; }
.live video { position: absolute; width: 1px; height: 1px; opacity: 0; pointer-events: none; }
.live details { margin-top: 0.6rem; color: var(--muted); font-size: 0.9rem; }
.live details pre { white-space: pre-wrap; max-height: 20rem; overflow: auto; font-size: 0.8rem; }
.live a { color: var(--left); }
@media (max-width: 700px) {
  .live .panels, .live .maps { grid-template-columns: minmax(0, 1fr); }
  .live .panels canvas { height: 14.5rem; }
  .live .maps canvas { height: 14.5rem; }
  .live .bar { gap: 0.4rem 0.5rem; }
  .live button, .live .file { padding: 0.3rem 0.55rem; }
  .live .said { flex-basis: 100%; min-height: 1.5em; }
  .live .bar label input[type="range"] { width: 7rem; }
  }
`;

const crowd = (count) => `<option value="${count}">${count > 1 ? `up to ${count} people` : "one person"}</option>`;

/** @param {{half: number, most: number, sample?: string, seconds: number}} given half a window, and as mountLive's options */
export const page = ({ half, most, sample, seconds }) => `
<style>${STYLE}</style>
<form autocomplete="off">
<div class="bar">
  <button type="button" name="camera" class="main">Use the camera</button>
  <label class="file">Choose a video<input type="file" accept="video/*"></label>
  ${sample ? '<button type="button" name="sample">Show a walk</button>' : ""}
  <button type="button" name="pause" disabled>Pause</button>
  <button type="button" name="record" disabled>Record ${seconds} seconds</button>
  <p class="said" role="status"></p>
</div>
<div class="bar">
  <label title="With some frames after it, a frame's pose is better, and comes later.">look ahead
    <input type="range" name="ahead" min="0" max="${half}" value="${Math.min(6, half)}"><output name="delay"></output></label>
  <label title="One person is the one that is touched, else the one that is seen most surely. With several, all stand side by side, and it takes longer; attention and recording are of the one that is touched.">follow <select name="people">${Array.from({ length: most }, (_, i) => crowd(i + 1)).join("")}</select></label>
  <label title="The film waits until each of its frames has been looked at.">
    <input type="checkbox" name="every" checked> slow a film down to see every frame</label>
  <p class="kept" hidden></p>
</div>
</form>
<div class="panels">
  <figure class="wants">
    <figcaption><h2>The joints that are found</h2><span>touch a person to choose whom to follow</span></figcaption>
    <div class="view"><canvas class="flat" role="img" tabindex="0" aria-label="The frames of the camera or the video, with the joints that were found in them. Touch a person to choose whom to follow; of several, N and P choose the next and the previous one."></canvas>
    <div class="welcome"><strong>Use the camera, choose a video, or drop one here</strong>
      <p>It should show a person from head to foot. Frames are looked at in this page and never leave your computer.</p></div></div>
  </figure>
  <figure>
    <figcaption><h2>Lifted to 3D</h2><span><span class="line left">left</span> <span class="line right">right</span></span></figcaption>
    <canvas class="solid" role="img" tabindex="0" aria-label="The lifted skeleton on a floor with a grid of half a metre. Drag it, or press the arrow keys, to turn it."></canvas>
  </figure>
</div>
<div class="maps">
  <figure><figcaption><h2>Spatial attention</h2><span>each row: what a joint takes from all 17, bright for much</span></figcaption>
    <canvas class="spatial" role="img" aria-label="The attention weights of every spatial head"></canvas></figure>
  <figure><figcaption><h2>Temporal attention</h2><span>each row: a frame; framed: the one that is shown; veiled: not seen yet</span></figcaption>
    <canvas class="temporal" role="img" aria-label="The attention weights of every temporal head"></canvas></figure>
</div>
<p class="numbers"></p>
<details><summary>Whose work runs here</summary>
  <p>BlazePose (Google, Apache-2.0) finds 33 joints, of which Human3.6M's 17 are made, TensorFlow Lite (Google, Apache-2.0) runs it, and this project's network (MIT)
  lifts them. All of it is in this page, which asks nobody for anything.</p><pre></pre></details>
<video muted playsinline loop></video>`;
