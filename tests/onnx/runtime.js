// SPDX-License-Identifier: Apache-2.0
//
// runtime.js DIR: runs the networks NAME.onnx in DIR in ONNX Runtime on the
// images NAME.x and compares the logits with NAME.y. Exits with 1 when they
// differ by more than 1e-5 of the largest.

const fs = require('fs');
const ort = require('onnxruntime-node');

const floats = (path) => {
  const bytes = fs.readFileSync(path);
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
};

const sides = {resnet18: [64, 64], chain: [22, 24]};

async function distance(dir, name) {
  const session = await ort.InferenceSession.create(`${dir}/${name}.onnx`,
      {graphOptimizationLevel: 'basic'});
  const x = floats(`${dir}/${name}.x`);
  const y = floats(`${dir}/${name}.y`);
  const [h, w] = sides[name] || [32, 32];
  const c = x.length / 2 / h / w;
  const got = await session.run({x: new ort.Tensor('float32', x, [2, c, h, w])});
  const logits = got.logits.data;
  if (logits.length !== y.length) {
    return Infinity;
  }
  let most = 0;
  let apart = 0;
  for (let i = 0; i < y.length; i++) {
    most = Math.max(most, Math.abs(y[i]));
    apart = Math.max(apart, Math.abs(y[i] - logits[i]));
  }
  return Number.isFinite(apart) ? apart / most : Infinity;
}

async function main(dir) {
  let good = true;
  for (const file of fs.readdirSync(dir).sort()) {
    if (!file.endsWith('.onnx')) {
      continue;
    }
    const name = file.slice(0, -5);
    const d = await distance(dir, name);
    console.log(`${name}: ${d.toExponential(1)}`);
    good = good && d <= 1e-5;
  }
  process.exit(good ? 0 : 1);
}

main(process.argv[2]).catch((e) => {
  console.error(String(e));
  process.exit(1);
});
