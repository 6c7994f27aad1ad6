// The people in front of the camera, each with a stream through the network. Somebody who is lost and soon found again near
// the same place goes on with their stream.

import { LiveLifter } from "./camera-lift.js";

const FORGOTTEN = 1; // seconds
const SAME_PERSON = 0.6; // of the person's height: the farthest that somebody is found again

export class People {
  constructor(network) {
    this.network = network;
    this.lifters = new Map(); // by the detector's number of a person
  }

  forget() {
    this.lifters.clear();
    this.chosen = null;
  }

  /** Forget those who are not among the found, as nobody goes on with their streams. */
  keep(found) {
    for (const id of this.lifters.keys()) if (!found.some((person) => person.id === id)) this.lifters.delete(id);
  }

  /** The streams of those who were found. */
  of(found) {
    return found.map(({ id }) => this.lifters.get(id));
  }

  /**
   * Who was found in a frame.
   * @param {{id: number, landmarks: Float32Array}[]} found of the detector
   * @param {{width: number, height: number}} picture its size
   * @returns {Float64Array[]} their 17 joints, pixels
   */
  push(found, seconds, { width, height }) {
    return found.map(({ id, landmarks }) => {
      const lifter = this.lifters.get(id) ?? this.returned(landmarks, found, seconds) ?? new LiveLifter(this.network, { width, height });
      this.lifters.set(id, lifter);
      lifter.landmarks = landmarks;
      return lifter.push(landmarks, seconds);
    });
  }

  returned(landmarks, found, seconds) {
    for (const [id, lifter] of this.lifters) {
      if (found.some((person) => person.id === id)) continue;
      const gone = seconds - lifter.seen > FORGOTTEN;
      const near = apart(landmarks, lifter.landmarks) < SAME_PERSON * tall(landmarks);
      if (!gone && !near) continue;
      this.lifters.delete(id);
      if (!gone) return lifter;
    }
    return null;
  }

  /** The one who was chosen, else the one who is followed longest, or nothing. */
  get first() {
    const chosen = [...this.lifters.values()].find((lifter) => lifter === this.chosen);
    return chosen ?? this.lifters.get(Math.min(...this.lifters.keys()));
  }

  /** Everybody who was there at a time, as LiveLifter.at gives it, with their lifter, those first who are followed longest. */
  at(seconds, lookAhead) {
    const lifters = [...this.lifters].sort(([a], [b]) => a - b).map(([, lifter]) => lifter);
    return lifters.map((lifter) => ({ lifter, ...lifter.at(seconds, lookAhead) })).filter(({ pose }) => pose);
  }
}

/** The mean way between two people's landmarks (33, 3), and how tall one is; pixels. */
function apart(one, other) {
  let sum = 0;
  for (let i = 0; i < one.length; i += 3) sum += Math.hypot(one[i] - other[i], one[i + 1] - other[i + 1]);
  return (3 * sum) / one.length;
}

function tall(landmarks) {
  const heights = landmarks.filter((_, i) => i % 3 === 1);
  return Math.max(...heights) - Math.min(...heights);
}
