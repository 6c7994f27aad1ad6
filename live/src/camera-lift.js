// One person's stream through the network: every moment's token is computed once, and a pose looks as far ahead as it may.

import { inCamera, Preparation, RATE, toH36m17 } from "./prepare.js";

const KEPT = 200; // moments

export class LiveLifter {
  /**
   * @param {object} network of loadPoseFormer
   * @param {{width: number, height: number}} picture its size, pixels
   */
  constructor(network, picture) {
    Object.assign(this, { network, picture });
    this.half = network.numFrames >> 1;
    this.begin();
  }

  begin() {
    this.preparation = new Preparation({ ...this.picture, input: this.network.input });
    this.moments = []; // the newest; moments[i] is number this.first + i
    this.first = 0;
    this.poses = new Map(); // by number
    this.start = null;
    this.generation = (this.generation ?? -1) + 1;
  }

  /** The number of the newest moment. */
  get newest() {
    return this.first + this.moments.length - 1;
  }

  /**
   * A frame's landmarks (33, 3); a stream that they do not go on with ends, and a new one begins.
   * @returns {Float64Array} the 17 joints, pixels
   */
  push(landmarks, seconds) {
    const joints = toH36m17(landmarks, 3);
    if (!this.preparation.continues(seconds)) this.begin();
    this.start ??= seconds;
    this.seen = seconds;
    const moments = this.preparation.push(joints, seconds);
    if (moments.length) this.embed(moments);
    return joints;
  }

  embed(moments) {
    const [N, D] = [moments.length, this.network.temporalDim];
    const frames = new Float32Array(N * 2 * this.network.numJoints);
    moments.forEach(({ pose2d }, i) => frames.set(pose2d, i * pose2d.length));
    const { tokens, attention } = this.network.embedFrames(frames);
    const size = attention.length / N;
    moments.forEach((moment, i) => {
      moment.token = tokens.slice(i * D, (i + 1) * D);
      moment.spatial = attention.slice(i * size, (i + 1) * size); // (L, H, J, J)
    });
    this.moments.push(...moments);
    while (this.moments.length > KEPT) {
      this.moments.shift();
      this.poses.delete(this.first++);
    }
  }

  moment(number) {
    return this.moments[Math.min(Math.max(number - this.first, 0), this.moments.length - 1)];
  }

  /**
   * The pose of a moment, from the frames before it and as many after it as it looks ahead; beyond them the first and
   * the last one repeat.
   * @returns {{pose: Float32Array, temporal: Float32Array, spatial: Float32Array, pixels: Float64Array}} pose (17, 3) metres,
   *   in the camera's axes, its root at the origin
   */
  pose(number, lookAhead) {
    const kept = this.poses.get(number);
    if (kept?.lookAhead === lookAhead) return kept;
    const [F, D] = [this.network.numFrames, this.network.temporalDim];
    const last = Math.min(number + lookAhead, this.newest);
    const window = new Float32Array(F * D);
    for (let f = 0; f < F; f++) window.set(this.moment(Math.min(number - this.half + f, last)).token, f * D);
    const { pose, attention } = this.network.forwardTemporal(window);
    const { turn, spatial, pixels } = this.moment(number);
    const lifted = { lookAhead, pose: inCamera(pose, turn), temporal: attention, spatial, pixels };
    this.poses.set(number, lifted);
    return lifted;
  }

  /** The pose at a time, between the two moments around it; null where the person was not there. */
  at(seconds, lookAhead) {
    if (this.start === null || seconds < this.start - 1e-6 || seconds > this.seen + 1e-6) return null;
    const place = (seconds - this.start) * RATE;
    const number = Math.min(Math.floor(place + 1e-6), this.newest);
    if (number < this.first) return null;
    const here = this.pose(number, lookAhead);
    const share = Math.max(0, place - number);
    if (share < 1e-3 || number + 1 + lookAhead > this.newest) return here;
    const next = this.pose(number + 1, lookAhead);
    return { ...here, pose: here.pose.map((value, i) => (1 - share) * value + share * next.pose[i]) };
  }
}
