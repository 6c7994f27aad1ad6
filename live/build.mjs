// Builds the page: node build.mjs [FOLDER], by default ../build/live. It writes FOLDER/explore.html, which needs nothing
// else, and FOLDER/index.html with its assets beside it, which has the camera, too. Both open from a disk or a server.
// node build.mjs --shell writes what poseformer_course/page fills in: explore.html without network and takes.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";

import { liveAssets } from "./build-live.mjs";

const LIMIT = 4e6; // bytes of explore.html
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const read = (path) => readFileSync(here(path));
const weights = (name) => ["config.json", "model.safetensors"].map((file) => [`${name}/${file}`, read(`../poseformer_lite/weights/${name}/${file}`)]);

const TABS = `<div class="tabs" role="tablist" aria-label="Views">
    <button type="button" role="tab" id="tab-explore" aria-controls="tab-panel-explore" aria-selected="true">Explore</button>
    <button type="button" role="tab" id="tab-live" aria-controls="tab-panel-live" aria-selected="false" tabindex="-1">Live</button>
  </div>`;
const LIVE_PANEL = `<div id="tab-panel-live" role="tabpanel" aria-label="Live" hidden><div id="live"></div></div>`;

// By it the browser itself keeps explore.html from asking anybody for anything.
const POLICY = `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline' 'wasm-unsafe-eval'">`;

/** Script and style of the page, with or without the camera. */
async function bundle(live) {
  const { outputFiles } = await build({
    entryPoints: [here("src/main.js")],
    bundle: true, write: false, outdir: "out", format: "iife", target: "es2022", minify: true, legalComments: "none",
    define: { LIVE: String(live) },
    external: live ? [] : ["./camera.js"],
  });
  const [script, style] = [".js", ".css"].map((end) => outputFiles.find(({ path }) => path.endsWith(end)).text);
  return { script: script.replaceAll("</script", "<\\/script"), style };
}

function page({ policy = "", style, tabs = "", live = "", scripts }) {
  const parts = { policy, style, tabs, live, scripts };
  return read("src/index.html").toString().replace(/\$(policy|style|tabs|live|scripts)/g, (_, name) => parts[name]);
}

const asset = (name, base64) => `(window.poseformerAssets??={})[${JSON.stringify(name)}]="${base64}";`;
const plain = ([name, bytes]) => asset(name, bytes.toString("base64")); // for browsers of any age
const packed = ([name, bytes]) => asset(name, `gzip:${gzipSync(bytes, { level: 9 }).toString("base64")}`);

const ASSETS = "<!-- assets -->";
const shell = ({ style, script }) => page({ policy: POLICY, style, scripts: `${ASSETS}\n<script>${script}</script>` });

async function write(folder) {
  const inside = [["takes.json", read("../poseformer_course/page/takes.json")], ...weights("attentive")];
  const explore = await bundle(false);
  const whole = shell(explore).replace(ASSETS, () => inside.map((one) => `<script>${plain(one)}</script>`).join("\n"));
  if (whole.length > LIMIT) throw new Error(`explore.html has ${whole.length} bytes, more than ${LIMIT}`);

  mkdirSync(join(folder, "assets"), { recursive: true });
  writeFileSync(join(folder, "explore.html"), whole);
  const both = await bundle(true);
  writeFileSync(join(folder, "page.js"), both.script);
  writeFileSync(join(folder, "index.html"), page({ style: both.style, tabs: TABS, live: LIVE_PANEL, scripts: '<script src="page.js"></script>' }));
  for (const [pack, assets] of [[plain, inside], [packed, [...weights("wild"), ...(await liveAssets())]]]) {
    for (const one of assets) writeFileSync(join(folder, "assets", `${one[0].replaceAll("/", "-")}.js`), pack(one));
  }
  console.log(`${join(folder, "explore.html")}: ${(whole.length / 1e6).toFixed(2)} MB, of which ${(explore.script.length / 1e3).toFixed(0)} kB are the script`);
}

if (process.argv[2] === "--shell") writeFileSync(here("../poseformer_course/page/explore.html"), shell(await bundle(false)));
else await write(resolve(process.argv[2] ?? here("../build/live")));
