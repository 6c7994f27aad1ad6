// Drawing on canvases: sharp on every screen, in the colours of the page's theme.

import { BONES, side } from "./body.js";

const VIRIDIS = [
  [68, 1, 84], [72, 40, 120], [62, 74, 137], [49, 104, 142], [38, 130, 142], [31, 158, 137], [53, 183, 121], [110, 206, 88],
  [181, 222, 43], [253, 231, 37],
];
const DASH = { left: [], right: [3, 1], middle: [] }; // in widths of the line: left and right differ without colours

/** The colour of a share from 0 to 1, as [red, green, blue]. */
export function viridis(share) {
  const place = Math.min(Math.max(share || 0, 0), 1) * (VIRIDIS.length - 1);
  const below = Math.min(Math.floor(place), VIRIDIS.length - 2);
  return VIRIDIS[below].map((part, i) => Math.round(part + (place - below) * (VIRIDIS[below + 1][i] - part)));
}

/** Below zero the colour of the right, above it that of the left, paler towards zero. share: -1 to 1. */
function diverging(share, dark) {
  const [end, middle] = [share < 0 ? [213, 94, 0] : [0, 114, 178], dark ? [38, 44, 54] : [246, 246, 244]];
  const strength = Math.min(Math.abs(share), 1);
  return middle.map((part, i) => Math.round(part + strength * (end[i] - part)));
}

/** A canvas's context in CSS pixels, cleared, with its size; null while it has none. */
export function fresh(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  if (!width || !height) return null;
  const scale = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
  }
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

/** The theme's colours, as the style sheet has them. */
export function colors() {
  const style = getComputedStyle(document.documentElement);
  const names = ["left", "right", "middle", "ink", "muted", "faint", "line", "link", "chosen", "panel"];
  return {
    dark: style.getPropertyValue("--dark").trim() === "1",
    ...Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()])),
  };
}

/** The bones of a body whose joints are at points [x, y], left solid and right dashed. */
export function drawBones(context, points, palette, width, { ghost = false, bones = BONES } = {}) {
  context.lineCap = "round";
  for (const [parent, child] of bones) {
    const of = side(child);
    context.strokeStyle = ghost ? palette.faint : palette[of];
    context.lineWidth = ghost ? width * 2.2 : width;
    context.lineCap = !ghost && DASH[of].length ? "butt" : "round";
    context.setLineDash(ghost ? [] : DASH[of].map((length) => length * width));
    context.beginPath();
    context.moveTo(...points[parent]);
    context.lineTo(...points[child]);
    context.stroke();
  }
  context.setLineDash([]);
}

export function dot(context, [x, y], radius, fill, stroke, width = 1.5) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = fill;
  context.fill();
  if (!stroke) return;
  context.strokeStyle = stroke;
  context.lineWidth = width;
  context.stroke();
}

/**
 * Numbers (rows, columns) as colours.
 * @param {{context, x, y, width, height}} place
 * @param {{rows, columns, top, signed, dark, faded}} look top: the number of the strongest colour
 */
export function heatmap({ context, x, y, width, height }, values, { rows, columns, top, signed = false, dark = false, faded = false }) {
  const image = new ImageData(columns, rows);
  for (let i = 0; i < rows * columns; i++) {
    const [r, g, b] = signed ? diverging(values[i] / top, dark) : viridis(values[i] / top);
    image.data.set([r, g, b, faded ? 70 : 255], 4 * i);
  }
  const small = document.createElement("canvas");
  small.width = columns;
  small.height = rows;
  small.getContext("2d").putImageData(image, 0, 0);
  context.imageSmoothingEnabled = width < columns;
  context.drawImage(small, x, y, width, height);
}

/** A frame around a part of a heatmap. */
export function frameCells(context, { x, y, width, height }, rows, columns, [row, column, high, wide], color, line = 2) {
  context.strokeStyle = color;
  context.lineWidth = line;
  const [cell, step] = [width / columns, height / rows];
  context.strokeRect(x + column * cell, y + row * step, wide * cell, high * step);
}

/**
 * Where a body lies in a box: always as large, its hip in one place, however it moves through the picture.
 * @param {Float32Array} keypoints (T, J, 2), all that should fit
 * @param {Float32Array} hip [x, y] of the frame that is shown
 */
export function fitBody(keypoints, hip, J, width, height, margin) {
  const reach = [0, 0, 0, 0]; // from the hip to the left, right, top and bottom
  for (let i = 0; i < keypoints.length; i += 2) {
    const root = i - (i % (2 * J));
    const [x, y] = [keypoints[i] - keypoints[root], keypoints[i + 1] - keypoints[root + 1]];
    [-x, x, -y, y].forEach((far, side) => (reach[side] = Math.max(reach[side], far)));
  }
  const [left, right, top, bottom] = reach;
  const scale = Math.min((width - 2 * margin) / (left + right), (height - 2 * margin) / (top + bottom));
  const [dx, dy] = [width / 2 + (scale * (left - right)) / 2, height / 2 + (scale * (top - bottom)) / 2];
  return { scale, to: (x, y) => [scale * (x - hip[0]) + dx, scale * (y - hip[1]) + dy] };
}

export const pointsOf = (pose, to, size = 2) =>
  Array.from({ length: pose.length / size }, (_, joint) => to(...pose.subarray(size * joint, size * (joint + 1))));
