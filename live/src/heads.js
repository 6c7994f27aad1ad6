// The heads of a stage as small maps: a click shows one, a switch takes it away.

import { drawHead } from "./pictures.js";
import { headName } from "./poseformer.js";

export class Heads {
  constructor(element, network, state) {
    Object.assign(this, { element, network, state });
  }

  /** The switches of a stage, made when it is opened. */
  fill(stage) {
    this.stage = stage;
    const { network, element, state } = this;
    element.innerHTML = "";
    element.style.setProperty("--columns", network.numHeads);
    this.items = [];
    if (stage !== "spatial" && stage !== "temporal") return;
    element.innerHTML = "<p>Heads H of layers L: click a map, switch one off</p>";
    for (let layer = 0; layer < network.depths[stage]; layer++) {
      for (let head = 0; head < network.numHeads; head++) {
        const name = headName(stage, layer, head);
        const item = document.createElement("div");
        item.className = "head";
        item.innerHTML = `<button type="button" aria-label="Show ${name}"><canvas></canvas></button>
          <label><input type="checkbox" role="switch" aria-label="${name} is on"><span aria-hidden="true"></span>L${layer} H${head}</label>`;
        item.querySelector("button").addEventListener("click", () => state.set({ [stage]: [layer, head] }));
        item.querySelector("input").addEventListener("change", ({ target }) => {
          const off = state.get("off").filter((other) => other !== name);
          state.set({ off: target.checked ? off : [...off, name] });
        });
        element.append(item);
        this.items.push({ item, layer, head, name });
      }
    }
  }

  draw(stage, { result, center, palette, F, J, H }) {
    if (this.stage !== stage) this.fill(stage);
    const [N, first] = stage === "spatial" ? [J, center * this.network.depths.spatial] : [F, 0];
    const shown = String(this.state.get(stage));
    for (const { item, layer, head, name } of this.items) {
      const off = this.state.get("off").includes(name);
      const start = ((first + layer) * H + head) * N * N;
      drawHead(item.querySelector("canvas"), result[stage].subarray(start, start + N * N), N, palette, off);
      item.querySelector("button").setAttribute("aria-pressed", String(shown === String([layer, head])));
      item.querySelector("input").checked = !off;
      item.classList.toggle("off", off);
    }
  }
}
