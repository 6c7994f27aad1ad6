// BlazePose around its two networks, as poseformer_lite/lifting/blazepose does it: the finder looks for people in the
// whole picture, the marker finds the joints of one of them in a square that is turned so that they stand upright.
//
// A picture is {width, height, data}, RGBA, 4 bytes a pixel. A place is the square around a person: [x, y, side, angle],
// pixels and radians. Lists of points are [[x, y], ...].

export const NUM_LANDMARKS = 33;
const [FINDER_SIZE, MARKER_SIZE, HEATMAP_SIZE] = [224, 256, 64]; // pixels of what the networks see, and of a heatmap
const HEATMAPS = 39;
const STRIDES = [[8, 2], [16, 2], [32, 6]]; // of the finder's grids, pixels, and how many answers each cell has
const LIKELY = 0.5; // the least score of a person found, and of one followed
const SAME_PLACE = 0.3; // boxes that overlap by more than this show one person
const MARGIN = 1.25; // of the square around a person
const [AROUND, REFINED] = [3, 0.5]; // cells to each side that refine a joint, and the least certainty in them that does
const [JOINT_FILTER, PLACE_FILTER] = [[0.05, 80], [0.01, 10]]; // of OneEuro
const VISIBILITY_SHARE = 0.1; // of a frame's visibility in the smoothed one

const expit = (value) => 1 / (1 + Math.exp(-value));

/** Finds people and follows them from frame to frame. */
export class BlazePose {
  /**
   * @param {{find: Function, mark: Function}} networks from an input to its outputs, Float32Arrays
   * @param {{numPeople?: number, every?: number}} options how many are followed at most, and the seconds between two looks
   *   at the whole picture while fewer are followed and there is somebody
   */
  constructor({ find, mark }, { numPeople = 1, every = 0 } = {}) {
    Object.assign(this, { find, mark, numPeople, every });
    this.followed = [];
    this.looked = -Infinity;
    this.names = 0;
  }

  /**
   * @param {{width: number, height: number, data: Uint8ClampedArray}} picture
   * @param {number[]} [touched] [x, y], pixels: whoever stands there is followed from now on
   * @returns {{id: number, landmarks: Float32Array}[]} landmarks (33, 3): x and y in pixels, and the visibility; the
   *   number of a person stays the same as long as they are followed
   */
  detect(picture, seconds, touched) {
    if (touched) this.lookAt(picture, touched);
    else this.look(picture, seconds);
    const still = [];
    for (const person of this.followed) {
      const { points, score } = this.markJoints(picture, person.place);
      if (score < LIKELY) continue;
      person.update(points, seconds);
      if (!isAmong(person.place, still.map(({ place }) => place))) still.push(person);
    }
    this.followed = still;
    return still.map(({ id, landmarks }) => ({ id, landmarks }));
  }

  /** Look for people who are not followed yet. */
  look(picture, seconds) {
    const room = this.numPeople - this.followed.length;
    const waits = Math.abs(seconds - this.looked) < this.every;
    if (room <= 0 || (this.followed.length && waits)) return;
    this.looked = seconds;
    const places = this.followed.map(({ place }) => place);
    const fresh = this.findPeople(picture).filter((place) => !isAmong(place, places));
    for (const place of fresh.slice(0, room)) this.followed.push(new Followed(this.names++, place));
  }

  /** Follow the person at a point, for whom the one who came last makes room. Where there is none, nothing changes. */
  lookAt(picture, [x, y]) {
    const places = this.followed.map(({ place }) => place);
    const far = ([left, top]) => Math.hypot(left - x, top - y);
    const around = ([left, top, side]) => Math.abs(left - x) < side / 4 && Math.abs(top - y) < side / 2; // people are tall
    const there = this.findPeople(picture)
      .filter((place) => around(place) && !isAmong(place, places))
      .reduce((nearest, place) => (nearest && far(nearest) <= far(place) ? nearest : place), null);
    if (there) this.followed = [...this.followed.slice(0, this.numPeople - 1), new Followed(this.names++, there)];
  }

  /** The places of people in a picture, the surest first. */
  findPeople(picture) {
    const { width, height } = picture;
    const whole = [width / 2, height / 2, Math.max(width, height), 0];
    const input = cutOut(picture, whole, FINDER_SIZE, true);
    for (let i = 0; i < input.length; i++) input[i] = input[i] * 2 - 1;
    const [answers, scores] = this.find(input);
    const likely = [];
    scores.forEach((logit, i) => {
      const score = expit(logit);
      if (score <= LIKELY) return;
      const [x, y] = CELLS[i];
      const points = Array.from({ length: 6 }, (_, k) => {
        const from = k === 1 ? [0, 0] : [x, y]; // the second one is the box's size
        return [0, 1].map((axis) => answers[12 * i + 2 * k + axis] / FINDER_SIZE + from[axis]);
      });
      likely.push({ points, score });
    });
    return merged(likely).map((points) => placeOf(...fromSquare(points.slice(2, 4), whole)));
  }

  /** The joints of the person at a place: points (35, 3), with visibility, and how sure there is one. */
  markJoints(picture, place) {
    const [answers, [score], , heatmaps] = this.mark(cutOut(picture, place, MARKER_SIZE, false));
    const points = Array.from({ length: NUM_LANDMARKS + 2 }, (_, joint) =>
      refined([answers[5 * joint] / MARKER_SIZE, answers[5 * joint + 1] / MARKER_SIZE], heatmaps, joint));
    return { points: fromSquare(points, place).map((point, joint) => [...point, expit(answers[5 * joint + 3])]), score };
  }
}

/** One person: where they are, and their joints, smoothed. */
class Followed {
  constructor(id, place) {
    Object.assign(this, { id, place });
    this.ofJoints = new OneEuro(...JOINT_FILTER);
    this.ofEnds = new OneEuro(...PLACE_FILTER);
    this.visibility = null;
  }

  update(points, seconds) {
    const size = this.place[2];
    const plain = points.flatMap(([x, y]) => [x, y]);
    const joints = this.ofJoints.push(plain.slice(0, 2 * NUM_LANDMARKS), seconds, size);
    const ends = this.ofEnds.push(plain.slice(2 * NUM_LANDMARKS), seconds, size);
    const seen = points.slice(0, NUM_LANDMARKS).map(([, , visibility]) => visibility);
    this.visibility = seen.map((value, i) => VISIBILITY_SHARE * value + (1 - VISIBILITY_SHARE) * (this.visibility?.[i] ?? value));
    this.landmarks = Float32Array.from(this.visibility.flatMap((value, i) => [joints[2 * i], joints[2 * i + 1], value]));
    this.place = placeOf(ends.slice(0, 2), ends.slice(2));
  }
}

/** The one-euro filter (Casiez, Roussel and Vogel, CHI 2012): smooth where slow, quick where fast. */
export class OneEuro {
  constructor(leastCutoff, speedFactor) {
    Object.assign(this, { leastCutoff, speedFactor, seconds: null });
  }

  push(values, seconds, size) {
    if (this.seconds === null) {
      Object.assign(this, { raw: values, smooth: [...values], speed: values.map(() => 0) });
    } else {
      const step = Math.max(seconds - this.seconds, 1e-6);
      this.smooth = this.smooth.map((before, i) => {
        this.speed[i] += share(1, step) * ((values[i] - this.raw[i]) / (step * size) - this.speed[i]);
        return before + share(this.leastCutoff + this.speedFactor * Math.abs(this.speed[i]), step) * (values[i] - before);
      });
      this.raw = values;
    }
    this.seconds = seconds;
    return this.smooth;
  }
}

const share = (cutoff, step) => 1 / (1 + 1 / (2 * Math.PI * cutoff * step));

/** The square at a place of a picture, turned upright: (size, size, 3), from 0 to 1. Beyond the picture it is black, or the
 * picture's edge goes on. */
export function cutOut({ width, height, data }, [x, y, side, angle], size, blackBeyond) {
  const out = new Float32Array(size * size * 3);
  const step = side / size;
  const [cos, sin] = [Math.cos(angle) * step, Math.sin(angle) * step];
  const weights = new Float64Array(4);
  const corners = new Int32Array(4); // where the four pixels around a point begin
  for (let row = 0, to = 0; row < size; row++) {
    for (let column = 0; column < size; column++, to += 3) {
      const [a, b] = [column + 0.5 - size / 2, row + 0.5 - size / 2];
      let u = a * cos - b * sin + x - 0.5;
      let v = a * sin + b * cos + y - 0.5;
      if (!blackBeyond) {
        u = Math.min(Math.max(u, 0), width - 1);
        v = Math.min(Math.max(v, 0), height - 1);
      } else if (u <= -1 || v <= -1 || u >= width || v >= height) continue;
      const [left, top] = [Math.floor(u), Math.floor(v)];
      for (let k = 0; k < 4; k++) {
        const [i, j] = [left + (k & 1), top + (k >> 1)];
        const inside = i >= 0 && j >= 0 && i < width && j < height;
        weights[k] = inside ? (1 - Math.abs(u - i)) * (1 - Math.abs(v - j)) / 255 : 0;
        corners[k] = inside ? 4 * (j * width + i) : 0;
      }
      for (let color = 0; color < 3; color++) {
        out[to + color] = weights[0] * data[corners[0] + color] + weights[1] * data[corners[1] + color]
          + weights[2] * data[corners[2] + color] + weights[3] * data[corners[3] + color];
      }
    }
  }
  return out;
}

/** Points of a square, from 0 to 1, in pixels of the picture. */
function fromSquare(points, [x, y, side, angle]) {
  const [cos, sin] = [Math.cos(angle) * side, Math.sin(angle) * side];
  return points.map(([u, v]) => [(u - 0.5) * cos - (v - 0.5) * sin + x, (u - 0.5) * sin + (v - 0.5) * cos + y]);
}

/** The square around a person whose hip is in one place, and whose body reaches as far as another. */
export function placeOf([x, y], [endX, endY]) {
  return [x, y, 2 * Math.hypot(endX - x, endY - y) * MARGIN, Math.atan2(endX - x, y - endY)];
}

const boxOf = ([x, y, side]) => [x - side / 2, y - side / 2, x + side / 2, y + side / 2];
const isAmong = (place, others) => others.some((other) => overlap(boxOf(place), boxOf(other)) > SAME_PLACE);

/** Intersection over union of two boxes [left, top, right, bottom]. */
export function overlap(one, other) {
  const area = ([left, top, right, bottom]) => (right - left) * (bottom - top);
  const both = [0, 1].map((i) => Math.max(Math.min(one[i + 2], other[i + 2]) - Math.max(one[i], other[i]), 0));
  const common = both[0] * both[1];
  return common / (area(one) + area(other) - common + 1e-9);
}

/** The middles of the cells that the finder's answers belong to, from 0 to 1. */
const CELLS = STRIDES.flatMap(([stride, count]) => {
  const steps = Array.from({ length: FINDER_SIZE / stride }, (_, i) => ((i + 0.5) * stride) / FINDER_SIZE);
  return steps.flatMap((y) => steps.flatMap((x) => Array(count).fill([x, y])));
});

/** Answers that show one person, averaged by their scores: the surest first. */
function merged(answers) {
  const box = ({ points: [[x, y], [width, height]] }) => [x - width / 2, y - height / 2, x + width / 2, y + height / 2];
  let left = [...answers].sort((a, b) => b.score - a.score);
  const people = [];
  while (left.length) {
    const same = left.map((answer, i) => i === 0 || overlap(box(left[0]), box(answer)) > SAME_PLACE);
    const group = left.filter((_, i) => same[i]);
    const total = group.reduce((sum, { score }) => sum + score, 0);
    people.push(group[0].points.map((_, k) => [0, 1].map((axis) =>
      group.reduce((sum, { points, score }) => sum + score * points[k][axis], 0) / total)));
    left = left.filter((_, i) => !same[i]);
  }
  return people;
}

/** A joint, from 0 to 1, moved to the middle of what its heatmap (64, 64, of 39) says around it. */
function refined([x, y], heatmaps, joint) {
  const [column, row] = [Math.trunc(x * HEATMAP_SIZE), Math.trunc(y * HEATMAP_SIZE)];
  if (!(column >= 0 && column < HEATMAP_SIZE && row >= 0 && row < HEATMAP_SIZE)) return [x, y];
  let [most, sum, sumX, sumY] = [0, 0, 0, 0];
  for (let j = Math.max(0, row - AROUND); j < Math.min(HEATMAP_SIZE, row + AROUND + 1); j++) {
    for (let i = Math.max(0, column - AROUND); i < Math.min(HEATMAP_SIZE, column + AROUND + 1); i++) {
      const sure = expit(heatmaps[(j * HEATMAP_SIZE + i) * HEATMAPS + joint]);
      most = Math.max(most, sure);
      sum += sure;
      sumX += i * sure;
      sumY += j * sure;
    }
  }
  return most >= REFINED ? [sumX / sum / HEATMAP_SIZE, sumY / sum / HEATMAP_SIZE] : [x, y];
}
