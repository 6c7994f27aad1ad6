// The same numbers as Python makes of a clip's keypoints.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import test from "node:test";
import { fileURLToPath } from "node:url";

import { inCamera, Preparation, RATE, toH36m17 } from "../src/prepare.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const script = fileURLToPath(new URL("prepare_golden.py", import.meta.url));
const python = process.env.PYTHON ?? `${root}.venv/bin/python`;
const TOLERANCE = 1e-5;
const STRIDE = 2; // numbers of a joint in the clip's keypoints

let golden, missing;
try {
  const env = { ...process.env, PYTHONPATH: root };
  golden = JSON.parse(execFileSync(python, [script], { env, maxBuffer: 1 << 28, stdio: ["ignore", "pipe", "ignore"] }));
} catch {
  missing = `needs a Python with poseformer_lite: make test, or PYTHON=... npm test (tried ${python})`;
}

/** How far apart two lists are at most, each number by itself. */
function apart(found, expected) {
  assert.equal(found.length, expected.length);
  return expected.reduce((most, value, i) => Math.max(most, Math.abs(value - found[i])), 0);
}

const picture = () => ({ width: golden.width, height: golden.height });

/** All moments of the clip, pushed frame after frame. */
function moments(preparation) {
  return golden.landmarks.flatMap((frame, t) => preparation.push(toH36m17(frame, STRIDE), t / golden.fps));
}

test("MediaPipe's joints become those of Human3.6M", { skip: missing }, () => {
  golden.landmarks.forEach((frame, t) => assert.ok(apart(toH36m17(frame, STRIDE), golden.joints[t]) < TOLERANCE));
});

test("frames of any rate become 50 a second, and normalised", { skip: missing }, () => {
  const found = moments(new Preparation(picture()));
  assert.equal(found.length, golden.steady.length);
  found.forEach((moment, t) => {
    assert.ok(Math.abs(moment.seconds - t / RATE) < 1e-9);
    assert.ok(apart(moment.pixels, golden.steady[t]) < TOLERANCE * golden.width, `pixels of moment ${t}`);
    assert.ok(apart(moment.pose2d, golden.screen[t]) < TOLERANCE, `screen coordinates of moment ${t}`);
    assert.equal(moment.turn, null);
  });
});

test("the canonical view is Python's of what was seen so far", { skip: missing }, () => {
  moments(new Preparation({ ...picture(), input: "canonical" })).forEach(({ pose2d, turn }, t) => {
    assert.ok(apart(pose2d, golden.canonical[t]) < TOLERANCE, `the view of moment ${t}`);
    assert.ok(apart(turn, golden.turns[t]) < TOLERANCE, `the turn of moment ${t}`);
  });
});

test("moments come in time, once, and never twice", () => {
  const preparation = new Preparation({ width: 100, height: 100 });
  const still = new Float64Array(34).fill(50);
  assert.equal(preparation.push(still, 7).length, 1);
  assert.equal(preparation.push(still, 7.019).length, 0);
  assert.deepEqual(preparation.push(still, 7.045).map(({ seconds }) => seconds.toFixed(2)), ["7.02", "7.04"]);
});

test("somebody who comes back within a second is interpolated, later it is a new stream", () => {
  const preparation = new Preparation({ width: 100, height: 100 });
  preparation.push(new Float64Array(34).fill(0), 0);
  const back = preparation.push(new Float64Array(34).fill(100), 1);
  assert.equal(back.length, RATE);
  assert.ok(Math.abs(back[24].pixels[0] - 50) < 1e-9);
  assert.equal(preparation.continues(1.5), true);
  assert.equal(preparation.continues(2.1), false);
  assert.equal(preparation.continues(0.5), false);
  assert.throws(() => preparation.push(new Float64Array(34), 0.5), /does not go on/);
});

test("a pose is turned back, and its root is at the origin", () => {
  const quarter = Float64Array.of(0, -1, 0, 1, 0, 0, 0, 0, 1); // x to y, y to -x
  const pose = new Float32Array(51).fill(1);
  pose.set([2, 1, 1], 3); // the second joint is one to the right of the root
  assert.deepEqual([...inCamera(pose, null).slice(0, 6)], [0, 0, 0, 1, 0, 0]);
  assert.deepEqual([...inCamera(pose, quarter).slice(3, 6)].map((value) => value + 0), [0, -1, 0]);
});
