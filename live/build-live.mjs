// The live part: its files for build.mjs, and as one page that needs nothing else.
// node build-live.mjs [FOLDER], by default ../build/live, writes FOLDER/live.html.
// node build-live.mjs --shell [FOLDER] writes what poseformer_course/page fills in: live.html without networks and film, and
// the detector's runtime.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";

const LIMIT = 21e6; // bytes of live.html
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const RUNTIME = createRequire(import.meta.url).resolve("@tensorflow/tfjs-tflite/wasm/tflite_web_api_cc_simd.js");
const WASM = "tflite_web_api_cc_simd.wasm";
const BLAZEPOSE = here("../poseformer_lite/lifting/blazepose/");
const WEIGHTS = here("../poseformer_lite/weights/wild/");
const CLIP = here("../data/clip/");

async function bundle(entry) {
  const options = { bundle: true, write: false, outdir: "out", format: "iife", target: "es2022", minify: true, legalComments: "none" };
  const { outputFiles } = await build({ entryPoints: [here(entry)], ...options, define: { LIVE: "true" } });
  const find = (end) => outputFiles.find(({ path }) => path.endsWith(end))?.text;
  return { script: find(".js").replaceAll("</script", "<\\/script"), style: find(".css") };
}

/** What mountLive asks for by name, and the texts of the licences: [name, bytes]. */
export async function liveAssets() {
  const { script } = await bundle("src/detector-worker.js");
  return Object.entries({
    "detector-worker.js": Buffer.from(`${readFileSync(RUNTIME, "utf8")}\n${script}`),
    [WASM]: readFileSync(RUNTIME.replace(/js$/, "wasm")),
    "pose_detection.tflite": readFileSync(join(BLAZEPOSE, "pose_detection.tflite")),
    "pose_landmark_full.tflite": readFileSync(join(BLAZEPOSE, "pose_landmark_full.tflite")),
    "walk.mp4": readFileSync(join(CLIP, "walk.mp4")),
    "licenses.txt": Buffer.from(licenses()),
  });
}

function licenses() {
  const read = (path) => readFileSync(path, "utf8").trim();
  const { version } = JSON.parse(read(join(RUNTIME, "../../package.json")));
  return [
    `This page and its lifting network: poseformer-lite\n\n${read(here("../LICENSE"))}`,
    `The networks that find the joints\n\n${read(join(BLAZEPOSE, "NOTICE"))}`,
    "What runs them\n\nTensorFlow Lite, Copyright The TensorFlow Authors, under the Apache License 2.0. It is taken unchanged " +
      `from the npm package @tensorflow/tfjs-tflite ${version}, wasm/tflite_web_api_cc_simd.js and .wasm.`,
    `The walk\n\nPart of a film of Pose2Sim's demonstration.\n\n${read(join(CLIP, "LICENSE"))}`,
    read(join(BLAZEPOSE, "LICENSE")),
  ].join(`\n\n${"-".repeat(72)}\n\n`);
}

// By it the browser itself keeps the page from asking anybody for anything.
const POLICY = [
  "default-src 'none'", "connect-src 'none'", "style-src 'unsafe-inline'", "img-src data: blob:", "media-src blob: mediastream:",
  "worker-src blob:", "script-src 'unsafe-inline' 'unsafe-eval' blob:",
].join("; ");

const page = ({ style, scripts }) => `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="description" content="A camera or a video, lifted to 3D by a transformer that runs in this page. No frame leaves the computer.">
<title>PoseFormer live</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<header class="top"><h1>PoseFormer <span>live</span></h1></header>
<main id="live"><noscript>JavaScript runs this page, and it is switched off here.</noscript></main>
${scripts.map((script) => `<script>${script}</script>`).join("\n")}
</body>
</html>
`;

const asset = (name, text) => `(window.poseformerAssets ??= {})["${name}"] = "${text}";`;

/** What poseformer_course/page lacks: the rest is in the package already. */
async function writeShell(folder) {
  const { [WASM]: wasm, ...assets } = Object.fromEntries(await liveAssets());
  const own = ["detector-worker.js", "licenses.txt"].map((name) => asset(name, assets[name].toString("base64")));
  const { script, style } = await bundle("src/camera-page.js");
  const parts = page({ style, scripts: [...own, script] }).replace("<script>", () => "<!-- assets -->\n<script>");
  writeFileSync(join(folder, "live.html"), parts);
  writeFileSync(join(folder, `${WASM}.gz`), gzipSync(wasm, { level: 9 }));
}

async function write(folder) {
  const weights = ["config.json", "model.safetensors"].map((name) => [`wild/${name}`, readFileSync(join(WEIGHTS, name))]);
  const packed = [...(await liveAssets()), ...weights].map(([name, bytes]) => {
    return asset(name, `gzip:${gzipSync(bytes, { level: 9 }).toString("base64")}`);
  });
  const { script, style } = await bundle("src/camera-page.js");
  const whole = page({ style, scripts: [...packed, script] });
  if (whole.length > LIMIT) throw new Error(`live.html has ${whole.length} bytes, more than ${LIMIT}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "live.html"), whole);
  console.log(`${join(folder, "live.html")}: ${(whole.length / 1e6).toFixed(1)} MB`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv[2] === "--shell") await writeShell(resolve(process.argv[3] ?? here("../poseformer_course/page")));
  else await write(resolve(process.argv[2] ?? here("../build/live")));
}
