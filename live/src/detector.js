// Finds people's joints in frames, in a thread of its own, without asking anybody: BlazePose.

/** The files that the detector is made of, by the names under which `asset` is asked for them. */
export const DETECTOR_ASSETS = {
  script: "detector-worker.js", // the runtime's script, then the bundle of detector-worker.js
  wasm: "tflite_web_api_cc_simd.wasm",
  finder: "pose_detection.tflite",
  marker: "pose_landmark_full.tflite",
};

/**
 * @param {(name: string) => Promise<Uint8Array>} asset the bytes of a file
 * @returns {Promise<Detector>}
 */
export async function loadDetector(asset) {
  const [script, wasm, finder, marker] = await Promise.all(Object.values(DETECTOR_ASSETS).map((name) => asset(name)));
  const detector = new Detector(script);
  await detector.ask("load", { wasm, finder, marker });
  return detector;
}

/** Of a page; `loadDetector` makes one. */
export class Detector {
  constructor(script) {
    const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
    this.worker = new Worker(address);
    this.waiting = new Map();
    this.asked = 0;
    this.milliseconds = 0; // that the last frame took
    this.worker.onmessage = ({ data: { id, answer, error, milliseconds } }) => {
      const { resolve, reject } = this.waiting.get(id);
      this.waiting.delete(id);
      this.milliseconds = milliseconds;
      if (error) reject(new Error(error));
      else resolve(answer);
    };
    this.worker.onerror = (event) => {
      event.preventDefault();
      for (const { reject } of this.waiting.values()) reject(new Error(event.message || "the detector's thread stopped"));
      this.waiting.clear();
    };
  }

  ask(task, given, transfer = []) {
    return new Promise((resolve, reject) => {
      this.waiting.set(this.asked, { resolve, reject });
      this.worker.postMessage({ id: this.asked++, task, ...given }, transfer);
    });
  }

  /** Forget everybody. @param {{numPeople?: number, every?: number}} options as of BlazePose */
  begin(options) {
    return this.ask("begin", options);
  }

  /**
   * @param {ImageData} picture whose pixels are given away
   * @param {number[] | null} touched as of BlazePose
   * @returns {Promise<{id: number, landmarks: Float32Array}[]>} people, (33, 3) each: x and y in pixels, and the visibility
   */
  detect({ width, height, data }, seconds, touched) {
    return this.ask("detect", { picture: { width, height, data }, seconds, touched }, [data.buffer]);
  }

  close() {
    this.worker.terminate();
  }
}
