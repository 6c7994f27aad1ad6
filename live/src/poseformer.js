// PoseFormer (section 3.2 of arXiv 2103.10455) as poseformer_lite/model computes it, with all that one may want to see.
//
// A tensor is {shape, data}; an activation is a Float32Array, row after row, whose shape its comment gives: F frames,
// J joints, C channels of a joint's token, D = J * C of a frame's, H heads, N tokens of a sequence.

import { hasSimd, plainLinear, simdLinear } from "./linear.js";
import { readSafetensors } from "./safetensors.js";

const ENCODER_EPS = 1e-6;
const HEAD_EPS = 1e-5;

/**
 * @param {string|object} configJson config.json as save_pretrained writes it
 * @param {ArrayBuffer} safetensorsArrayBuffer model.safetensors
 * @param {{simd?: boolean}} options simd: false takes the plain way where the browser has the faster one, too
 * @returns {Promise<PoseFormer>}
 */
export async function loadPoseFormer(configJson, safetensorsArrayBuffer, { simd = hasSimd() } = {}) {
  const config = typeof configJson === "string" ? JSON.parse(configJson) : configJson;
  if (config.network !== "PoseFormer") throw new Error(`config.json is of a ${config.network}, expected a PoseFormer`);
  const tensors = readSafetensors(safetensorsArrayBuffer);
  const linear = simd ? await simdLinear(tensors.values()) : plainLinear;
  return new PoseFormer(config, tensors, linear, simd);
}

/** The name of a head, as str(Head) gives it; layers and heads are counted from 0. */
export const headName = (stage, layer, head) => `${stage} layer ${layer} head ${head}`;

/** (F, J, 2) normalised screen coordinates -> (J, 3) metres, the center frame, relative to the root. */
export class PoseFormer {
  constructor(config, tensors, linear, simd) {
    this.config = config;
    this.input = config.input ?? "screen"; // what it was trained on: normalised pixels, or the canonical view
    this.simd = simd;
    this.numFrames = config.num_frames;
    this.numJoints = config.num_joints;
    this.spatialDim = config.spatial_dim;
    this.temporalDim = this.numJoints * this.spatialDim;
    this.numHeads = config.num_heads;
    this.depths = { spatial: config.spatial_depth, temporal: config.temporal_depth };
    this.tensors = tensors;
    this.linearLayer = linear;
    this.checkTensors();
  }

  checkTensors() {
    const { numFrames: F, numJoints: J, spatialDim: C, temporalDim: D } = this;
    const expected = {
      "spatial.patch_embedding.weight": [C, 2],
      "spatial.position_embedding": [1, J, C],
      "temporal.position_embedding": [1, F, D],
      "head.weighted_mean.weight": [1, F, 1],
      "head.linear.weight": [J * 3, D],
    };
    for (const [stage, width] of [["spatial", C], ["temporal", D]]) {
      expected[`${stage}.encoder.norm.weight`] = [width];
      for (let layer = 0; layer < this.depths[stage]; layer++) {
        expected[`${stage}.encoder.blocks.${layer}.attn.qkv.weight`] = [3 * width, width];
      }
    }
    for (const [name, shape] of Object.entries(expected)) {
      const found = this.tensors.get(name)?.shape;
      if (String(found) !== String(shape)) {
        throw new Error(`${name} is (${found ?? "missing"}), but config.json asks for (${shape}): give both of one network`);
      }
    }
  }

  /** The learned weights of the frames in the regression head's mean, (F,). */
  get frameWeights() {
    return this.tensor("head.weighted_mean.weight").data;
  }

  /**
   * Fig. 2(b), from bottom to top.
   * @param {Float32Array} window (F, J, 2)
   * @param {{without?: Set<string>, hidden?: Set<number>}} options names of heads whose outputs are zero, as headName gives
   *   them; joints of whose tokens, in every frame, only the position embedding is left
   * @returns {{pose: Float32Array, spatial: Float32Array, temporal: Float32Array, frameWeights: Float32Array, tokens: object, layers: object}}
   *   pose (J, 3) metres; attention weights spatial (F, L, H, J, J) and temporal (L, H, F, F), whose rows sum to one;
   *   frameWeights (F,); tokens: embedded (F, J, C) before and joints (F, J, C) after the spatial transformer, positioned
   *   (F, D) before and frames (F, D) after the temporal one, mean (D,); layers: for both stages the queries, keys and
   *   values of each layer, side by side, (N, 3 * C) or (F, 3 * D)
   */
  forward(window, { without, hidden } = {}) {
    const [F, J] = [this.numFrames, this.numJoints];
    if (window.length !== F * J * 2) throw new Error(`a window has ${window.length} numbers, expected ${F} x ${J} x 2`);
    const spatial = this.embedFrames(window, { without, hidden });
    const temporal = this.forwardTemporal(spatial.tokens, { without });
    return {
      pose: temporal.pose,
      spatial: spatial.attention,
      temporal: temporal.attention,
      frameWeights: this.frameWeights,
      tokens: { embedded: spatial.embedded, joints: spatial.tokens, ...temporal.tokens },
      layers: { spatial: spatial.layers, temporal: temporal.layers },
    };
  }

  /** The spatial transformer: frames (N, J, 2), which do not see each other -> tokens (N, D), attention (N, L, H, J, J). */
  embedFrames(poses2d, { without, hidden = new Set() } = {}) {
    const { numJoints: J, spatialDim: C } = this;
    const N = poses2d.length / (2 * J);
    const embedded = this.linear(poses2d, N * J, "spatial.patch_embedding"); // (N * J, C)
    const positions = this.tensor("spatial.position_embedding").data; // E_SPos, (J, C)
    for (let i = 0; i < embedded.length; i++) {
      const at = i % (J * C);
      embedded[i] = (hidden.has(Math.floor(at / C)) ? 0 : embedded[i]) + positions[at];
    }
    const { x, attention, layers } = this.encoder("spatial", embedded, N, J, C, without);
    return { tokens: x, attention, embedded, layers }; // a frame's joints, side by side, are its one token
  }

  /** The temporal transformer and the regression head: tokens (F, D) -> pose (J, 3), attention (L, H, F, F). */
  forwardTemporal(tokens, { without } = {}) {
    const [F, D] = [this.numFrames, this.temporalDim];
    const positioned = add(tokens, this.tensor("temporal.position_embedding").data); // E_TPos
    const { x: frames, attention, layers } = this.encoder("temporal", positioned, 1, F, D, without); // (F, D)
    const mean = this.weightedMean(frames); // (D,)
    const normed = this.layerNorm(mean, 1, "head.norm", HEAD_EPS);
    const pose = this.linear(normed, 1, "head.linear"); // (J, 3)
    return { pose, attention, tokens: { positioned, frames, mean }, layers };
  }

  /** The learned weighted mean over the frames: (F, D) -> (D,). */
  weightedMean(frames) {
    const D = this.temporalDim;
    const mean = new Float64Array(D).fill(this.tensor("head.weighted_mean.bias").data[0]);
    this.frameWeights.forEach((weight, frame) => {
      for (let k = 0; k < D; k++) mean[k] += weight * frames[frame * D + k];
    });
    return Float32Array.from(mean);
  }

  /** L identical layers and a last LayerNorm (Eq. 6 to 8), over B sequences of N tokens of C channels. */
  encoder(stage, tokens, B, N, C, without = new Set()) {
    const [H, L] = [this.numHeads, this.depths[stage]];
    const attention = new Float32Array(B * L * H * N * N);
    const layers = [];
    let x = tokens;
    for (let layer = 0; layer < L; layer++) {
      const block = `${stage}.encoder.blocks.${layer}`;
      const off = Array.from({ length: H }, (_, head) => without.has(headName(stage, layer, head)));
      const normed = this.layerNorm(x, B * N, `${block}.norm1`, ENCODER_EPS);
      const qkv = this.linear(normed, B * N, `${block}.attn.qkv`); // Eq. 3: (B * N, 3 * C)
      const heads = this.attend(qkv, B, N, C, off, attention, layer, L); // Eq. 2: (B * N, C), heads side by side
      x = add(x, this.linear(heads, B * N, `${block}.attn.proj`)); // Eq. 4 and 6
      const hidden = this.linear(this.layerNorm(x, B * N, `${block}.norm2`, ENCODER_EPS), B * N, `${block}.mlp.fc1`);
      x = add(x, this.linear(hidden.map(gelu), B * N, `${block}.mlp.fc2`)); // Eq. 7
      layers.push(qkv);
    }
    return { x: this.layerNorm(x, B * N, `${stage}.encoder.norm`, ENCODER_EPS), attention, layers }; // Eq. 8
  }

  /** Softmax(Q K^T / sqrt(d)) V of every head (Eq. 2); the softmax is left in `attention`, of shape (B, L, H, N, N). */
  attend(qkv, B, N, C, off, attention, layer, L) {
    const H = this.numHeads;
    const d = C / H;
    const scale = 1 / Math.sqrt(d);
    const out = new Float32Array(B * N * C);
    const scores = new Float64Array(N);
    const width = 3 * C; // of a token's query, key and value side by side
    for (let b = 0; b < B; b++) {
      for (let h = 0; h < H; h++) {
        const queries = b * N * width + h * d;
        const [keys, values] = [queries + C, queries + 2 * C];
        for (let i = 0; i < N; i++) {
          const query = queries + i * width;
          for (let j = 0; j < N; j++) {
            const key = keys + j * width;
            let dot = 0;
            for (let k = 0; k < d; k++) dot += qkv[query + k] * qkv[key + k];
            scores[j] = dot * scale;
          }
          const row = (((b * L + layer) * H + h) * N + i) * N;
          softmax(scores, attention, row);
          if (off[h]) continue; // the weights are there to be seen, the output is zero
          const to = (b * N + i) * C + h * d;
          for (let j = 0; j < N; j++) {
            const weight = attention[row + j];
            const value = values + j * width;
            for (let k = 0; k < d; k++) out[to + k] += weight * qkv[value + k];
          }
        }
      }
    }
    return out;
  }

  /** torch.nn.LayerNorm: (n, C) -> (n, C). */
  layerNorm(x, n, name, eps) {
    const weight = this.tensor(`${name}.weight`).data;
    const bias = this.tensor(`${name}.bias`).data;
    const C = weight.length;
    const out = new Float32Array(n * C);
    for (let start = 0; start < n * C; start += C) {
      let mean = 0;
      let variance = 0;
      for (let k = 0; k < C; k++) mean += x[start + k] / C;
      for (let k = 0; k < C; k++) variance += (x[start + k] - mean) ** 2 / C;
      const scale = 1 / Math.sqrt(variance + eps);
      for (let k = 0; k < C; k++) out[start + k] = (x[start + k] - mean) * scale * weight[k] + bias[k];
    }
    return out;
  }

  linear(x, n, name) {
    return this.linearLayer(x, n, this.tensor(`${name}.weight`), this.tensor(`${name}.bias`));
  }

  tensor(name) {
    const tensor = this.tensors.get(name);
    if (!tensor) throw new Error(`model.safetensors has no ${name}, which config.json asks for`);
    return tensor;
  }
}

const add = (a, b) => a.map((value, i) => value + b[i]);

/** The softmax of some scores, written into a row that begins at `start`. */
function softmax(scores, into, start) {
  let largest = -Infinity;
  for (const score of scores) largest = Math.max(largest, score);
  let sum = 0;
  for (let j = 0; j < scores.length; j++) sum += scores[j] = Math.exp(scores[j] - largest);
  for (let j = 0; j < scores.length; j++) into[start + j] = scores[j] / sum;
}

// GELU(x) = x times the standard normal distribution's share below x. The shares are summed up once by Simpson's rule
// and interpolated: exact to 1e-8, as a float32 is.
const REACH = 8; // standard deviations; beyond it the share is 0 or 1
const STEPS = 2 ** 15;
const SHARES = normalShares();

function normalShares() {
  const density = (x) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
  const width = (2 * REACH) / STEPS;
  const shares = new Float64Array(STEPS + 2);
  for (let i = 0; i <= STEPS; i++) {
    const x = -REACH + i * width;
    shares[i + 1] = shares[i] + (width / 6) * (density(x) + 4 * density(x + width / 2) + density(x + width));
  }
  return shares;
}

function gelu(x) {
  if (x <= -REACH) return 0;
  if (x >= REACH) return x;
  const place = ((x + REACH) / (2 * REACH)) * STEPS;
  const below = Math.floor(place);
  return x * (SHARES[below] + (place - below) * (SHARES[below + 1] - SHARES[below]));
}
