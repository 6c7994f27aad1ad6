// What is looked at, in one place: everything that is drawn follows from it, and a link can hold it.

export const STAGES = ["keypoints", "joints", "spatial", "frames", "temporal", "weights", "pose"];

export const DEFAULTS = {
  take: "walk",
  frame: 50, // of the take: the center of the window
  stage: "spatial", // the one that is open
  joint: 16, // that is touched, and asks in the spatial transformer
  key: -1, // the joint that answers; -1 is the one with the largest weight
  query: -1, // place in the window of the frame that asks; -1 is the center
  frameKey: -1, // place of the frame that answers; -1 is the one with the largest weight
  channel: 0, // of a joint's token, whose number is worked out
  spatial: [1, 3], // layer and head that are shown
  temporal: [0, 0],
  off: [], // names of heads, as headName gives them
  hidden: [], // joints whose places the network is not told
  moves: [], // ["joint" or "joint@frame", [dx, dy]], screen units
  alone: false, // whether a joint moves in this frame only
  turn: [-35, 12], // degrees: how the 3D pose is turned and tilted
  step: 0, // of the tour, from 1; 0 is none
};

export class State {
  constructor(values = {}) {
    this.values = { ...structuredClone(DEFAULTS), ...values };
    this.listeners = [];
  }

  get(name) {
    return this.values[name];
  }

  /** Change some values; who listens is told their names, once. */
  set(changes) {
    const changed = Object.keys(changes).filter((name) => String(changes[name]) !== String(this.values[name]));
    if (!changed.length) return;
    Object.assign(this.values, changes);
    for (const listener of this.listeners) listener(new Set(changed));
  }

  listen(listener) {
    this.listeners.push(listener);
  }

  /** What differs from a fresh page, as the part of an address behind #. */
  toHash() {
    const parts = new URLSearchParams();
    for (const [name, standard] of Object.entries(DEFAULTS)) {
      const value = this.values[name];
      if (String(value) !== String(standard)) parts.set(name, WRITERS[name]?.(value) ?? String(value));
    }
    return parts.toString();
  }
}

const short = (number) => String(Math.round(number * 1e5) / 1e5);
const headCode = (name) => name.replace(/^(.)\w+ layer (\d+) head (\d+)$/, "$1$2.$3"); // "temporal layer 1 head 2": t1.2
const headOf = (code) => {
  const [, stage, layer, head] = /^([st])(\d+)\.(\d+)$/.exec(code) ?? [];
  return stage && `${stage === "s" ? "spatial" : "temporal"} layer ${layer} head ${head}`;
};
const WRITERS = {
  off: (names) => names.map(headCode).join(" "),
  moves: (moves) => moves.map(([where, [dx, dy]]) => `${where}:${short(dx)},${short(dy)}`).join(" "),
  turn: (turn) => turn.map(Math.round).join(","),
};

/**
 * The values that a link holds. What does not fit, as a link may come from anyone, is left out.
 * @param {string} hash the part of an address behind #
 * @param {{takes: string[], length: (take: string) => number, network: object}} limits
 */
export function fromHash(hash, { takes, length, network }) {
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  const { numJoints: J, numFrames: F, spatialDim: C, numHeads: H, depths } = network;
  const values = {};
  const whole = (text, low, high) => (/^-?\d+$/.test(text) && +text >= low && +text <= high ? +text : undefined);
  const pair = (text, a, b) => {
    const numbers = text.split(",").map(Number);
    return numbers.length === 2 && numbers.every(Number.isFinite) && Math.abs(numbers[0]) <= a && Math.abs(numbers[1]) <= b
      ? numbers
      : undefined;
  };
  const take = takes.includes(given.get("take")) ? given.get("take") : DEFAULTS.take;
  const layerAndHead = (text, stage) => {
    const found = /^(\d+),(\d+)$/.exec(text);
    return found && +found[1] < depths[stage] && +found[2] < H ? [+found[1], +found[2]] : undefined;
  };
  const known = (name) => {
    const [stage, , layer, , head] = (name ?? "").split(" ");
    return name && +layer < depths[stage] && +head < H;
  };
  const move = (text) => {
    const [, where, joint, , frame, at] = /^((\d+)(@(\d+))?):(.+)$/.exec(text) ?? [];
    const by = at && pair(at, 4, 4);
    return by && +joint < J && (frame === undefined || +frame < length(take)) ? [where, by] : undefined;
  };
  const READERS = {
    take: () => take,
    frame: (text) => whole(text, 0, length(take) - 1),
    stage: (text) => (STAGES.includes(text) ? text : undefined),
    joint: (text) => whole(text, 0, J - 1),
    key: (text) => whole(text, -1, J - 1),
    query: (text) => whole(text, -1, F - 1),
    frameKey: (text) => whole(text, -1, F - 1),
    channel: (text) => whole(text, 0, C - 1),
    spatial: (text) => layerAndHead(text, "spatial"),
    temporal: (text) => layerAndHead(text, "temporal"),
    off: (text) => text.split(" ").map(headOf).filter(known),
    hidden: (text) => [...new Set(text.split(",").map((joint) => whole(joint, 0, J - 1)))].filter((joint) => joint !== undefined),
    moves: (text) => text.split(" ").map(move).filter(Boolean),
    alone: (text) => text === "true",
    turn: (text) => pair(text, 3600, 89),
    step: (text) => whole(text, 0, 10),
  };
  for (const stage of ["spatial", "temporal"]) {
    if (!layerAndHead(String(DEFAULTS[stage]), stage)) values[stage] = [0, 0]; // the network is smaller
  }
  for (const [name, read] of Object.entries(READERS)) {
    const value = given.has(name) ? read(given.get(name)) : undefined;
    if (value !== undefined) values[name] = value;
  }
  return values;
}
