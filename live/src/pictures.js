// What each stage looks like, small in the row of stages and large when it is open, and what a click in it means.

import { BONES, JOINT_NAMES, JOINTS } from "./body.js";
import { dot, drawBones, fitBody, fresh, frameCells, heatmap, pointsOf } from "./draw.js";
import { said } from "./math.js";
import { jointErrors } from "./take.js";

const LABELS = 74; // pixels for the joints' names
const FILM_STEP = 18; // pixels that a body of the strip of film needs at least

const largest = (values) => values.reduce((top, value) => Math.max(top, Math.abs(value)), 1e-9);

/** The numbers of a stage as a grid, and what of it is chosen: {values, rows, columns, top, signed, chosen, names}. */
function grid(stage, moment) {
  const { result, center, state, F, J, C, D, spatialMap, temporalMap, query, frameKey } = moment;
  const joint = state.get("joint");
  if (stage === "joints") {
    const values = result.tokens.embedded.subarray(center * J * C, (center + 1) * J * C);
    return { values, rows: J, columns: C, top: largest(values), signed: true, names: true, chosen: [[joint, 0, 1, C], [joint, state.get("channel"), 1, 1]] };
  }
  if (stage === "spatial") {
    return { values: spatialMap, rows: J, columns: J, top: largest(spatialMap), names: true, square: true, chosen: [[joint, 0, 1, J], [joint, moment.key, 1, 1]] };
  }
  if (stage === "frames") {
    const values = result.tokens.joints;
    return { values, rows: F, columns: D, top: 2.5, signed: true, chosen: [[query, 0, 1, D], [query, joint * C, 1, C]] };
  }
  if (stage === "temporal") {
    return { values: temporalMap, rows: F, columns: F, top: largest(temporalMap), square: true, chosen: [[query, 0, 1, F], [query, frameKey, 1, 1]] };
  }
  return null;
}

/** A stage's picture in the row of stages. */
export function drawThumb(canvas, stage, moment) {
  const at = fresh(canvas);
  if (!at) return;
  const { context, width, height } = at;
  const { palette, network, center } = moment;
  if (stage === "weights") return drawBars(context, { x: 0, y: 4, width, height: height - 8 }, network.frameWeights, palette, center);
  const { values, rows, columns, top, signed, chosen } = grid(stage, moment);
  const place = { context, x: 0, y: 0, width, height };
  heatmap(place, values, { rows, columns, top, signed, dark: palette.dark });
  frameCells(context, place, rows, columns, chosen[0], palette.chosen, 1.5);
}

/** Bars above and below zero, one a frame. */
function drawBars(context, { x, y, width, height }, values, palette, chosen, color = palette.left) {
  const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
  const scale = height / (high - low || 1);
  const zero = y + high * scale;
  const step = width / values.length;
  values.forEach((value, i) => {
    context.fillStyle = i === chosen ? palette.chosen : value < 0 ? palette.right : color;
    const tall = Math.max(Math.abs(value) * scale, 1);
    context.fillRect(x + i * step + step * 0.12, value < 0 ? zero : zero - tall, step * 0.76, tall);
  });
  context.fillStyle = palette.muted;
  context.fillRect(x, zero - 0.5, width, 1);
}

/** The open stage's picture. Gives back what a pointer or an arrow key needs: the cells' place and what is chosen. */
export function drawOpen(canvas, stage, moment) {
  const at = fresh(canvas);
  if (!at) return null;
  const { context, width, height } = at;
  const { palette } = moment;
  context.font = `11px ${getComputedStyle(canvas).fontFamily}`;
  context.textBaseline = "middle";
  if (stage === "keypoints") return drawNumbers(context, width, height, moment);
  if (stage === "pose") return drawErrors(context, width, height, moment);
  if (stage === "weights") return drawMean(context, width, height, moment);
  const { values, rows, columns, top, signed, names, square, chosen } = grid(stage, moment);
  const left = names ? LABELS : 0;
  const bottom = stage === "spatial" ? LABELS + 6 : 18; // its columns have names, too
  let [wide, high] = [width - left, height - bottom];
  if (square) wide = high = Math.min(wide, high);
  if (names && !square) wide = Math.min(wide, high * 0.95);
  const place = { context, x: left + (square ? Math.max(0, (width - left - wide) / 2) : 0), y: 0, width: wide, height: high };
  heatmap(place, values, { rows, columns, top, signed, dark: palette.dark });
  chosen.forEach((cells, i) => frameCells(context, place, rows, columns, cells, i ? palette.panel : palette.chosen, 2));
  if (chosen[1]) frameCells(context, place, rows, columns, chosen[1], palette.chosen, 1.5);
  if (names) rowNames(context, place, rows, moment);
  if (stage === "spatial") columnNames(context, place, columns, moment);
  context.fillStyle = palette.muted;
  context.textAlign = "center";
  const below = {
    joints: "a row is a token, a column one of its channels",
    spatial: "rows look, columns are looked at",
    frames: "a row is a frame, the oldest on top",
    temporal: "rows look, the oldest frame on top; columns are looked at",
  }[stage];
  context.fillText(below, stage === "spatial" || stage === "joints" ? place.x + wide / 2 : width / 2, high + bottom - 8);
  const [row, column] = chosen[1];
  return { ...place, rows, columns, at: [row, column + (stage === "frames" ? moment.state.get("channel") : 0)] };
}

/** A joint's name at a row or a column, in parentheses while the joint is hidden. */
const nameOf = (joint, state) => (state.get("hidden").includes(joint) ? `(${JOINTS[joint]})` : JOINTS[joint]);

function rowNames(context, place, rows, { state, palette }) {
  const step = place.height / rows;
  context.textAlign = "right";
  for (let i = 0; i < rows; i++) {
    context.fillStyle = i === state.get("joint") ? palette.chosen : palette.muted;
    context.fillText(nameOf(i, state), place.x - 6, (i + 0.5) * step);
  }
}

function columnNames(context, place, columns, { key, state, palette }) {
  context.textAlign = "right";
  for (let i = 0; i < columns; i++) {
    context.save();
    context.translate(place.x + ((i + 0.5) * place.width) / columns, place.y + place.height + 5);
    context.rotate(-Math.PI / 2);
    context.fillStyle = i === key ? palette.chosen : palette.muted;
    context.fillText(nameOf(i, state), 0, 0);
    context.restore();
  }
}

/** Keypoints as a table of numbers. */
function drawNumbers(context, width, height, moment) {
  const { window, center, J, state, palette } = moment;
  const place = { context, x: LABELS, y: 0, width: Math.min(width - LABELS, 190), height: height - 18 };
  const step = place.height / J;
  rowNames(context, place, J, moment);
  context.textAlign = "right";
  for (let joint = 0; joint < J; joint++) {
    const chosen = joint === state.get("joint");
    if (chosen) {
      context.fillStyle = palette.line;
      context.fillRect(place.x, joint * step, place.width, step);
    }
    context.fillStyle = chosen ? palette.chosen : palette.ink;
    for (const axis of [0, 1]) {
      context.fillText(said(window[(center * J + joint) * 2 + axis]), place.x + (axis + 0.85) * (place.width / 2), (joint + 0.5) * step);
    }
  }
  context.fillStyle = palette.muted;
  ["x", "y"].forEach((name, axis) => context.fillText(name, place.x + (axis + 0.85) * (place.width / 2), height - 8));
  return { ...place, rows: J, columns: 1, at: [state.get("joint"), 0] };
}

/** The joints' errors as bars, or where there is no truth, their coordinates. */
function drawErrors(context, width, height, moment) {
  const { result, truth, J, state, palette } = moment;
  const place = { context, x: LABELS, y: 0, width: width - LABELS - 46, height: height - 18 };
  const step = place.height / J;
  rowNames(context, place, J, moment);
  const values = truth ? jointErrors(result.pose, truth) : Float32Array.from({ length: J }, (_, joint) => result.pose[3 * joint + 2]);
  const top = Math.max(truth ? 100 : 0.3, largest(values));
  for (let joint = 0; joint < J; joint++) {
    const wide = (Math.abs(values[joint]) / top) * place.width;
    context.fillStyle = joint === state.get("joint") ? palette.chosen : palette.left;
    context.fillRect(place.x, joint * step + step * 0.18, Math.max(wide, 1), step * 0.64);
    context.fillStyle = palette.ink;
    context.textAlign = "left";
    context.fillText(truth ? values[joint].toFixed(0) : said(values[joint], 2), place.x + wide + 6, (joint + 0.5) * step);
  }
  context.fillStyle = palette.muted;
  context.textAlign = "left";
  context.fillText(truth ? "error of each joint, mm" : "depth of each joint, m, from the hip", place.x, height - 8);
  return { ...place, rows: J, columns: 1, at: [state.get("joint"), 0] };
}

function drawMean(context, width, height, moment) {
  const { network, palette, query, F } = moment;
  const place = { context, x: 0, y: 14, width, height: height - 42 };
  drawBars(context, place, network.frameWeights, palette, query);
  context.fillStyle = palette.muted;
  context.textAlign = "center";
  context.fillText("learned weights of the frames, oldest to newest", width / 2, height - 9);
  return { ...place, rows: 1, columns: F, at: [0, query] };
}

/** One head's map, small. */
export function drawHead(canvas, values, N, palette, off) {
  const at = fresh(canvas);
  if (!at) return;
  heatmap({ context: at.context, x: 0, y: 0, width: at.width, height: at.height }, values, { rows: N, columns: N, top: largest(values), dark: palette.dark, faded: off });
}

/** The window as a strip of film: each frame's body, above it how much is taken from it. */
export function drawFilm(canvas, moment) {
  const at = fresh(canvas);
  if (!at) return null;
  const { context, width, height } = at;
  const { window, F, J, palette, state, network, temporalRow, query, center } = moment;
  const asks = state.get("stage") === "temporal";
  const values = { temporal: temporalRow, weights: network.frameWeights }[state.get("stage")] ?? new Float32Array(F).fill(1);
  const [step, bars] = [width / F, asks ? height * 0.42 : 0];
  if (asks) drawBars(context, { x: 0, y: 3, width, height: bars - 6 }, values, palette, query, palette.link);
  const top = largest(values);
  const every = Math.ceil(FILM_STEP / step); // where it is narrow, frames are left out
  for (let frame = center % every; frame < F; frame += every) {
    const pose = window.subarray(frame * J * 2, (frame + 1) * J * 2);
    const { to } = fitBody(window, pose, J, step * 3, height - bars, 3); // arms may reach into the next frame
    context.globalAlpha = 0.35 + 0.65 * Math.min(Math.abs(values[frame]) / top, 1);
    drawBones(context, pointsOf(pose, (x, y) => to(x, y).map((at, axis) => at + [(frame - 1) * step, bars][axis])), palette, 1.3);
  }
  context.globalAlpha = 1;
  frameCells(context, { x: 0, y: 1, width, height: height - 2 }, 1, F, [0, query, 1, 1], palette.chosen, 1.5);
  return { x: 0, y: 0, width, height, rows: 1, columns: F, at: [0, query] };
}

/** The picture that is dragged: the body, the joint that is touched, and lines to the joints it looks at most. */
export function drawFlat(canvas, moment, { image, before }) {
  const at = fresh(canvas);
  if (!at) return null;
  const { context, width, height } = at;
  const { pose2d, take, state, palette, spatialRow } = moment;
  const [joint, hidden] = [state.get("joint"), state.get("hidden")];
  const { J, frames } = moment;
  const nearby = take.keypoints.subarray(frames[0] * J * 2, (frames.at(-1) + 1) * J * 2); // so that its size changes slowly
  const fit = fitBody(nearby, take.hipAt(state.get("frame")), J, width, height, Math.min(22, 0.09 * width));
  if (image) {
    const [left, top] = fit.to(-1, -take.height / take.width);
    const [right, bottom] = fit.to(1, take.height / take.width);
    context.globalAlpha = palette.dark ? 0.55 : 0.75;
    context.drawImage(image.sheet, image.x, image.y, image.width, image.height, left, top, right - left, bottom - top);
    context.globalAlpha = 1;
  }
  const points = pointsOf(pose2d, fit.to);
  if (before) drawBones(context, pointsOf(before, fit.to), palette, 2.5, { ghost: true });
  const others = [...spatialRow.keys()].filter((other) => other !== joint).sort((a, b) => spatialRow[b] - spatialRow[a]);
  const most = spatialRow[others[0]];
  const looks = state.get("stage") === "spatial";
  for (const other of looks ? others.slice(0, 5) : []) {
    context.strokeStyle = palette.link;
    context.globalAlpha = 0.75;
    context.lineWidth = 1 + (7 * spatialRow[other]) / most;
    context.lineCap = "round";
    context.beginPath();
    context.moveTo(...points[joint]);
    context.lineTo(...points[other]);
    context.stroke();
  }
  context.globalAlpha = 1;
  const size = width < 220 ? 0.7 : 1;
  for (const bone of BONES) {
    context.globalAlpha = bone.some((end) => hidden.includes(end)) ? 0.3 : 1;
    drawBones(context, points, palette, 3.5 * size, { bones: [bone] });
  }
  context.globalAlpha = 1;
  const top = largest(spatialRow);
  points.forEach((point, number) => {
    const inks = [number === joint ? palette.chosen : palette.ink, palette.panel];
    if (hidden.includes(number)) inks.reverse(); // hollow
    dot(context, point, size * (looks ? 3.5 + (4 * spatialRow[number]) / top : 4.5), ...inks);
  });
  context.strokeStyle = palette.chosen;
  context.lineWidth = 2;
  context.beginPath();
  context.arc(...points[joint], 12, 0, 2 * Math.PI);
  context.stroke();
  return { fit, points };
}

/** The errors of a whole take as a curve, with the window in it. */
export function drawTimeline(canvas, { errors, take, frame, numFrames, palette }) {
  const at = fresh(canvas);
  if (!at) return;
  const { context, width, height } = at;
  const x = (t) => 8 + ((width - 16) * t) / (take.length - 1); // where a slider's thumb of 16 pixels is
  const half = (numFrames - 1) / 2;
  context.fillStyle = palette.line;
  context.fillRect(x(Math.max(0, frame - half)), 0, x(Math.min(take.length - 1, frame + half)) - x(Math.max(0, frame - half)), height);
  if (errors) {
    const top = Math.max(80, ...errors.filter(Number.isFinite));
    context.strokeStyle = palette.muted;
    context.lineWidth = 1.5;
    context.beginPath();
    let drawing = false;
    errors.forEach((error, t) => {
      if (!Number.isFinite(error)) return (drawing = false);
      const y = height - 3 - (error / top) * (height - 8);
      drawing ? context.lineTo(x(t), y) : context.moveTo(x(t), y);
      drawing = true;
    });
    context.stroke();
    context.fillStyle = palette.muted;
    context.font = `10px ${getComputedStyle(canvas).fontFamily}`;
    context.fillText("error over time", 8, height - 3);
    if (Number.isFinite(errors[frame])) dot(context, [x(frame), height - 3 - (errors[frame] / top) * (height - 8)], 4, palette.chosen);
  }
  context.fillStyle = palette.chosen;
  context.fillRect(x(frame) - 0.75, 0, 1.5, height);
}
