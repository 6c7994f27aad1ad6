// The card that leads through the ten steps.

import { STEPS } from "./tour.js";

export class Tour {
  /** @param {(part: string) => void} reveal scrolls to a part of the view, where that is needed */
  constructor(element, network, state, reveal) {
    const { numFrames: F, temporalDim: D } = network;
    Object.assign(this, { element, state, reveal, begun: 0, sizes: { F, D, "F-1": F - 1 } });
    element.innerHTML = `
      <h2 id="tour-title"></h2>
      <p id="tour-text"></p>
      <p id="tour-task"></p>
      <div class="buttons">
        <button type="button" id="tour-back">Back</button>
        <span class="dots" aria-hidden="true">${STEPS.map(() => "<i></i>").join("")}</span>
        <button type="button" id="tour-next" class="main">Next</button>
      </div>`;
    this.find = (selector) => element.querySelector(selector);
    this.find("#tour-next").addEventListener("click", () => this.go((state.get("step") + 1) % (STEPS.length + 1)));
    this.find("#tour-back").addEventListener("click", () => this.go(state.get("step") - 1));
    this.begin(state.get("step"));
  }

  go(step) {
    this.state.set({ ...(step ? STEPS[step - 1].show : {}), step });
    this.reveal(STEPS[step - 1]?.look ?? ".flat-panel");
  }

  /** Remember what things were like, to see whether the deed gets done. */
  begin(step) {
    this.begun = step;
    this.then = structuredClone(this.state.values);
    this.did = false;
  }

  draw() {
    const step = this.state.get("step");
    if (step !== this.begun) this.begin(step);
    const { title, text, task, done } = STEPS[step - 1] ?? {
      title: "Move a joint and see the network think",
      text: "PoseFormer is a transformer: from 17 points in each frame of a video it works out a body in space. Drag a joint on the left, open one of the seven stages, and see the pose and its error change.",
      task: "Ten short steps explain it, in five minutes.",
    };
    this.did ||= Boolean(done?.((name) => this.state.get(name), this.then));
    this.put("#tour-title", step ? `${step}. ${title}` : title);
    this.put("#tour-text", text);
    this.put("#tour-task", this.did ? `✓ ${task}` : task);
    this.find("#tour-task").classList.toggle("did", this.did);
    this.put("#tour-next", step === 0 ? "Start the tour" : step === STEPS.length ? "Finish" : "Next");
    this.find("#tour-back").disabled = step === 0;
    this.element.querySelectorAll("i").forEach((dot, i) => dot.classList.toggle("here", i < step));
  }

  put(selector, text) {
    text = text.replace(/\{(.+?)\}/g, (_, size) => this.sizes[size]);
    if (this.find(selector).textContent !== text) this.find(selector).textContent = text;
  }
}
