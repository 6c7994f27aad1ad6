// The network against torch: GOLDEN names a JSON file that tests/helpers_live.py wrote.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";

import { BYTES, SOURCE_SHA256 } from "../src/kernel.js";
import { hasSimd, plainLinear, simdLinear } from "../src/linear.js";
import { loadPoseFormer } from "../src/poseformer.js";
import { readSafetensors } from "../src/safetensors.js";

const POSE_TOLERANCE = 1e-6; // metres
const WEIGHT_TOLERANCE = 1e-5;

function arrayBuffer(path) {
  const file = readFileSync(path);
  return file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength);
}

function largestDifference(got, expected) {
  assert.equal(got.length, expected.length);
  return got.reduce((largest, value, i) => Math.max(largest, Math.abs(value - expected[i])), 0);
}

/** Numbers between -1 and 1 that are the same in every run. */
function madeUp(count, seed = 1) {
  return Float32Array.from({ length: count }, () => {
    seed = (seed * 48271) % 2147483647;
    return (2 * seed) / 2147483647 - 1;
  });
}

const networks = process.env.GOLDEN ? JSON.parse(readFileSync(process.env.GOLDEN, "utf8")) : {};

for (const [folder, { without, hidden, windows }] of Object.entries(networks)) {
  for (const simd of [true, false]) {
    test(`${folder}, ${simd ? "kernel" : "plain"}: poses and attention are torch's`, async (t) => {
      const network = await loadPoseFormer(
        readFileSync(join(folder, "config.json"), "utf8"),
        arrayBuffer(join(folder, "model.safetensors")),
        { simd },
      );
      const worst = { pose: 0, weights: 0 };
      for (const golden of windows) {
        const window = Float32Array.from(golden.window);
        const got = network.forward(window);
        worst.pose = Math.max(worst.pose, largestDifference(got.pose, golden.pose));
        for (const stage of ["spatial", "temporal"]) {
          worst.weights = Math.max(worst.weights, largestDifference(got[stage], golden[stage]));
        }
        const ablated = network.forward(window, { without: new Set(without) });
        worst.pose = Math.max(worst.pose, largestDifference(ablated.pose, golden.poseWithout));
        assert.ok(largestDifference(ablated.pose, golden.pose) > 1e-4, "heads that are off make a difference");
        const unseen = { hidden: new Set(hidden) };
        const partly = network.forward(window, unseen);
        worst.pose = Math.max(worst.pose, largestDifference(partly.pose, golden.poseHidden));
        assert.ok(largestDifference(partly.pose, golden.pose) > 1e-3, "hidden joints make a difference");
        const moved = window.map((value, i) => (hidden.includes(Math.floor(i / 2) % network.numJoints) ? value + 1 : value));
        assert.deepEqual(network.forward(moved, unseen).pose, partly.pose, "a hidden joint that moves makes none");
      }
      t.diagnostic(`pose ${(1000 * worst.pose).toFixed(6)} mm, attention weights ${worst.weights.toExponential(1)}`);
      assert.ok(worst.pose < POSE_TOLERANCE, `${1000 * worst.pose} mm`);
      assert.ok(worst.weights < WEIGHT_TOLERANCE, `${worst.weights}`);
    });
  }
}

for (const [n, K, M] of [[1, 4, 4], [2, 16, 48], [17, 16, 32], [27, 272, 816], [3, 12, 8], [5, 2, 16], [4, 8, 6]]) {
  test(`the kernel's product of (${n}, ${K}) and (${M}, ${K}) is the plain one`, async () => {
    const weight = { shape: [M, K], data: madeUp(M * K, 7) };
    const bias = { shape: [M], data: madeUp(M, 11) };
    const x = madeUp(n * K, 13);
    const linear = await simdLinear([weight, bias]);
    const expected = plainLinear(x, n, weight, bias);
    for (let again = 0; again < 2; again++) {
      assert.ok(largestDifference(linear(x, n, weight, bias), expected) < 1e-5);
    }
  });
}

test("kernel.js holds what kernel.wat says", () => {
  const source = readFileSync(new URL("../src/kernel.wat", import.meta.url));
  assert.equal(createHash("sha256").update(source).digest("hex"), SOURCE_SHA256, "run build_kernel.mjs again");
  assert.ok(hasSimd() && WebAssembly.validate(Buffer.from(BYTES, "base64")));
});

/** A file of one tensor; the numbers are given as they are stored. */
function safetensors(dtype, shape, stored) {
  const bytes = new Uint8Array(stored.buffer);
  const header = JSON.stringify({ __metadata__: { format: "pt" }, x: { dtype, shape, data_offsets: [0, bytes.length] } });
  const file = new Uint8Array(8 + header.length + bytes.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true);
  file.set(new TextEncoder().encode(header), 8);
  file.set(bytes, 8 + header.length);
  return file.buffer;
}

test("numbers of all three types are read", () => {
  const half = new Uint16Array([0x3c00, 0xc000, 0x3555, 0x0001, 0x7c00, 0x8000]); // 1, -2, 0.333, 2^-24, infinity, -0
  const read = (file) => Array.from(readSafetensors(file).get("x").data);
  assert.deepEqual(read(safetensors("F16", [6], half)), [1, -2, 0.333251953125, 2 ** -24, Infinity, -0]);
  assert.deepEqual(read(safetensors("BF16", [3], new Uint16Array([0x3f80, 0xc000, 0x3eab]))), [1, -2, 0.333984375]);
  assert.deepEqual(read(safetensors("F32", [2], new Float32Array([0.5, -3]))), [0.5, -3]);
});

test("what cannot be read is refused, with the reason", async () => {
  const whole = safetensors("F32", [4], new Float32Array(4));
  assert.throws(() => readSafetensors(whole.slice(0, -1)), /ends inside of x/);
  assert.throws(() => readSafetensors(whole.slice(0, 20)), /too few for its own header/);
  assert.throws(() => readSafetensors(new ArrayBuffer(3)), /too few for its own header/);
  assert.throws(() => readSafetensors(safetensors("I64", [1], new BigInt64Array(1))), /x is I64, expected one of F32/);
  await assert.rejects(loadPoseFormer({ network: "TemporalTransformer" }, whole), /expected a PoseFormer/);
  const sizes = { num_frames: 3, num_joints: 2, spatial_dim: 4, num_heads: 2, spatial_depth: 1, temporal_depth: 1 };
  await assert.rejects(loadPoseFormer({ network: "PoseFormer", ...sizes }, whole), /patch_embedding.weight is \(missing\)/);
});
