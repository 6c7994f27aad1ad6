// live.html: the live part alone, with all its files in the page.

import { loadAsset } from "./assets.js";
import { mountLive } from "./camera.js";
import { loadPoseFormer } from "./poseformer.js";
import "./style.css";

const text = async (name) => new TextDecoder().decode(await loadAsset(name));

function followTheme() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const show = () => (document.documentElement.dataset.theme = dark.matches ? "dark" : "light");
  dark.addEventListener("change", show);
  show();
}

async function start() {
  const { buffer } = await loadAsset("wild/model.safetensors"); // or those that the page was made with
  const network = await loadPoseFormer(await text("wild/config.json"), buffer);
  const options = { asset: loadAsset, sample: "walk.mp4", licenses: await text("licenses.txt") };
  return mountLive(document.getElementById("live"), network, options);
}

followTheme();
window.poseformerLive = start();
window.poseformerLive.catch((error) => {
  document.getElementById("live").textContent = `The page cannot be shown: ${error.message}.`;
  throw error; // for the console
});
