// The same joints as Python's BlazePose finds in the clip; its parts by hand.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";

import { personAt } from "../src/camera-touch.js";
import { BlazePose, cutOut, OneEuro, overlap, placeOf } from "../src/detector-blazepose.js";
import { loadRuntime } from "../src/detector-runtime.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const python = process.env.PYTHON ?? `${root}.venv/bin/python`;
const script = fileURLToPath(new URL("detector_golden.py", import.meta.url));
const NETWORKS = join(root, "poseformer_lite/lifting/blazepose");
const PIXELS = 0.5; // the median of what the two may be apart; the clip's walker is some 290 pixels tall

function golden() {
  const folder = mkdtempSync(join(tmpdir(), "detector-"));
  try {
    const env = { ...process.env, PYTHONPATH: root };
    execFileSync(python, [script, folder], { env, stdio: ["ignore", "ignore", "ignore"] });
    return { pictures: readFileSync(join(folder, "pictures.raw")), ...JSON.parse(readFileSync(join(folder, "answers.json"))) };
  } catch {
    return null;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function networks() {
  const require = createRequire(import.meta.url);
  const runtime = require.resolve("@tensorflow/tfjs-tflite/wasm/tflite_web_api_cc_simd.js");
  const text = `${readFileSync(runtime, "utf8")}; return tflite_web_api_ModuleFactory`;
  const factory = new Function("require", "__dirname", "__filename", text)(require, dirname(runtime), runtime);
  const network = await loadRuntime(factory, readFileSync(runtime.replace(/js$/, "wasm")));
  const read = (name) => network(readFileSync(join(NETWORKS, name)));
  return { find: read("pose_detection.tflite"), mark: read("pose_landmark_full.tflite") };
}

/** The t-th picture of a raw film of RGB, as RGBA. */
function picture({ pictures, width, height }, t) {
  const data = new Uint8ClampedArray(4 * width * height).fill(255);
  const start = 3 * width * height * t;
  for (let i = 0; i < width * height; i++) for (let c = 0; c < 3; c++) data[4 * i + c] = pictures[start + 3 * i + c];
  return { width, height, data };
}

test("the joints of the clip are those that Python finds", async (t) => {
  const given = golden();
  if (!given) return t.skip(`needs a Python with poseformer_lite[video]: make test, or PYTHON=... (tried ${python})`);
  const detector = new BlazePose(await networks());
  const apart = [];
  given.frames.forEach(({ seconds, people }, frame) => {
    const found = detector.detect(picture(given, frame), seconds);
    assert.equal(found.length, people.length, `people in frame ${frame}`);
    people.forEach((landmarks, person) => {
      for (let i = 0; i < landmarks.length; i += 3) {
        const mine = found[person].landmarks;
        apart.push(Math.hypot(mine[i] - landmarks[i], mine[i + 1] - landmarks[i + 1]));
        assert.ok(Math.abs(mine[i + 2] - landmarks[i + 2]) < 0.05, "visibility");
      }
    });
  });
  apart.sort((a, b) => a - b);
  const [median, most] = [apart[apart.length >> 1], apart.at(-1)];
  t.diagnostic(`${apart.length} joints, apart by ${median.toFixed(3)} pixels in the median, ${most.toFixed(2)} at most`);
  assert.ok(apart.length > 33 * 20, "a person in most frames");
  assert.ok(median < PIXELS && most < 10 * PIXELS);
});

const board = { width: 60, height: 40, data: new Uint8ClampedArray(60 * 40 * 4).map((_, i) => (i * 7919) % 251) };

test("a square is cut out upright, black or with the edge going on beyond the picture", () => {
  const plain = cutOut(board, [30, 20, 20, 0], 20, false);
  const at = (row, column, color) => board.data[4 * ((row + 10) * 60 + column + 20) + color] / 255;
  const turned = cutOut(board, [30, 20, 20, Math.PI / 2], 20, false); // a head that points to the right
  for (const [row, column, color] of [[0, 0, 0], [3, 17, 1], [19, 19, 2]]) {
    assert.ok(Math.abs(plain[3 * (20 * row + column) + color] - at(row, column, color)) < 1e-6);
    assert.ok(Math.abs(turned[3 * (20 * row + column) + color] - at(column, 19 - row, color)) < 1e-6);
  }
  const outside = cutOut(board, [0, 20, 20, 0], 20, true);
  assert.ok([...outside].every((value, i) => ((i / 3) | 0) % 20 >= 9 || value === 0));
  const edge = cutOut(board, [0, 20, 20, 0], 20, false);
  assert.ok(Math.abs(edge[0] - board.data[4 * 60 * 10] / 255) < 1e-6);
});

test("a person points from hip to head and fits in; boxes overlap", () => {
  const [x, y, side, angle] = placeOf([100, 200], [140, 200]);
  assert.deepEqual([x, y, side], [100, 200, 100]);
  assert.ok(Math.abs(angle - Math.PI / 2) < 1e-12);
  assert.ok(Math.abs(overlap([0, 0, 2, 2], [1, 0, 3, 2]) - 1 / 3) < 1e-6);
});

test("the filter by hand", () => {
  const euro = new OneEuro(1, 0);
  const share = 1 / (1 + 1 / (2 * Math.PI * 0.1));
  assert.equal(euro.push([0], 0, 1)[0], 0);
  assert.ok(Math.abs(euro.push([1], 0.1, 1)[0] - share) < 1e-9);
  assert.ok(Math.abs(euro.push([1], 0.2, 1)[0] - (share + share * (1 - share))) < 1e-9);
});

// Two people stand side by side; the made-up marker sees them wherever they are looked at.
function madeUp() {
  const asked = { find: 0 };
  const cell = (column, row) => 28 * 28 * 2 + 14 * 14 * 2 + 6 * (7 * row + column);
  const find = () => {
    asked.find++;
    const [answers, scores] = [new Float32Array(2254 * 12), new Float32Array(2254).fill(-9)];
    for (const [column, logit] of [[1, 4], [5, 3]]) {
      answers.set([0, 0, 60, 100, 0, 0, 0, -50], 12 * cell(column, 3));
      scores[cell(column, 3)] = logit;
    }
    return [answers, scores];
  };
  const mark = () => {
    const answers = new Float32Array(195).fill(128);
    answers[5 * 34 + 1] = 28; // the end of the body, above the hip
    return [answers, [1], [], new Float32Array(64 * 64 * 39).fill(-9)];
  };
  return { asked, find, mark };
}

test("people keep their numbers, and the whole picture is looked at only while somebody may be missing", () => {
  const square = { width: 224, height: 224, data: new Uint8ClampedArray(224 * 224 * 4) };
  const one = madeUp();
  const single = new BlazePose(one, { numPeople: 1 });
  const ids = [0, 1, 2].map((t) => single.detect(square, t / 30).map(({ id }) => id));
  assert.deepEqual(ids, [[0], [0], [0]]);
  assert.equal(one.asked.find, 1);
  const three = madeUp();
  const several = new BlazePose(three, { numPeople: 3, every: 0.5 });
  const seen = [0, 0.1, 0.2, 0.6].map((t) => several.detect(square, t).map(({ id }) => id));
  assert.deepEqual(seen.at(-1), [0, 1]);
  assert.equal(three.asked.find, 2);
  assert.ok(several.detect(square, 1)[0].landmarks[0] < several.detect(square, 1.1)[1].landmarks[0], "from left to right");
});

test("the one who is touched is followed, and the last one makes room", () => {
  const square = { width: 224, height: 224, data: new Uint8ClampedArray(224 * 224 * 4) };
  const single = new BlazePose(madeUp(), { numPeople: 1 });
  const [before] = single.detect(square, 0);
  const [nobody] = single.detect(square, 0.1, [112, 10]);
  assert.equal(nobody.id, before.id, "where nobody stands, nothing changes");
  const [other] = single.detect(square, 0.2, [170, 100]);
  assert.ok(other.id !== before.id && other.landmarks[0] > before.landmarks[0] + 100);
  assert.equal(single.detect(square, 0.3)[0].id, other.id);
  const several = new BlazePose(madeUp(), { numPeople: 2 });
  const ids = [several.detect(square, 0), several.detect(square, 0.1, [170, 100])].map((people) => people.map(({ id }) => id));
  assert.deepEqual(ids[0], ids[1], "who is followed already keeps their number");
});

test("a touch is of the person whose joints are around it, the nearest of several", () => {
  const person = (x, y) => Float64Array.from({ length: 34 }, (_, i) => (i % 2 ? y + 10 * (i >> 1) : x + (i >> 1)));
  const people = [person(100, 100), person(130, 100), person(400, 50)];
  assert.equal(personAt(people, [405, 100]), 2);
  assert.equal(personAt(people, [110, 150]), 0);
  assert.equal(personAt(people, [135, 150]), 1);
  assert.equal(personAt(people, [250, 150]), -1);
  assert.equal(personAt([], [0, 0]), -1);
});
