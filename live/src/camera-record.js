// Ten seconds to keep: as numbers that poseformer_lite's Motion.load reads, and as a film of what was seen.

import { JOINTS } from "./body.js";
import { RATE } from "./prepare.js";

export const SECONDS = 10;
const FILM_TYPES = ["video/webm;codecs=vp9", "video/webm;codecs=vp8", "video/webm", "video/mp4"];
const FILM_SIZE = [1280, 480];

const rows = (values, width, digits) =>
  Array.from({ length: values.length / width }, (_, i) => Array.from(values.slice(i * width, (i + 1) * width), (value) => +value.toFixed(digits)));

/**
 * The file motion.json of poses_3d (T, 17, 3), metres, and keypoints (T, 17, 2), pixels.
 * @param {{pose: Float32Array, pixels: Float64Array}[]} moments at 50 a second
 */
export function motionJson(moments, { width, height }) {
  return JSON.stringify({
    poses_3d: moments.map(({ pose }) => rows(pose, 3, 5)),
    keypoints: moments.map(({ pixels }) => rows(pixels, 2, 2)),
    fps: RATE,
    width,
    height,
    joints: JOINTS,
  });
}

/** The poses of one person from now on, every one of them, until there are enough or the person is gone. */
export class Recording {
  constructor(lifter, lookAhead) {
    Object.assign(this, { lifter, lookAhead, moments: [] });
    this.generation = lifter.generation;
    this.number = Math.max(lifter.first, lifter.newest - lookAhead + 1);
  }

  get seconds() {
    return this.moments.length / RATE;
  }

  /** Take what has come; whether there is more to come. */
  take() {
    if (this.lifter.generation !== this.generation) return false;
    while (this.number + this.lookAhead <= this.lifter.newest && this.seconds < SECONDS) {
      const { pose, pixels } = this.lifter.pose(this.number++, this.lookAhead);
      this.moments.push({ pose, pixels });
    }
    return this.seconds < SECONDS;
  }
}

/**
 * What a recording is kept as: anchors with commas between them.
 * @param {Recording} recording @param {{blob: Blob, ending: string} | null} film
 */
export function links({ moments, lifter }, film) {
  const json = new Blob([motionJson(moments, lifter.picture)], { type: "application/json" });
  const files = [[json, "motion.json"], ...(film ? [[film.blob, `motion.${film.ending}`]] : [])];
  return files.flatMap(([blob, name], i) => {
    const anchor = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name, textContent: name });
    return i ? [", ", anchor] : [anchor];
  });
}

/** A film of canvases side by side, where the browser can make one. */
export class Film {
  constructor(canvases, background) {
    this.canvases = canvases;
    this.background = background;
    const type = window.MediaRecorder && FILM_TYPES.find((name) => MediaRecorder.isTypeSupported(name));
    this.canvas = document.createElement("canvas");
    if (!type || !this.canvas.captureStream) return;
    [this.canvas.width, this.canvas.height] = FILM_SIZE;
    this.draw();
    this.recorder = new MediaRecorder(this.canvas.captureStream(30), { mimeType: type, videoBitsPerSecond: 4e6 });
    this.parts = [];
    this.recorder.ondataavailable = ({ data }) => this.parts.push(data);
    this.recorder.start();
  }

  draw() {
    const context = this.canvas.getContext("2d");
    const [width, height] = FILM_SIZE;
    context.fillStyle = this.background;
    context.fillRect(0, 0, width, height);
    const room = width / this.canvases.length;
    this.canvases.forEach((canvas, i) => {
      const scale = Math.min(room / canvas.width, height / canvas.height);
      const [w, h] = [scale * canvas.width, scale * canvas.height];
      context.drawImage(canvas, i * room + (room - w) / 2, (height - h) / 2, w, h);
    });
  }

  /** @returns {Promise<{blob: Blob, ending: string} | null>} */
  async finish() {
    if (!this.recorder) return null;
    await new Promise((resolve) => {
      this.recorder.onstop = resolve;
      this.recorder.stop();
    });
    const type = this.recorder.mimeType.split(";")[0];
    return { blob: new Blob(this.parts, { type }), ending: type.split("/")[1] };
  }
}
