// The detector's own thread, so that the page goes on drawing while it looks. The runtime's script stands in front of this
// one, in the same file.

import { BlazePose } from "./detector-blazepose.js";
import { loadRuntime } from "./detector-runtime.js";

let networks = null;
let detector = null;

const tasks = {
  async load({ wasm, finder, marker }) {
    const network = await loadRuntime(self.tflite_web_api_ModuleFactory, wasm);
    networks = { find: network(finder), mark: network(marker) };
    tasks.begin({});
  },

  /** Forget everybody, as before the first frame of something else. */
  begin(options) {
    detector = new BlazePose(networks, options);
  },

  detect({ picture, seconds, touched }) {
    return detector.detect(picture, seconds, touched);
  },
};

self.onmessage = async ({ data: { id, task, ...given } }) => {
  try {
    const start = performance.now();
    const answer = await tasks[task](given);
    self.postMessage({ id, answer, milliseconds: performance.now() - start });
  } catch (error) {
    self.postMessage({ id, error: String(error.message ?? error) });
  }
};
