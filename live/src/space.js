// A small 3D scene on a plain canvas: a body on a floor, with its truth behind it, to be turned.

import { BONES } from "./body.js";
import { dot, drawBones, fresh } from "./draw.js";

const GRID = 0.5; // metres
const REACH = 1; // metres of floor around the pelvis
const EYE = 5; // metres to the eye: a little perspective

/** The rotation that takes camera space, given what is up in it, to x right, y away, z up. Rows of (3, 3). */
export function leveling(up) {
  const length = Math.hypot(...up);
  const z = up.map((part) => part / length);
  const x = normalized(cross([0, 0, 1], z)); // level, and to the right as in the picture
  return [x, cross(z, x), z];
}

const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
const normalized = (a) => a.map((part) => part / Math.hypot(...a));

/** A pose (J, 3) of camera space as points, z up. */
export function upright(pose, rotation) {
  return Array.from({ length: pose.length / 3 }, (_, joint) =>
    rotation.map((row) => row[0] * pose[3 * joint] + row[1] * pose[3 * joint + 1] + row[2] * pose[3 * joint + 2]),
  );
}

export class Space {
  /** @param {HTMLCanvasElement} canvas @param {(turn: number[]) => void} turned is told of [azimuth, elevation], degrees */
  constructor(canvas, turned) {
    this.canvas = canvas;
    this.turn = [0, 0];
    let from = null;
    canvas.addEventListener("pointerdown", (event) => {
      from = [event.clientX, event.clientY, ...this.turn];
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!from) return;
      const elevation = from[3] + (event.clientY - from[1]) * 0.4;
      turned([from[2] - (event.clientX - from[0]) * 0.6, Math.min(Math.max(elevation, -30), 85)]);
    });
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => (from = null));
    canvas.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: [5, 0], ArrowRight: [-5, 0], ArrowUp: [0, 5], ArrowDown: [0, -5] }[event.key];
      if (!by) return;
      event.preventDefault();
      turned([this.turn[0] + by[0], Math.min(Math.max(this.turn[1] + by[1], -30), 85)]);
    });
  }

  /** poses: points z up, or null; links: [joint, joint, share]; floor: its height. */
  draw({ pose, truth, joint, links = [], floor, turn, palette }) {
    const at = fresh(this.canvas);
    this.turn = turn;
    if (!at) return;
    const { context, width, height } = at;
    const project = this.projection(width, height, turn, floor);
    drawFloor(context, project, floor, palette);
    if (truth) drawBones(context, truth.map(project), palette, 4.2, { ghost: true });
    const points = pose.map(project);
    for (const [a, b, share] of links) {
      context.strokeStyle = palette.link;
      context.globalAlpha = 0.25 + 0.55 * share;
      context.lineWidth = 1 + 6 * share;
      context.lineCap = "round";
      context.beginPath();
      context.moveTo(...points[a]);
      context.lineTo(...points[b]);
      context.stroke();
    }
    context.globalAlpha = 1;
    const far = (bone) => points[bone[0]][2] + points[bone[1]][2];
    drawBones(context, points.map(([x, y]) => [x, y]), palette, 4.2, { bones: [...BONES].sort((a, b) => far(b) - far(a)) });
    points.forEach((point, number) => number !== joint && dot(context, point, 2.6, palette.ink));
    if (truth) {
      const [a, b] = [points[joint], project(truth[joint])];
      context.strokeStyle = palette.chosen;
      context.lineWidth = 2;
      context.beginPath();
      context.moveTo(a[0], a[1]);
      context.lineTo(b[0], b[1]);
      context.stroke();
      dot(context, b, 3, palette.chosen);
    }
    dot(context, points[joint], 6, palette.chosen, palette.panel, 2);
  }

  projection(width, height, [azimuth, elevation], floor) {
    const [a, e] = [(azimuth * Math.PI) / 180, (elevation * Math.PI) / 180];
    const [ca, sa, ce, se] = [Math.cos(a), Math.sin(a), Math.cos(e), Math.sin(e)];
    const scale = Math.min(width / 1.5, height / 2.25);
    const middle = floor + 0.8;
    return ([x, y, z]) => {
      const away = sa * x + ca * y;
      const [right, up, depth] = [ca * x - sa * y, ce * (z - middle) + se * away, ce * away - se * (z - middle)];
      const size = (scale * EYE) / (EYE + depth);
      return [width / 2 + size * right, height / 2 - size * up, depth];
    };
  }
}

function drawFloor(context, project, floor, palette) {
  context.strokeStyle = palette.line;
  context.lineWidth = 1;
  for (let at = -REACH; at <= REACH + 1e-6; at += GRID) {
    for (const ends of [[[at, -REACH, floor], [at, REACH, floor]], [[-REACH, at, floor], [REACH, at, floor]]]) {
      const [a, b] = ends.map(project);
      context.beginPath();
      context.moveTo(a[0], a[1]);
      context.lineTo(b[0], b[1]);
      context.stroke();
    }
  }
}
