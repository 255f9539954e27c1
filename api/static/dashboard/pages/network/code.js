// The code that loads a network, as it stands in its model card: with the files of the page beside it, it runs as it is.

import { address } from "../../client.js";
import { Panel } from "../../parts/basics.js";
import { Code as Copied } from "../../parts/copy.js";
import { html } from "../../view.js";
import { isStandard } from "./actions.js";
import { source } from "./files.js";

const BUILD = `import json, pathlib
from timm.models._efficientnet_builder import decode_arch_def
from timm.models.efficientnet import EfficientNet

arguments = json.loads(pathlib.Path("architecture.json").read_text())["timm"]
blocks = decode_arch_def(arguments.pop("arch_def"))
model = EfficientNet(blocks, **{"act_layer": "silu", **arguments})
`;

const WEIGHTS = `from safetensors.torch import load_file
model.load_state_dict(load_file("weights.safetensors"))
model.train(False)
`;

const ONNX = `import json, pathlib
import numpy as np
import onnxruntime
from prepare import prepare

how = json.loads(pathlib.Path("architecture.json").read_text())["preprocessing"]
images = prepare("photo.jpg", how)[None]
session = onnxruntime.InferenceSession("model.onnx")
logits = session.run(None, {"images": images})[0][0]
shares = np.exp(logits - logits.max())
shares /= shares.sum()
for number in shares.argsort()[::-1][:5]:
    print(f"{how['classes'][number] if how['classes'] else number}: {shares[number]:.1%}")
`;

/** @param {{network: any, training: any}} props */
export function Code({ network, training }) {
  if (isStandard(network)) return null;
  const { path, files } = source(network, training);
  const has = new Set(files.map((/** @type {any} */ file) => file.format));
  const get = (/** @type {string} */ format, /** @type {string} */ name) => `curl -o ${name} "${address(path, { format })}"\n`;
  return html`<${Panel} title="The code to load it">
    <p class="faint">Where the service wants a key, add <code>-H "Authorization: Bearer $DNA_KEY"</code> to the downloads.</p>
    <${Copied} label="Download the files" text=${get("json", "architecture.json") + (has.has("safetensors") ? get("safetensors", "weights.safetensors") : "") + (has.has("bundle") ? `${get("bundle", "bundle.zip")}python -m zipfile -e bundle.zip .\n` : "")} />
    <${Copied} label=${has.has("safetensors") ? "PyTorch, with timm and safetensors alone" : "PyTorch, with timm alone (weights come with a training)"} text=${BUILD + (has.has("safetensors") ? WEIGHTS : "")} />
    ${has.has("onnx") && has.has("bundle") && html`<${Copied} label="onnxruntime, with prepare.py of the bundle" text=${ONNX} />
      <${Copied} label="Serve it to other programs" text=${`dna serve mine=bundle.zip\ncurl --data-binary @photo.jpg 127.0.0.1:8080/v2/models/mine/classify\n`} />`}
  </${Panel}>`;
}
