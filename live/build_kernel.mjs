// Assembles src/kernel.wat and writes its bytes into src/kernel.js: npx --package wabt@1.0.39 node build_kernel.mjs
// The text's checksum is kept beside them, so that a test notices where the two no longer belong together.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const source = fileURLToPath(new URL("src/kernel.wat", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "kernel-"));
execFileSync("wat2wasm", [source, "-o", join(folder, "kernel.wasm")]);
const bytes = readFileSync(join(folder, "kernel.wasm"));
rmSync(folder, { recursive: true });

writeFileSync(new URL("src/kernel.js", import.meta.url), `// kernel.wat, assembled by build_kernel.mjs: ${bytes.length} bytes of WebAssembly.

export const SOURCE_SHA256 = "${createHash("sha256").update(readFileSync(source)).digest("hex")}";
export const BYTES =
${bytes.toString("base64").match(/.{1,112}/g).map((line) => `  "${line}"`).join(" +\n")};
`);
