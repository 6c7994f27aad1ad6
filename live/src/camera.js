// A camera or a film, lifted live: frames to joints, joints to what the network sees, and that to a pose, all in this page.

import { loadDetector } from "./detector.js";
import { AttentionMaps } from "./camera-attention.js";
import { People } from "./camera-people.js";
import { Film, links, Recording, SECONDS } from "./camera-record.js";
import { page } from "./camera-markup.js";
import { drawFrame, Scene } from "./camera-scene.js";
import { Source, Trouble } from "./camera-source.js";
import { onTouch, personAt } from "./camera-touch.js";
import { colors } from "./draw.js";
import { hasSimd } from "./linear.js";
import { RATE } from "./prepare.js";

const NO_SIMD =
  "This browser has no WebAssembly SIMD, which finding the joints needs: Chrome 91, Firefox 89, Safari 16.4 or a newer one has it.";
const NOBODY = {
  camera: "Nobody is seen: step back until the camera sees you from head to foot.",
  film: "Nobody is seen in these frames: people are found who are a fifth of the longer side tall, or more.",
};
const NOT_THERE = "No person was found there. A person should be a fifth of the longer side tall, or more.";
const RUNNING = { camera: "The camera is running.", film: "The film is running, again and again." };
const LONGEST_SIDE = 960; // pixels of the frames that are looked at
const LOOK_EVERY = 0.5; // seconds between two looks for more people
const NUMBERS_EVERY = 500; // milliseconds
const EMPTY = 10; // frames in a row, after which the page says that nobody is seen
const AVERAGE = 0.1; // of a new duration in the mean one

/**
 * Put the live part into an element.
 * @param {HTMLElement} element
 * @param {object} network of loadPoseFormer
 * @param {{asset: (name: string) => Promise<Uint8Array>, sample?: string, licenses?: string, most?: number}} options
 *   asset: the bytes of a file, by its name (DETECTOR_ASSETS, and the sample); sample: the name of a film to show; licenses:
 *   the texts of what runs here; most: how many people can be followed
 * @returns {Live}
 */
export function mountLive(element, network, options) {
  return new Live(element, network, options);
}

class Live {
  constructor(element, network, { asset, sample, licenses = "", most = 3 }) {
    Object.assign(this, { element, network, asset });
    element.classList.add("live");
    element.innerHTML = page({ half: network.numFrames >> 1, most, sample, seconds: SECONDS });
    this.find = (selector) => element.querySelector(selector);
    this.controls = this.find("form").elements;
    this.find("details pre").textContent = licenses;
    this.source = new Source(this.find("video"), () => this.trouble("The camera has stopped."));
    this.scene = new Scene(this.find(".solid"));
    const { numHeads: heads, depths } = network;
    this.maps = {
      spatial: new AttentionMaps(this.find(".spatial"), { layers: depths.spatial, heads, size: network.numJoints }),
      temporal: new AttentionMaps(this.find(".temporal"), { layers: depths.temporal, heads, size: network.numFrames }),
    };
    this.spare = []; // canvases for frames
    this.frames = [];
    this.people = new People(network);
    this.lifted = [];
    this.counts = { frames: 0, found: 0 };
    this.empty = 0; // frames in a row without anybody
    this.means = { detecting: 0, lifting: 0, drawing: 0 }; // milliseconds
    this.listen(sample);
    this.lookAheadChanged();
    this.show();
    if (!hasSimd()) this.trouble(NO_SIMD);
  }

  listen(sample) {
    const { camera, pause, ahead, people, record } = this.controls;
    camera.addEventListener("click", () => this.open(() => this.source.openCamera()));
    this.controls.sample?.addEventListener("click", () => this.open(async () =>
      this.source.openFile(new Blob([await this.asset(sample)], { type: "video/mp4" }), sample)));
    this.find("input[type=file]").addEventListener("change", ({ target }) => this.openFile(target.files[0]));
    pause.addEventListener("click", () => this.pause(!this.paused));
    ahead.addEventListener("input", () => this.lookAheadChanged());
    people.addEventListener("change", () => this.restart());
    record.addEventListener("click", () => (this.recording ? this.finishRecording() : this.record()));
    onTouch(this.find(".flat"), { frame: () => this.shown?.canvas, touch: (point) => this.touch(point), next: (by) => this.next(by) });
    this.find("form").addEventListener("submit", (event) => event.preventDefault());
    for (const [name, over] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
      this.element.addEventListener(name, (event) => {
        event.preventDefault(); // else the browser leaves the page for the film
        this.find(".wants").classList.toggle("over", over);
        if (name === "drop") this.openFile(event.dataTransfer.files[0]);
      });
    }
    new MutationObserver(() => this.show()).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    new ResizeObserver(() => this.show()).observe(this.element);
  }

  say(text) {
    Object.assign(this.find(".said"), { textContent: text, className: "said" });
  }

  trouble(text) {
    Object.assign(this.find(".said"), { textContent: text, className: "said wrong" });
  }

  get lookAhead() {
    return Number(this.controls.ahead.value);
  }

  lookAheadChanged() {
    this.controls.delay.value = `${this.lookAhead} frames, ${(1000 * this.lookAhead) / RATE} ms`;
  }

  // ---- where frames come from

  openFile(file) {
    if (file) this.open(() => this.source.openFile(file, file.name));
  }

  async open(source) {
    if (!hasSimd()) return this.trouble(NO_SIMD);
    const turn = (this.turn = {}); // who opens something later wins
    this.say("Getting ready …");
    this.touched = this.asked = null;
    this.discard();
    try {
      await source(); // first, as it may have to ask
      this.detector ??= await loadDetector(this.asset);
      if (turn !== this.turn) return;
    } catch (error) {
      if (turn !== this.turn) return;
      this.controls.pause.disabled = this.controls.record.disabled = true;
      this.trouble(error instanceof Trouble ? error.message : `The detector cannot start: ${error.message}.`);
      if (!(error instanceof Trouble)) throw error;
      return;
    }
    this.find(".welcome").hidden = true;
    this.controls.pause.disabled = false;
    this.source.rewind();
    this.pause(false);
    await this.restart();
    await this.run(turn);
  }

  pause(paused) {
    this.paused = paused;
    this.controls.pause.textContent = paused ? "Go on" : "Pause";
    this.say(paused ? "It stands still." : RUNNING[this.source.kind]);
    this.source.run(!paused);
  }

  /** Forget everybody, and all frames that were not shown. */
  async restart() {
    this.discard();
    if (this.source.kind) await this.detector.begin({ numPeople: Number(this.controls.people.value), every: LOOK_EVERY });
  }

  discard() {
    if (this.recording) this.finishRecording();
    this.people.forget();
    this.spare.push(...this.frames.splice(0).map(({ canvas }) => canvas).filter((canvas) => canvas !== this.shown?.canvas));
    this.last = null;
  }

  // ---- whom it is about

  /** Choose the person at a point of the frame that is shown; where nobody is followed yet, the next frame is searched. */
  touch(point) {
    this.asked = { point, seconds: this.shown.seconds };
    const person = personAt(this.shown.joints, point);
    if (person >= 0) return this.prefer(this.shown.lifters[person]);
    this.touched = point;
    if (this.paused) this.say("Whoever is there is looked for when it goes on.");
  }

  /** Choose the next one of those who are followed, or the previous one. */
  next(by) {
    const lifters = this.lifted.map(({ lifter }) => lifter);
    const [count, at] = [lifters.length, lifters.indexOf(this.people.first)];
    if (count > 1) this.prefer(lifters[(at + by + count) % count]);
  }

  /** That person's attention is shown, and they are recorded. */
  prefer(lifter) {
    if (this.recording && this.recording.lifter !== lifter) this.finishRecording();
    this.people.chosen = lifter;
    this.show();
  }

  /** The point to look at in this frame, if any: a film that begins again is touched again, at the same moment. */
  touchOf(seconds, before) {
    const again = this.source.kind === "film" && this.asked && seconds >= this.asked.seconds && !(before >= this.asked.seconds);
    const touched = this.touched ?? (again ? this.asked.point : null);
    this.touched = null;
    return touched;
  }

  /** What became of a touch. */
  answer(touched, frame) {
    const person = personAt(frame.joints, touched);
    if (person < 0) return this.say(NOT_THERE);
    this.prefer(frame.lifters[person]);
    this.say("The person you touched is followed.");
  }

  // ---- frame after frame

  async run(turn) {
    try {
      for (;;) {
        const seconds = await this.source.next();
        if (turn !== this.turn) return;
        if (seconds === this.last || !this.element.clientWidth) continue; // nothing new, or in a tab that is not shown
        if (this.last !== null && seconds < this.last) await this.restart(); // the film began again
        const before = this.last;
        this.last = seconds;
        const start = performance.now();
        await this.step(seconds, before, turn);
        this.source.pace(performance.now() - start, this.controls.every.checked);
      }
    } catch (error) {
      this.trouble(`The page stopped: ${error.message}. Load it again.`);
      throw error;
    }
  }

  /** @param {number | null} before seconds of the last frame; null where this one is the first */
  async step(seconds, before, turn) {
    const frame = this.grab(seconds);
    const touched = this.touchOf(seconds, before);
    const found = await this.detector.detect(frame.picture, seconds, touched);
    delete frame.picture;
    if (turn !== this.turn) return;
    if (touched) this.people.keep(found);
    this.mean("detecting", this.detector.milliseconds);
    const start = performance.now();
    frame.joints = this.people.push(found, seconds, frame.canvas);
    frame.lifters = this.people.of(found);
    if (touched) this.answer(touched, frame);
    this.frames.push(frame);
    this.choose(seconds);
    this.mean("lifting", performance.now() - start);
    this.show();
    this.count(found.length);
    if (this.recording && !this.recording.take()) this.finishRecording();
    this.film?.draw();
    this.sayNumbers();
  }

  /** The frame that is there now, and its pixels. */
  grab(seconds) {
    const { width, height } = this.source.size;
    const scale = Math.min(1, LONGEST_SIDE / Math.max(width, height));
    const canvas = this.spare.pop() ?? document.createElement("canvas");
    const size = { width: Math.round(width * scale), height: Math.round(height * scale) };
    if (canvas.width !== size.width || canvas.height !== size.height) Object.assign(canvas, size);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(this.source.video, 0, 0, canvas.width, canvas.height);
    return { seconds, canvas, came: performance.now(), picture: context.getImageData(0, 0, canvas.width, canvas.height) };
  }

  /** The frame to be shown: the newest that has been looked beyond far enough. Those before it are used again. */
  choose(seconds) {
    const until = seconds - this.lookAhead / RATE + 1e-6;
    const ready = this.frames.filter((frame) => frame.seconds <= until);
    if (!ready.length) return;
    const old = new Set(this.shown ? [this.shown, ...ready] : ready);
    this.shown = ready.at(-1);
    old.delete(this.shown);
    this.spare.push(...[...old].map(({ canvas }) => canvas));
    this.frames = this.frames.slice(ready.length - 1);
    this.lifted = this.people.at(this.shown.seconds, this.lookAhead);
  }

  /** Draw the frame, and the poses and the attention that belong to it. */
  show() {
    const palette = colors();
    if (!this.shown) return this.blank(palette);
    const start = performance.now();
    const among = (lifters) => (lifters.length > 1 ? lifters.indexOf(this.people.first) : -1);
    drawFrame(this.find(".flat"), this.shown.canvas, this.shown.joints, among(this.shown.lifters));
    const place = among(this.lifted.map(({ lifter }) => lifter));
    this.scene.draw(this.lifted.map(({ pose }) => pose), palette, place);
    const first = this.lifted[Math.max(place, 0)];
    const half = this.network.numFrames >> 1;
    if (first) {
      this.maps.spatial.draw(first.spatial, palette);
      this.maps.temporal.draw(first.temporal, palette, { center: half, unseen: half - this.lookAhead });
    }
    this.mean("drawing", performance.now() - start);
  }

  blank(palette) {
    this.scene.draw([], palette);
    for (const map of Object.values(this.maps)) map.draw(null, palette);
  }

  // ---- what is said

  mean(name, milliseconds) {
    this.means[name] += (this.means[name] ? AVERAGE : 1) * (milliseconds - this.means[name]);
  }

  count(found) {
    this.counts.frames++;
    if (found) this.counts.found++;
    this.empty = found ? 0 : this.empty + 1;
    this.controls.record.disabled = !this.lifted.length && !this.recording;
  }

  sayNumbers() {
    const now = performance.now();
    if (now - (this.said ?? 0) < NUMBERS_EVERY) return;
    const rate = this.said ? (1000 * (this.counts.frames - this.saidFrames)) / (now - this.said) : 0;
    [this.said, this.saidFrames] = [now, this.counts.frames];
    const { detecting, lifting, drawing } = this.means;
    const people = this.lifted.length;
    const who = people > 1 ? `${people} people` : people ? "one person" : "nobody";
    const speed = this.source.video.playbackRate;
    this.find(".numbers").textContent =
      `${who} followed · ${rate.toFixed(0)} frames a second · joints ${detecting.toFixed(0)} ms · lifting ${lifting.toFixed(0)} ms · ` +
      `drawing ${drawing.toFixed(0)} ms · shown ${(now - (this.shown?.came ?? now)).toFixed(0)} ms after it came` +
      (this.source.kind === "film" && speed < 1 ? ` · film at ${speed.toFixed(2)} of its speed` : "");
    const waits = this.recording ? `Recording: ${this.recording.seconds.toFixed(0)} of ${SECONDS} s.` : null;
    if (waits) this.say(waits);
    else if (this.empty > EMPTY) this.say(NOBODY[this.source.kind]);
    else if (this.find(".said").textContent.startsWith("Nobody")) this.say("");
  }

  // ---- keeping

  record() {
    if (!this.people.first) return;
    this.recording = new Recording(this.people.first, this.lookAhead);
    this.film = new Film([this.find(".flat"), this.find(".solid")], colors().panel);
    this.controls.record.textContent = "Stop recording";
    this.find(".kept").hidden = true;
  }

  async finishRecording() {
    const { recording, film } = this;
    this.recording = this.film = null;
    this.controls.record.textContent = `Record ${SECONDS} seconds`;
    const made = await film.finish();
    if (!recording.moments.length) return this.say("Nothing was recorded: the person left at once.");
    this.find(".kept").replaceChildren(`${recording.seconds.toFixed(1)} s: `, ...links(recording, made));
    this.find(".kept").hidden = false;
    this.say('Recorded. In Python, pfl.Motion.load("motion.json") reads it, and .save("motion.bvh") writes it for Blender.');
  }

  /** Let the camera and the detector go. */
  close() {
    this.turn = {};
    this.source.close();
    this.detector?.close();
  }
}
