// Reads model.safetensors: 8 bytes with the length of a JSON header, the header, then all numbers one after the other.

const READERS = {
  F32: (bytes) => new Float32Array(bytes),
  F16: (bytes) => Float32Array.from(new Uint16Array(bytes), fromHalf),
  BF16: (bytes) => new Float32Array(Uint32Array.from(new Uint16Array(bytes), (bits) => bits << 16).buffer),
};

/**
 * @param {ArrayBuffer} buffer the file
 * @returns {Map<string, {shape: number[], data: Float32Array}>} every tensor by its name, as float32
 */
export function readSafetensors(buffer) {
  const length = buffer.byteLength < 8 ? NaN : Number(new DataView(buffer).getBigUint64(0, true));
  if (!(8 + length <= buffer.byteLength)) {
    throw new Error(`model.safetensors has ${buffer.byteLength} bytes, too few for its own header: load it again`);
  }
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  delete header.__metadata__;
  const tensors = new Map();
  for (const [name, { dtype, shape, data_offsets: [start, end] }] of Object.entries(header)) {
    if (!(dtype in READERS)) throw new Error(`${name} is ${dtype}, expected one of ${Object.keys(READERS).join(", ")}`);
    if (8 + length + end > buffer.byteLength) {
      throw new Error(`model.safetensors ends inside of ${name}, at ${buffer.byteLength} bytes: load it again`);
    }
    tensors.set(name, { shape, data: READERS[dtype](buffer.slice(8 + length + start, 8 + length + end)) });
  }
  return tensors;
}

/** The number that 16 bits stand for: a sign, five bits of exponent, ten of fraction. */
function fromHalf(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  if (exponent === 0) return sign * fraction * 2 ** -14; // too small for a leading one
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction) * 2 ** (exponent - 15);
}
