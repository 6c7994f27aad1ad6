// The page: loads the network, shows the two views, keeps theme and link.

import { loadAsset } from "./assets.js";
import { embedded, mountExplore } from "./explore.js";
import { loadPoseFormer } from "./poseformer.js";
import "./style.css";

const find = (selector) => document.querySelector(selector);
const text = (bytes) => new TextDecoder().decode(bytes);

async function network(name, report) {
  const config = text(await loadAsset(`${name}/config.json`));
  const weights = await loadAsset(`${name}/model.safetensors`, report);
  return loadPoseFormer(config, weights.buffer, location.search.includes("simd=off") ? { simd: false } : {});
}

async function explore() {
  const bar = find("#loading progress");
  const takes = JSON.parse(text(await loadAsset("takes.json")));
  const shown = await network("attentive", (share) => (bar.value = share));
  find("#no-simd").hidden = shown.simd;
  const view = mountExplore(find("#explore"), shown, takes);
  find("#loading").hidden = true;
  find("#explore").hidden = false;
  view.draw();
  return view;
}

/** Chosen by the reader, else the computer's; it is remembered where the browser allows that. */
function theme() {
  const system = matchMedia("(prefers-color-scheme: dark)");
  let chosen = null;
  try {
    chosen = localStorage.getItem("theme");
  } catch {} // cookies are switched off
  const show = () => {
    const dark = (chosen ?? (system.matches ? "dark" : "light")) === "dark";
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    find("#theme").textContent = dark ? "Light" : "Dark";
    find("#theme").setAttribute("aria-label", dark ? "Use light colors" : "Use dark colors");
    window.poseformer?.then((view) => view.later()).catch(() => {});
  };
  system.addEventListener("change", show);
  find("#theme").addEventListener("click", () => {
    chosen = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    try {
      localStorage.setItem("theme", chosen);
    } catch {} // it holds until the page is closed
    show();
  });
  show();
}

/** A page inside of a notebook has no link, but may be opened on its own. */
function openAlone() {
  const page = new Blob([frameElement.srcdoc], { type: "text/html" });
  find("#share").textContent = "Open in a tab";
  find("#share").addEventListener("click", () => window.open(URL.createObjectURL(page)));
}

function share() {
  find("#share").addEventListener("click", async () => {
    const view = await window.poseformer;
    const link = `${location.href.split("#")[0]}#${view.state.toHash()}`;
    history.replaceState(null, "", link);
    try {
      await navigator.clipboard.writeText(link);
      find("#share").textContent = "Link copied";
    } catch {
      find("#share").textContent = "Copy it from above"; // it stands in the address bar now
    }
    setTimeout(() => (find("#share").textContent = "Copy link"), 2000);
  });
}

/** The two tabs; the camera's part is loaded when it is first opened. */
function tabs() {
  const buttons = [...document.querySelectorAll("[role=tab]")];
  let live = null;
  const open = (button) => {
    for (const one of buttons) {
      const chosen = one === button;
      one.setAttribute("aria-selected", String(chosen));
      one.tabIndex = chosen ? 0 : -1;
      find(`#${one.getAttribute("aria-controls")}`).hidden = !chosen;
    }
    find("#share").hidden = button.id === "tab-live"; // a link keeps what is explored
    if (LIVE && button.id === "tab-live") live ??= openLive();
  };
  buttons.forEach((button, i) => {
    button.addEventListener("click", () => open(button));
    button.addEventListener("keydown", ({ key }) => {
      const next = buttons[(i + { ArrowRight: 1, ArrowLeft: -1 }[key] + buttons.length) % buttons.length];
      next?.focus();
      next?.click();
    });
  });
}

async function openLive() {
  const element = find("#live");
  element.textContent = "Loading the network for any video …";
  try {
    const { mountLive } = await import("./camera.js");
    const wild = await network("wild", (share) => (element.textContent = `Loading the network for any video: ${Math.round(100 * share)} %`));
    element.textContent = "";
    await mountLive(element, wild, { asset: loadAsset, sample: "walk.mp4", licenses: text(await loadAsset("licenses.txt")) });
  } catch (error) {
    element.textContent = `The live view cannot be shown: ${error.message}.`;
    throw error;
  }
}

window.poseformer = explore();
theme();
embedded() ? openAlone() : share();
tabs();
window.poseformer.catch((error) => {
  find("#loading").innerHTML = '<p class="trouble" role="alert"></p>';
  find("#loading p").textContent = `The page cannot be shown: ${error.message}.`;
  throw error; // for the console
});
