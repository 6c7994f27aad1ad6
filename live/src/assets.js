// The files that the page brings along. Each is base64 in a script of its own, as only scripts can be loaded from a disk.

/**
 * @param {string} name of the file
 * @param {(share: number) => void} report is told how much has come, from 0 to 1
 * @returns {Promise<Uint8Array>}
 */
export async function loadAsset(name, report = () => {}) {
  const assets = (window.poseformerAssets ??= {});
  if (!(name in assets)) await (location.protocol === "file:" ? runScript : fetchScript)(address(name), report);
  if (!(name in assets)) throw new Error(`${address(name)} is missing beside the page, or did not come through`);
  report(1);
  return unpack(assets[name]);
}

const address = (name) => `assets/${name.replaceAll("/", "-")}.js`;

function runScript(src) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = src;
    script.onload = resolve;
    script.onerror = () => reject(new Error(`${src} is missing beside the page`));
    document.head.append(script);
  });
}

/** The same by fetch, which tells how far it is. */
async function fetchScript(src, report) {
  const response = await fetch(src);
  if (!response.ok) throw new Error(`${src} could not be loaded: ${response.status} ${response.statusText}`);
  const total = Number(response.headers.get("content-length")) || Infinity;
  const parts = [];
  let come = 0;
  for (const reader = response.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    report(Math.min((come += value.length) / total, 1));
  }
  const url = URL.createObjectURL(new Blob(parts, { type: "text/javascript" }));
  await runScript(url);
  URL.revokeObjectURL(url);
}

/** base64, behind "gzip:" where it is compressed. */
async function unpack(text) {
  const [, compressed, base64] = /^(gzip:)?(.*)$/s.exec(text);
  const characters = atob(base64);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  if (!compressed) return bytes;
  if (typeof DecompressionStream === "undefined") {
    throw new Error("this browser is too old to unpack it: Chrome 80, Firefox 113, Safari 16.4 or newer can");
  }
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
