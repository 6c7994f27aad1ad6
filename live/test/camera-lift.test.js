// A stream of frames gives the poses that PoseLifter gives for the whole recording.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import test from "node:test";
import { fileURLToPath } from "node:url";

import { LiveLifter } from "../src/camera-lift.js";
import { motionJson, Recording } from "../src/camera-record.js";
import { loadPoseFormer } from "../src/poseformer.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const python = process.env.PYTHON ?? `${root}.venv/bin/python`;
const script = fileURLToPath(new URL("camera_lift_golden.py", import.meta.url));

let golden, missing;
try {
  const env = { ...process.env, PYTHONPATH: root };
  golden = JSON.parse(execFileSync(python, [script], { env, maxBuffer: 1 << 28, stdio: ["ignore", "pipe", "ignore"] }));
} catch {
  missing = `needs a Python with poseformer_lite: make test, or PYTHON=... npm test (tried ${python})`;
}

async function streamed(name, lookAhead) {
  const file = (end) => readFileSync(`${root}poseformer_lite/weights/${name}/${end}`);
  const bytes = file("model.safetensors");
  const network = await loadPoseFormer(file("config.json").toString(), bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  const [width, height] = golden.size;
  const lifter = new LiveLifter(network, { width, height });
  const poses = [];
  golden.landmarks.forEach((landmarks, frame) => {
    lifter.push(Float32Array.from(landmarks), frame / golden.rate);
    while (poses.length + lookAhead <= lifter.newest) poses.push(lifter.pose(poses.length, lookAhead).pose);
  });
  return { lifter, poses };
}

/** Millimetres between two poses, mean over the joints. */
const apart = (one, other) => {
  let sum = 0;
  for (let i = 0; i < 51; i += 3) sum += Math.hypot(one[i] - other[i], one[i + 1] - other[i + 1], one[i + 2] - other[i + 2]);
  return (1000 * sum) / 17;
};

test("with half a window ahead a stream is the whole recording", { skip: missing }, async () => {
  const { poses } = await streamed("small", 13);
  const expected = golden.poses.small;
  assert.equal(poses.length, expected.length - 13);
  const most = Math.max(...poses.map((pose, t) => apart(pose, expected[t])));
  assert.ok(most < 0.05, `${most} mm apart`);
});

test("where the view follows the person it sees the past only, and the poses stay near", { skip: missing }, async (t) => {
  for (const [lookAhead, limit] of [[13, 6], [6, 12], [0, 22]]) {
    const { poses } = await streamed("wild", lookAhead);
    const errors = poses.map((pose, i) => apart(pose, golden.poses.wild[i]));
    const mean = errors.reduce((sum, error) => sum + error) / errors.length;
    t.diagnostic(`looking ${lookAhead} frames ahead: ${mean.toFixed(1)} mm from the whole recording`);
    assert.ok(mean < limit, `${mean} mm`);
  }
});

test("a recording holds every moment from its start on, as Motion.save writes it", { skip: missing }, async () => {
  const { lifter } = await streamed("small", 6);
  const recording = new Recording(lifter, 6);
  assert.equal(recording.take(), true);
  assert.equal(recording.moments.length, 0); // from now on
  const last = Float32Array.from(golden.landmarks.at(-1));
  lifter.push(last, golden.landmarks.length / golden.rate);
  assert.equal(recording.take(), true);
  assert.equal(recording.moments.length, 8);
  lifter.push(last, 99); // a new stream
  assert.equal(recording.take(), false);
  const { poses_3d, keypoints, fps, width, joints } = JSON.parse(motionJson(recording.moments, lifter.picture));
  assert.deepEqual([poses_3d.length, poses_3d[0].length, keypoints[7][16].length, fps, width, joints.length], [8, 17, 2, 50, 968, 17]);
  assert.deepEqual(poses_3d[0][0], [0, 0, 0]);
});
