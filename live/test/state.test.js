// Links: what is written is read again, and what does not fit is left out.

import assert from "node:assert/strict";
import test from "node:test";

import { fromHash, State } from "../src/state.js";

const limits = {
  takes: ["walk", "clip"],
  length: (take) => ({ walk: 150, clip: 90 })[take],
  network: { numJoints: 17, numFrames: 27, spatialDim: 16, numHeads: 4, depths: { spatial: 2, temporal: 2 } },
};

test("a fresh page has an empty link", () => assert.equal(new State().toHash(), ""));

test("a link says all that was changed", () => {
  const changes = {
    take: "clip", frame: 7, stage: "temporal", joint: 3, key: 4, query: 0, frameKey: 26, channel: 15, spatial: [0, 3], temporal: [1, 2],
    off: ["spatial layer 0 head 3", "temporal layer 1 head 0"], hidden: [16, 0], moves: [["16", [0.25, -0.1]], ["3@7", [-1, 0.00001]]], alone: true,
    turn: [-80, 30], step: 4,
  };
  const state = new State();
  state.set(changes);
  assert.deepEqual(fromHash(`#${state.toHash()}`, limits), changes);
});

test("what no page can show is left out", () => {
  const bad = "take=no&frame=150&stage=x&joint=17&key=-2&channel=1.5&spatial=2,0&temporal=1&off=s0.4 t2.0 q1.1 s1.1&hidden=17,-1,,3.5,0x2,4,a,04,4&moves=17:0,0 3@200:0,0 3:9,0 4:a,0 5:0.1,0.2&alone=1&turn=1,90&step=11&__proto__=1";
  assert.deepEqual(fromHash(`#${bad}`, limits), { take: "walk", off: ["spatial layer 1 head 1"], hidden: [4], moves: [["5", [0.1, 0.2]]], alone: false });
});

test("of a network of one layer and one head, those are shown", () => {
  const network = { ...limits.network, numHeads: 1, depths: { spatial: 1, temporal: 1 } };
  assert.deepEqual(fromHash("", { ...limits, network }), { spatial: [0, 0] });
  assert.deepEqual(fromHash("", limits), {});
});

test("who listens is told once, of what differs", () => {
  const state = new State();
  const told = [];
  state.listen((names) => told.push([...names]));
  state.set({ joint: 16, frame: 61, off: [] });
  state.set({ frame: 61 });
  assert.deepEqual(told, [["frame"]]);
});
