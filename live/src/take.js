// A take: keypoints over time with, where it is known, the truth; what the reader has moved; and what the network makes of it.

const PER_UNIT = 10_000; // of screen units and of metres: see scripts/export_live_takes.py

function unpack(text) {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return Float32Array.from(new Int16Array(bytes.buffer), (whole) => whole / PER_UNIT);
}

export class Take {
  constructor(name, stored, numJoints = 17) {
    Object.assign(this, { name, numJoints, title: stored.title, source: stored.source, fps: stored.fps, up: stored.up });
    this.width = stored.width;
    this.height = stored.height;
    this.keypoints = unpack(stored.keypoints); // (T, J, 2) normalised screen coordinates
    this.truth = stored.truth && unpack(stored.truth); // (T, J, 3) metres, camera space, root-relative
    this.pictures = stored.pictures;
    this.length = this.keypoints.length / (2 * numJoints);
  }

  /** The keypoints with what was moved: moves maps "joint", or "joint@frame" for one frame alone, to [dx, dy]. */
  moved(moves) {
    const { numJoints: J, length: T } = this;
    const keypoints = this.keypoints.slice();
    for (const [where, [dx, dy]] of moves) {
      const [joint, frame] = where.split("@").map(Number);
      for (let t = frame ?? 0; t <= (frame ?? T - 1); t++) {
        keypoints[(t * J + joint) * 2] += dx;
        keypoints[(t * J + joint) * 2 + 1] += dy;
      }
    }
    return keypoints;
  }

  /** The frames of the window around a frame; the edges repeat the first and last (base.py: window_indices). */
  window(center, numFrames) {
    const first = center - (numFrames - 1) / 2;
    return Array.from({ length: numFrames }, (_, i) => Math.min(Math.max(first + i, 0), this.length - 1));
  }

  /** Keypoints (T, J, 2) of some frames -> (F, J, 2). */
  gather(keypoints, frames) {
    const size = 2 * this.numJoints;
    const gathered = new Float32Array(frames.length * size);
    frames.forEach((frame, i) => gathered.set(keypoints.subarray(frame * size, (frame + 1) * size), i * size));
    return gathered;
  }

  /** Where the hip was found, [x, y]. */
  hipAt(frame) {
    return this.keypoints.subarray(frame * this.numJoints * 2, frame * this.numJoints * 2 + 2);
  }

  truthAt(frame) {
    const size = 3 * this.numJoints;
    return this.truth && this.truth.subarray(frame * size, (frame + 1) * size);
  }
}

/** Distances of the joints of two poses (J, 3), in millimetres. */
export function jointErrors(pose, truth) {
  return Float32Array.from({ length: pose.length / 3 }, (_, joint) => {
    const at = (axis) => pose[3 * joint + axis] - truth[3 * joint + axis];
    return 1000 * Math.hypot(at(0), at(1), at(2));
  });
}

/** The mean distance of the joints (protocol 1), in millimetres. */
export const mpjpe = (pose, truth) => jointErrors(pose, truth).reduce((sum, error) => sum + error, 0) / (pose.length / 3);

/**
 * The pose of every frame of a take, worked out a little at a time while nothing else happens.
 * Frames are embedded once, not once per window, as predict_sequence does it.
 */
export class WholeTake {
  constructor(network, take, keypoints, options, report) {
    Object.assign(this, { network, take, options, report });
    this.errors = new Float32Array(take.length).fill(NaN);
    this.stopped = false;
    this.run(keypoints);
  }

  stop() {
    this.stopped = true;
  }

  async run(keypoints) {
    const { network, take, options } = this;
    const [J, D, F] = [take.numJoints, network.temporalDim, network.numFrames];
    if (!take.truth) return;
    const tokens = new Float32Array(take.length * D);
    const embed = (t) => tokens.set(network.embedFrames(keypoints.subarray(t * 2 * J, (t + 1) * 2 * J), options).tokens, t * D);
    const lift = (t) => {
      const window = new Float32Array(F * D);
      take.window(t, F).forEach((frame, i) => window.set(tokens.subarray(frame * D, (frame + 1) * D), i * D));
      this.errors[t] = mpjpe(network.forwardTemporal(window, options).pose, take.truthAt(t));
    };
    for (const step of [embed, lift]) {
      for (let t = 0; t < take.length; ) {
        await new Promise((resolve) => setTimeout(resolve, 12));
        if (this.stopped) return;
        const until = performance.now() + 8;
        while (t < take.length && performance.now() < until) step(t++);
        if (step === lift) this.report(this.errors, t === take.length);
      }
    }
  }
}
