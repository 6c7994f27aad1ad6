// From a detector's joints to what the network sees, frame after frame, as poseformer_lite does it for a recording
// that ends with the newest frame: keypoints.py, camera.py and canonical.py.
//
// A frame of joints is a Float64Array (J, 2), pixels; its time is in seconds.

import { JOINTS } from "./body.js";

export const RATE = 50; // Hz: the networks were trained at it
const FORGOTTEN = 1; // seconds after which somebody who left is not waited for: what comes then is a new stream
const HEAD_TOP_BEYOND_EARS = 0.5;
const EARS = [7, 8];
// For each of the 17 joints, those of MediaPipe's 33 whose mean it is.
const SOURCES = {
  0: [23, 24], 1: [24], 2: [26], 3: [28], 4: [23], 5: [25], 6: [27], 8: [11, 12], 9: [0],
  11: [11], 12: [13], 13: [15], 14: [12], 15: [14], 16: [16],
}; // prettier-ignore

/**
 * MediaPipe's 33 joints as the 17 of Human3.6M.
 * @param {ArrayLike<number>} landmarks (33, stride), x and y first
 * @returns {Float64Array} (17, 2)
 */
export function toH36m17(landmarks, stride = 2) {
  const joints = new Float64Array(2 * JOINTS.length);
  for (const axis of [0, 1]) {
    const mean = (sources) => sources.reduce((sum, joint) => sum + landmarks[joint * stride + axis], 0) / sources.length;
    for (const [joint, sources] of Object.entries(SOURCES)) joints[2 * joint + axis] = mean(sources);
    const [pelvis, thorax, ears] = [joints[axis], joints[16 + axis], mean(EARS)];
    joints[14 + axis] = (pelvis + thorax) / 2;
    joints[20 + axis] = ears + HEAD_TOP_BEYOND_EARS * (ears - thorax);
  }
  return joints;
}

/** Pixels (J, 2) in screen coordinates: x from -1 to 1, and y in the same unit. */
export function normalizeScreen(pixels, width, height) {
  return Float32Array.from(pixels, (value, i) => (value / width) * 2 - (i % 2 ? height / width : 1));
}

/**
 * The frames of one person at an even rate, ready for the network. A frame goes in whenever it comes, and the moments of
 * the even rate that lie between it and the one before come out. Where somebody is out of sight for a while, they are
 * interpolated once seen again; after a second a new stream begins.
 */
export class Preparation {
  /** @param {{width: number, height: number, input?: string}} picture its size, and what the network is shown */
  constructor({ width, height, input = "screen" }) {
    Object.assign(this, { width, height });
    this.canonical = input === "canonical" ? new CanonicalView(width, height) : null;
    this.last = null;
    this.count = 0; // of the moments that came out
  }

  /** Whether a frame of that time would go on with this stream. */
  continues(seconds) {
    return !this.last || (seconds > this.last.seconds && seconds - this.last.seconds <= FORGOTTEN);
  }

  /**
   * @param {Float64Array} pixels (17, 2)
   * @returns {{seconds: number, pixels: Float64Array, pose2d: Float32Array, turn: Float64Array | null}[]} turn (3, 3): from
   *   the camera's axes to those in which the network's answer stands, or null where these are the same
   */
  push(pixels, seconds) {
    if (!this.continues(seconds)) throw new Error(`a frame at ${seconds} s does not go on from ${this.last.seconds} s`);
    this.start ??= seconds;
    const before = this.last ?? { pixels, seconds };
    const moments = [];
    for (;;) {
      const moment = this.start + this.count / RATE;
      if (moment > seconds + 1e-6) break;
      const share = seconds > before.seconds ? Math.min(1, (moment - before.seconds) / (seconds - before.seconds)) : 1;
      const between = pixels.map((value, i) => (1 - share) * before.pixels[i] + share * value);
      moments.push({ seconds: moment, pixels: between, ...this.look(between) });
      this.count++;
    }
    this.last = { pixels, seconds };
    return moments;
  }

  look(pixels) {
    if (this.canonical) return this.canonical.push(pixels);
    return { pose2d: normalizeScreen(pixels, this.width, this.height), turn: null };
  }
}

// ---- the canonical camera, which looks at the hip and shows every person as large

const SIZE = 0.35; // root mean square distance of the joints from the hip
const ASSUMED_FOCAL_LENGTH = 1; // of the picture's longer side
const HIP_SECONDS = 0.06;
const [MEDIAN_SECONDS, SIZE_SECONDS] = [2, 0.3];

/** A Gaussian's weights from its middle outwards, as far as scipy takes them: four standard deviations. */
function gaussian(deviation) {
  const weights = Array.from({ length: Math.floor(4 * deviation + 0.5) + 1 }, (_, i) => Math.exp(-0.5 * (i / deviation) ** 2));
  const sum = 2 * weights.reduce((total, weight) => total + weight) - weights[0];
  return weights.map((weight) => weight / sum);
}

const HIP_WEIGHTS = gaussian(HIP_SECONDS * RATE);
const SIZE_WEIGHTS = gaussian(SIZE_SECONDS * RATE);
const MEDIAN_REACH = Math.floor((MEDIAN_SECONDS * RATE) / 2); // values to each side

/** The last value of a list, smoothed as if it stayed the same from now on, and had been the same before. */
function smoothedLast(values, weights) {
  const [first, last] = [values[0], values.at(-1)];
  let sum = weights[0] * last;
  for (let i = 1; i < weights.length; i++) sum += weights[i] * ((values[values.length - 1 - i] ?? first) + last);
  return sum;
}

/** The median around the i-th value of a list that stays the same before its first and after its last. */
function medianAround(values, i, reach) {
  const window = new Float64Array(2 * reach + 1);
  for (let k = -reach; k <= reach; k++) window[k + reach] = values[Math.min(Math.max(i + k, 0), values.length - 1)];
  return window.sort()[reach];
}

/** canonical_view, for the last frame of what has been seen so far. */
class CanonicalView {
  constructor(width, height) {
    this.focalLength = ASSUMED_FOCAL_LENGTH * Math.max(width, height);
    this.center = [width / 2, height / 2];
    this.hips = [[], []]; // the rays through the hip, x and y; z is 1
    this.sizes = [];
  }

  push(pixels) {
    const flat = pixels.map((value, i) => (value - this.center[i % 2]) / this.focalLength);
    this.hips.forEach((hips, axis) => {
      hips.push(flat[axis]);
      if (hips.length > HIP_WEIGHTS.length) hips.shift();
    });
    const turn = turnToFront(...this.hips.map((hips) => smoothedLast(hips, HIP_WEIGHTS)), 1);
    const seen = new Float64Array(flat.length);
    for (let i = 0; i < flat.length; i += 2) {
      const [x, y, z] = rotate(turn, flat[i], flat[i + 1], 1);
      seen[i] = x / Math.max(z, 0.05); // nothing is seen from behind
      seen[i + 1] = y / Math.max(z, 0.05);
    }
    const size = this.size(seen);
    return { pose2d: Float32Array.from(seen, (value) => (SIZE * value) / size), turn };
  }

  size(seen) {
    const squares = seen.reduce((sum, value, i) => sum + (value - seen[i % 2]) ** 2, 0);
    this.sizes.push(Math.sqrt(squares / JOINTS.length));
    if (this.sizes.length > MEDIAN_REACH + SIZE_WEIGHTS.length) this.sizes.shift();
    const from = Math.max(0, this.sizes.length - SIZE_WEIGHTS.length);
    const medians = this.sizes.slice(from).map((_, i) => medianAround(this.sizes, from + i, MEDIAN_REACH));
    return Math.max(smoothedLast(medians, SIZE_WEIGHTS), 1e-6);
  }
}

/** The shortest rotation (3, 3) that takes a direction to the z axis; z above 0. */
function turnToFront(...direction) {
  const length = Math.hypot(...direction);
  const [x, y, z] = direction.map((value) => value / length);
  return Float64Array.of(
    1 - (x * x) / (1 + z), (-x * y) / (1 + z), -x,
    (-x * y) / (1 + z), 1 - (y * y) / (1 + z), -y,
    x, y, z,
  ); // prettier-ignore
}

const rotate = (R, x, y, z) => [0, 3, 6].map((row) => R[row] * x + R[row + 1] * y + R[row + 2] * z);

/**
 * A pose as the network gives it, in the camera's own axes and with its root at the origin.
 * @param {ArrayLike<number>} pose (17, 3) metres
 * @param {Float64Array | null} turn of the frame, as `push` gave it
 */
export function inCamera(pose, turn) {
  const out = new Float32Array(pose.length);
  for (let i = 0; i < pose.length; i += 3) {
    const [x, y, z] = [0, 1, 2].map((axis) => pose[i + axis] - pose[axis]);
    const [a, b, c] = turn ? [0, 1, 2].map((j) => x * turn[j] + y * turn[3 + j] + z * turn[6 + j]) : [x, y, z];
    out.set([a, b, c], i);
  }
  return out;
}
