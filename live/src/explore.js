// The explore view: a take plays, joints are moved, and everything between the keypoints and the pose is shown.

import { JOINT_NAMES } from "./body.js";
import { colors } from "./draw.js";
import { page } from "./explore-page.js";
import { Heads } from "./heads.js";
import { said } from "./math.js";
import { drawFilm, drawFlat, drawOpen, drawThumb, drawTimeline } from "./pictures.js";
import { onGrid, onPicture } from "./pointer.js";
import { leveling, Space, upright } from "./space.js";
import { STAGE } from "./stages.js";
import { DEFAULTS, fromHash, State, STAGES } from "./state.js";
import { mpjpe, Take, WholeTake } from "./take.js";
import { Tour } from "./tour-card.js";

/** Whether the page is a part of a notebook, and has no address that could hold its state. */
export const embedded = () => location.protocol === "about:";

const SETTLED = 350; // milliseconds without a change, after which the link, the curve and the spoken sentence follow
const CHANGES = ["moves", "off", "hidden"]; // what a visitor may change that the network's answer depends on
const FILMED = ["frames", "temporal", "weights"]; // stages that see the window, which is shown as a strip of film

/**
 * @param {HTMLElement} element what the view is put into
 * @param {import("./poseformer.js").PoseFormer} network
 * @param {object} stored poseformer_course/page/takes.json
 */
export function mountExplore(element, network, stored) {
  return new Explore(element, network, stored);
}

class Explore {
  constructor(element, network, stored) {
    this.network = network;
    this.takes = Object.fromEntries(Object.entries(stored).map(([name, one]) => [name, new Take(name, one)]));
    this.limits = { takes: Object.keys(this.takes), length: (take) => this.takes[take].length, network };
    this.state = new State(fromHash(location.hash || (window.poseformerStart ?? ""), this.limits));
    element.innerHTML = page(network);
    this.element = element;
    this.find = (selector) => element.querySelector(selector);
    this.changed = new Set(["take", ...CHANGES]);
    this.space = new Space(this.find("#space"), (turn) => this.state.set({ turn }));
    this.heads = new Heads(this.find("#heads"), network, this.state);
    this.tour = new Tour(this.find("#tour"), network, this.state, (part) => this.reveal(part));
    this.fillMenus();
    this.listen();
    this.state.listen((names) => {
      names.forEach((name) => this.changed.add(name));
      this.later();
    });
    new ResizeObserver(() => this.later()).observe(element);
    this.draw();
  }

  get take() {
    return this.takes[this.state.get("take")];
  }

  /** What the network does without, as its forward takes it. */
  get options() {
    return { without: new Set(this.state.get("off")), hidden: new Set(this.state.get("hidden")) };
  }

  fillMenus() {
    this.find("#take").innerHTML = Object.values(this.takes).map(({ name, title }) => `<option value="${name}">${title}</option>`).join("");
    this.find("#joint").innerHTML = JOINT_NAMES.map((name, joint) => `<option value="${joint}">${name}</option>`).join("");
  }

  listen() {
    const { state, find } = this;
    for (const button of this.element.querySelectorAll("[data-stage]")) {
      button.addEventListener("click", () => {
        state.set({ stage: button.dataset.stage });
        this.reveal(".flow");
      });
    }
    find("#take").addEventListener("change", ({ target }) => state.set({ take: target.value, frame: Math.min(DEFAULTS.frame, this.takes[target.value].length - 1), moves: [] }));
    find("#joint").addEventListener("change", ({ target }) => state.set({ joint: +target.value, key: -1 }));
    find("#frame").addEventListener("input", ({ target }) => state.set({ frame: Math.min(+target.value, this.take.length - 1) }));
    find("#alone").addEventListener("change", ({ target }) => state.set({ alone: target.checked }));
    find("#hide").addEventListener("click", () => this.hide());
    find("#reset").addEventListener("click", () => state.set({ moves: [], hidden: [] }));
    find("#all-on").addEventListener("click", () => state.set({ off: [] }));
    find("#play").addEventListener("click", () => this.play(!this.playing));
    onPicture(find("#flat"), {
      points: () => this.flat?.points,
      choose: (joint) => state.set({ joint, key: -1 }),
      joint: () => state.get("joint"),
      move: (dx, dy) => this.flat && this.move(dx / this.flat.fit.scale, dy / this.flat.fit.scale),
      hide: () => this.hide(),
      numJoints: this.network.numJoints,
    });
    onGrid(find("#open"), () => this.open, (row, column) => this.pick(row, column));
    onGrid(find("#film"), () => this.film, (_, column) => state.set({ query: column, frameKey: -1 }));
    window.addEventListener("hashchange", () => {
      if (location.hash.slice(1) !== state.toHash()) state.set({ ...new State().values, ...fromHash(location.hash, this.limits) });
    });
    document.addEventListener("keydown", (event) => {
      if (event.key !== " " || event.target.closest("button, input, select, textarea, a") || !this.element.offsetParent) return;
      event.preventDefault();
      this.play(!this.playing);
    });
  }

  /** What a click at a cell of the open stage's picture means. */
  pick(row, column) {
    const { state, network } = this;
    const C = network.spatialDim;
    ({
      keypoints: () => state.set({ joint: row, key: -1 }),
      pose: () => state.set({ joint: row, key: -1 }),
      joints: () => state.set({ joint: row, channel: column, key: -1 }),
      spatial: () => state.set({ joint: row, key: column }),
      frames: () => state.set({ joint: Math.floor(column / C), channel: column % C, key: -1, query: row, frameKey: -1 }),
      temporal: () => state.set({ query: row, frameKey: column }),
      weights: () => state.set({ query: column, frameKey: -1 }),
    })[state.get("stage")]();
  }

  /** Move the touched joint by so many screen units, in this frame or in all. */
  move(dx, dy) {
    const { state } = this;
    const where = state.get("alone") ? `${state.get("joint")}@${state.get("frame")}` : String(state.get("joint"));
    const moves = new Map(state.get("moves"));
    const [x, y] = moves.get(where) ?? [0, 0];
    const within = (value) => Math.min(Math.max(Math.round(value * 1e5) / 1e5, -2), 2);
    moves.set(where, [within(x + dx), within(y + dy)]);
    state.set({ moves: [...moves] });
  }

  /** Hide the touched joint from the network, or show it again. */
  hide() {
    const [joint, hidden] = [this.state.get("joint"), this.state.get("hidden")];
    this.state.set({ hidden: hidden.includes(joint) ? hidden.filter((other) => other !== joint) : [...hidden, joint] });
  }

  /** In true time, or slower: frames are left out where the computer is too slow. */
  play(on) {
    this.find("#play").textContent = on ? "Pause" : "Play";
    const playing = on && { start: performance.now(), first: this.state.get("frame") };
    this.playing = playing;
    const next = (now) => {
      if (!playing || this.playing !== playing) return;
      const passed = (Math.max(0, now - playing.start) / 1000) * this.take.fps * +this.find("#speed").value;
      this.state.set({ frame: (playing.first + Math.floor(passed)) % this.take.length });
      requestAnimationFrame(next);
    };
    next(performance.now());
  }

  /** Where the view is taller than the window, as on a phone, scroll to a part of it; a page around it stays where it is. */
  reveal(part) {
    this.draw(); // what is shown from now on has its place
    if (document.documentElement.scrollHeight <= innerHeight) return;
    const { top } = this.find(part).getBoundingClientRect();
    const margin = parseFloat(getComputedStyle(this.find(part)).scrollMarginTop);
    window.scrollTo({ top: scrollY + top - margin, behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  }

  later() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.draw();
    });
  }

  /** Everything that is shown of one moment, worked out where something that it depends on has changed. */
  moment() {
    const { state, network, take, changed } = this;
    const some = (...names) => names.some((name) => changed.has(name));
    const { numFrames: F, numJoints: J } = network;
    const center = (F - 1) / 2;
    if (some("take")) {
      this.floors = take.truth && floors(take);
      this.loadPictures();
    }
    if (some("take", "moves")) this.keypoints = take.moved(state.get("moves"));
    if (some("take", "frame", ...CHANGES)) {
      const frames = take.window(state.get("frame"), F);
      const window = take.gather(this.keypoints, frames);
      const began = performance.now();
      const result = network.forward(window, this.options);
      this.durations = [...(this.durations ?? []).slice(-8), performance.now() - began];
      const plain = CHANGES.every((name) => !state.get(name).length);
      const before = plain ? result : network.forward(take.gather(take.keypoints, frames));
      this.kept = { frames, window, result, before, truth: take.truthAt(state.get("frame")), pose2d: window.subarray(center * J * 2, (center + 1) * J * 2) };
    }
    const { result } = this.kept;
    const [C, D, H] = [network.spatialDim, network.temporalDim, network.numHeads];
    const [[layer, head], [laterLayer, laterHead]] = [state.get("spatial"), state.get("temporal")];
    const spatialAt = ((center * network.depths.spatial + layer) * H + head) * J * J;
    const spatialMap = result.spatial.subarray(spatialAt, spatialAt + J * J);
    const temporalAt = (laterLayer * H + laterHead) * F * F;
    const temporalMap = result.temporal.subarray(temporalAt, temporalAt + F * F);
    const query = state.get("query") < 0 ? center : state.get("query");
    const rowOf = (map, row, N) => map.subarray(row * N, (row + 1) * N);
    const spatialRow = rowOf(spatialMap, state.get("joint"), J);
    const temporalRow = rowOf(temporalMap, query, F);
    return {
      ...this.kept, network, state, take, center, query, spatialMap, temporalMap, spatialRow, temporalRow, F, J, C, D, H,
      L: network.depths,
      key: state.get("key") < 0 ? largestOf(spatialRow) : state.get("key"),
      frameKey: state.get("frameKey") < 0 ? largestOf(temporalRow) : state.get("frameKey"),
      isHidden: state.get("hidden").includes(state.get("joint")),
      palette: colors(),
    };
  }

  draw() {
    const { state } = this;
    const moment = this.moment();
    const changed = this.changed;
    this.changed = new Set();
    const turned = changed.size && [...changed].every((name) => name === "turn");
    if (turned) {
      this.drawBodies(moment);
      return this.wait();
    }
    const stage = state.get("stage");
    this.drawBodies(moment);
    for (const canvas of this.element.querySelectorAll("[data-thumb]")) drawThumb(canvas, canvas.dataset.thumb, moment);
    this.drawStage(stage, moment);
    this.heads.draw(stage, moment);
    this.drawError(moment);
    this.fillControls(moment);
    this.tour.draw();
    const whole = ["take", ...CHANGES].some((name) => changed.has(name));
    this.stale ||= whole;
    if (whole) this.whole?.stop();
    this.drawCurve();
    this.wait(this.says(moment));
  }

  drawCurve() {
    const { take, whole, network, state } = this;
    const errors = whole?.take === take ? whole.errors : null;
    drawTimeline(this.find("#curve"), { errors, take, frame: state.get("frame"), numFrames: network.numFrames, palette: colors() });
  }

  wait(said = this.said) {
    this.said = said;
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.settle(said), SETTLED);
  }

  /** What follows when nothing has changed for a moment. */
  settle(said) {
    const hash = this.state.toHash();
    if (!this.playing && !embedded() && location.hash.slice(1) !== hash) history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
    if (!this.playing) this.find("#said").textContent = said;
    if (!this.stale) return;
    this.stale = false;
    this.whole?.stop();
    this.whole = new WholeTake(this.network, this.take, this.keypoints, this.options, () => this.drawCurve());
  }

  drawBodies(moment) {
    const { state, take, result, before, truth, palette } = moment;
    const moved = state.get("moves").length > 0;
    const J = this.network.numJoints;
    const frame = state.get("frame");
    const original = moved ? take.keypoints.subarray(frame * J * 2, (frame + 1) * J * 2) : null;
    this.flat = drawFlat(this.find("#flat"), moment, { image: this.picture(frame), before: original });
    const rotation = leveling(take.up);
    const pose = upright(result.pose, rotation);
    const floor = this.floors?.[frame] ?? Math.min(...upright(before.pose, rotation).map((point) => point[2]));
    this.space.draw({ pose, truth: truth && upright(truth, rotation), joint: state.get("joint"), floor, turn: state.get("turn"), palette });
  }

  drawStage(stage, moment) {
    const { title, equation, shape, says, numbers, tip } = STAGE[stage];
    const filmed = FILMED.includes(stage);
    this.find("#film").classList.toggle("hidden", !filmed); // before the other picture, which gets the room that is left
    this.put("#stage-title", title);
    this.put("#stage-equation", `${equation} · ${shape(moment)}`);
    this.put("#stage-says", says(moment));
    this.put("#stage-tip", tip(moment));
    this.open = drawOpen(this.find("#open"), stage, moment);
    this.find("#open").setAttribute("aria-label", `${title}. ${tip(moment)} Arrow keys move what is chosen.`);
    this.film = filmed ? drawFilm(this.find("#film"), moment) : null;
    const html = numbers(moment);
    if (this.numbersHtml !== html) this.find("#numbers").innerHTML = this.numbersHtml = html;
    this.find("#detail").dataset.open = stage;
    for (const button of this.element.querySelectorAll("[data-stage]")) {
      button.setAttribute("aria-expanded", String(button.dataset.stage === stage));
    }
  }

  drawError({ result, before, truth }) {
    const changed = result !== before;
    const error = truth && mpjpe(result.pose, truth);
    const was = truth && mpjpe(before.pose, truth);
    const by = mpjpe(result.pose, before.pose);
    this.put("#error", truth ? `${said(error, 1)} mm` : `${said(by, 1)} mm`);
    this.put("#error-name", truth ? "Error of this pose" : "Moved by what you changed");
    const difference = truth && error - was;
    this.put(
      "#error-change",
      !truth
        ? "For a real video nobody knows the true pose."
        : changed
          ? `${said(was, 1)} mm, the gray bar, before you changed anything (${difference < 0 ? "−" : "+"}${said(Math.abs(difference), 1)})`
          : "Mean distance of the 17 joints from the truth.",
    );
    const enough = this.durations.length > 4; // the first ones are slow, as the browser has not compiled them yet
    this.put("#speed-said", `One pose takes ${enough ? said(median(this.durations), 1) : "…"} ms here, ${this.network.simd ? "with" : "without"} SIMD.`);
    this.find("#bar-before").style.width = `${changed ? Math.min(was ?? 0, 200) / 2 : 0}%`;
    this.find("#bar-now").style.width = `${Math.min(error ?? by, 200) / 2}%`;
  }

  fillControls({ state, take, isHidden }) {
    const { find } = this;
    find("#take").value = state.get("take");
    find("#joint").value = state.get("joint");
    find("#frame").max = take.length - 1;
    find("#frame").value = state.get("frame");
    find("#alone").checked = state.get("alone");
    this.put("#hide", isHidden ? "Show it again" : "Hide this joint");
    find("#reset").disabled = !state.get("moves").length && !state.get("hidden").length;
    find("#all-on").disabled = !state.get("off").length;
    this.put("#time", `${said(state.get("frame") / take.fps, 2)} s`);
    this.put("#source", take.source);
  }

  /** One sentence for who cannot see the page. */
  says({ state, spatialRow, key, truth, result, isHidden }) {
    const joint = (isHidden ? "hidden " : "") + JOINT_NAMES[state.get("joint")];
    const error = truth ? ` The error is ${said(mpjpe(result.pose, truth), 0)} millimeters.` : "";
    return `${STAGE[state.get("stage")].title}. The ${joint} looks most at the ${JOINT_NAMES[key]}, ${said(100 * spatialRow[key], 0)} percent.${error}`;
  }

  put(selector, text) {
    const element = this.find(selector);
    if (element.textContent !== text) element.textContent = text;
  }

  loadPictures() {
    const { pictures } = this.take;
    if (!pictures || this.take.sheet) return;
    const image = new Image();
    image.src = `data:image/webp;base64,${pictures.webp}`;
    this.take.sheet = image;
    image.decode().then(() => this.later(), () => (this.take.sheet = null));
  }

  /** The video's frame at a frame of the take. */
  picture(frame) {
    const { pictures, sheet, fps } = this.take;
    if (!pictures || !sheet?.complete) return null;
    const number = Math.min(Math.round((frame / fps) * pictures.fps), pictures.number - 1);
    const { width, height, columns } = pictures;
    return { sheet, x: (number % columns) * width, y: Math.floor(number / columns) * height, width, height };
  }
}

const largestOf = (values) => values.indexOf(Math.max(...values));
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** How far the floor is under the hip in every frame: the lowest joint, smoothed over a fifth of a second. */
function floors(take) {
  const lowest = Array.from({ length: take.length }, (_, t) => Math.min(...upright(take.truthAt(t), leveling(take.up)).map((point) => point[2])));
  return lowest.map((_, t) => {
    const near = lowest.slice(Math.max(0, t - 5), t + 6);
    return near.reduce((sum, low) => sum + low, 0) / near.length;
  });
}
