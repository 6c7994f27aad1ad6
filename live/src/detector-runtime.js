// The runtime that runs the detector's networks: TensorFlow Lite in WebAssembly, of npm's @tensorflow/tfjs-tflite. Of that
// package only the runtime itself is used, which needs no TensorFlow.js and, as it is given its bytes, asks for nothing.

/**
 * @param {Function} factory tflite_web_api_ModuleFactory
 * @param {Uint8Array} wasmBinary tflite_web_api_cc_simd.wasm
 * @returns {Promise<(model: Uint8Array) => (input: Float32Array) => Float32Array[]>} makes a network of a .tflite file; its
 *   outputs are views that hold until it runs again
 */
export async function loadRuntime(factory, wasmBinary) {
  const quiet = { print() {}, printErr() {} }; // it says that it was created
  const module = await factory({ wasmBinary, ...quiet });
  return (model) => {
    const address = module._malloc(model.length);
    module.HEAPU8.set(model, address);
    const options = { numThreads: 1, enableProfiling: false, maxProfilingBufferEntries: 0 };
    const made = module.TFLiteWebModelRunner.CreateFromBufferAndOptions(address, model.length, options);
    if (!made.ok()) throw new Error(`a network of the detector cannot be read: ${made.errorMessage()}`);
    const runner = made.value();
    const [inputs, outputs] = [runner.GetInputs(), runner.GetOutputs()];
    return (input) => {
      inputs.get(0).data().set(input);
      if (!runner.Infer()) throw new Error("a network of the detector stopped");
      return Array.from({ length: outputs.size() }, (_, i) => outputs.get(i).data());
    };
  };
}
