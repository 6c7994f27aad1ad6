// The pictures of the live part: joints over a frame, and lifted skeletons on a floor.

import { PARENTS } from "./body.js";
import { drawBones, fresh } from "./draw.js";

const TALL = 1.85; // metres above the floor,
const WIDE = 2.3; // and across, that fit into the picture
const [GRID, REACH] = [0.5, 1]; // metres of the floor's grid, and of the floor around the middle
const [EYE, APART] = [6, 1.1]; // metres from the eye, and between people, who stand side by side
const STEPS = { ArrowLeft: [10, 0], ArrowRight: [-10, 0], ArrowUp: [0, 5], ArrowDown: [0, -5] }; // degrees
const PALE = 0.45; // of those who are not the chosen one
const OUTLINE = { left: "#fff", right: "#fff", middle: "#fff" };
const OVER_FRAME = { left: "#0072b2", right: "#d55e00", middle: "#222" }; // on a film, whatever the page's theme

/** Where a frame lies on a canvas, as large as it fits, in CSS pixels. */
export function placeOn({ clientWidth: width, clientHeight: height }, frame) {
  const scale = Math.min(width / frame.width, height / frame.height);
  return { scale, left: (width - scale * frame.width) / 2, top: (height - scale * frame.height) / 2 };
}

/**
 * A frame with the joints that were found in it.
 * @param {HTMLCanvasElement} canvas
 * @param {HTMLCanvasElement} frame
 * @param {ArrayLike<number>[]} people (17, 2) each, pixels of the frame
 * @param {number} first of several people, whom the others are paler than; -1 is none
 */
export function drawFrame(canvas, frame, people, first = -1) {
  const at = fresh(canvas);
  if (!at) return;
  const { context } = at;
  const { scale, left, top } = placeOn(canvas, frame);
  context.drawImage(frame, left, top, scale * frame.width, scale * frame.height);
  people.forEach((joints, person) => {
    context.globalAlpha = first < 0 || person === first ? 1 : PALE;
    const points = PARENTS.map((_, joint) => [left + scale * joints[2 * joint], top + scale * joints[2 * joint + 1]]);
    drawBones(context, points, OUTLINE, 5.5);
    drawBones(context, points, OVER_FRAME, 3);
  });
  context.globalAlpha = 1;
}

/** Skeletons that can be turned, by mouse, finger or keys. */
export class Scene {
  constructor(canvas) {
    this.canvas = canvas;
    this.turn(-25, 8);
    let from = null;
    canvas.addEventListener("pointerdown", (event) => {
      from = [event.clientX, event.clientY];
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!from) return;
      this.turn(this.yaw - 0.5 * (event.clientX - from[0]), this.pitch + 0.5 * (event.clientY - from[1]));
      from = [event.clientX, event.clientY];
    });
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => (from = null));
    canvas.addEventListener("keydown", (event) => {
      const step = STEPS[event.key];
      if (!step) return;
      event.preventDefault();
      this.turn(this.yaw + step[0], this.pitch + step[1]);
    });
  }

  /** Degrees from the camera's place to the right, and upwards. */
  turn(yaw, pitch) {
    [this.yaw, this.pitch] = [yaw, Math.min(85, Math.max(0, pitch))];
    this.again?.();
  }

  /**
   * @param {Float32Array[]} poses (17, 3) each, metres, camera space @param {object} palette of `colors`
   * @param {number} first as of drawFrame
   */
  draw(poses, palette, first = -1) {
    this.again = () => this.draw(poses, palette, first);
    const at = fresh(this.canvas);
    if (!at) return;
    const { context } = at;
    const project = this.projection(at, Math.max(1, poses.length));
    drawFloor(context, project, palette);
    const shadow = { left: palette.ink, right: palette.ink, middle: palette.ink };
    poses.forEach((pose, i) => {
      const points = standing(pose, (i - (poses.length - 1) / 2) * APART);
      context.globalAlpha = 0.15;
      drawBones(context, points.map(([x, y]) => project([x, y, 0])), { ...palette, ...shadow }, 5);
      context.globalAlpha = first < 0 || i === first ? 1 : PALE;
      drawBones(context, points.map(project), palette, 4.2);
    });
    context.globalAlpha = 1;
  }

  /** From (x right, y away, z up), metres, to the canvas. */
  projection({ width, height }, people) {
    const [yaw, pitch] = [this.yaw, this.pitch].map((angle) => (angle * Math.PI) / 180);
    const [cosYaw, sinYaw, cosPitch, sinPitch] = [Math.cos(yaw), Math.sin(yaw), Math.cos(pitch), Math.sin(pitch)];
    const scale = Math.min(width / (WIDE + (people - 1) * APART), height / (TALL + 0.62));
    return ([x, y, z]) => {
      const [across, away, up] = [x * cosYaw + y * sinYaw, y * cosYaw - x * sinYaw, z - TALL / 2];
      const size = (scale * EYE) / (EYE + away * cosPitch - up * sinPitch);
      return [width / 2 + size * across, 0.44 * height - size * (up * cosPitch + away * sinPitch)];
    };
  }
}

function drawFloor(context, project, palette) {
  context.strokeStyle = palette.line;
  context.lineWidth = 1;
  for (let at = -REACH; at <= REACH + 1e-6; at += GRID) {
    for (const ends of [[[at, -REACH, 0], [at, REACH, 0]], [[-REACH, at, 0], [REACH, at, 0]]]) {
      context.beginPath();
      context.moveTo(...project(ends[0]));
      context.lineTo(...project(ends[1]));
      context.stroke();
    }
  }
}

/** A pose of camera space with z up, its lowest joint on the floor: [[x, y, z], ...]. The camera is taken to be level. */
function standing(pose, aside) {
  const points = PARENTS.map((_, joint) => [pose[3 * joint] + aside, pose[3 * joint + 2], -pose[3 * joint + 1]]);
  const lowest = Math.min(...points.map(([, , z]) => z));
  return points.map(([x, y, z]) => [x, y, z - lowest]);
}
