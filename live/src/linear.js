// The linear layer, which takes nearly all of the network's time: as plain JavaScript, and with SIMD where there is any.

import { BYTES } from "./kernel.js";

const PAGE = 65536; // bytes of WebAssembly's memory

/**
 * torch.nn.Linear over n tokens: (n, K) -> (n, M).
 * @param {Float32Array} x (n, K)
 * @param {{shape: number[], data: Float32Array}} weight (M, K)
 * @param {{data: Float32Array}} bias (M)
 */
export function plainLinear(x, n, weight, bias) {
  const [M, K] = weight.shape;
  const out = new Float32Array(n * M);
  const [w, b] = [weight.data, bias.data];
  for (let m = 0; m < M; m++) {
    let i = 0;
    for (; i + 3 < n; i += 4) { // four tokens at a time: each weight is fetched once for them
      const first = i * K;
      let [sum0, sum1, sum2, sum3] = [b[m], b[m], b[m], b[m]];
      for (let k = 0; k < K; k++) {
        const value = w[m * K + k];
        sum0 += value * x[first + k];
        sum1 += value * x[first + K + k];
        sum2 += value * x[first + 2 * K + k];
        sum3 += value * x[first + 3 * K + k];
      }
      out[i * M + m] = sum0;
      out[(i + 1) * M + m] = sum1;
      out[(i + 2) * M + m] = sum2;
      out[(i + 3) * M + m] = sum3;
    }
    for (; i < n; i++) {
      let sum = b[m];
      for (let k = 0; k < K; k++) sum += w[m * K + k] * x[i * K + k];
      out[i * M + m] = sum;
    }
  }
  return out;
}

/** Whether this browser runs the kernel; the smallest module that holds an instruction of SIMD says so. */
export function hasSimd() {
  const smallest = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11];
  return typeof WebAssembly === "object" && WebAssembly.validate(new Uint8Array(smallest));
}

/**
 * The same by the kernel of kernel.wat, with the weights laid into its memory once.
 * @param {Iterable<{shape: number[], data: Float32Array}>} tensors those of the network
 * @returns {Promise<typeof plainLinear>} it takes these tensors' weights; what the kernel cannot do goes the plain way
 */
export async function simdLinear(tensors) {
  const bytes = Uint8Array.from(atob(BYTES), (character) => character.charCodeAt(0));
  const { instance } = await WebAssembly.instantiate(bytes);
  const { memory, linear } = instance.exports;
  const addresses = new Map();
  let end = 0;

  const reserve = (count) => {
    const address = end;
    end += Math.ceil(count / 4) * 16;
    const missing = Math.ceil((end - memory.buffer.byteLength) / PAGE);
    if (missing > 0) memory.grow(missing);
    return address;
  };
  const place = (address, values) => new Float32Array(memory.buffer, address, values.length).set(values);

  for (const tensor of tensors) {
    if (tensor.shape.length > 2) continue;
    addresses.set(tensor, reserve(tensor.data.length));
    place(addresses.get(tensor), tensor.data);
  }
  const workspace = end;

  return function linearBySimd(x, n, weight, bias) {
    const [M, K] = weight.shape;
    if (M % 4 || K % 4 || !addresses.has(weight) || !addresses.has(bias)) return plainLinear(x, n, weight, bias);
    const even = n + (n % 2);
    end = workspace;
    const input = reserve(even * K);
    const output = reserve(even * M);
    place(input, x);
    linear(input, even, K, addresses.get(weight), addresses.get(bias), M, output);
    return new Float32Array(memory.buffer, output, n * M).slice();
  };
}
