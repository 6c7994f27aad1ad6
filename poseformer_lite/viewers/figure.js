// What anywidget loads for a figure, instead of plotly's own module, to which this one hands everything on.
// anywidget waits two seconds for a figure to be ready, and drops all that the kernel sends it ever after if it is not.
// Plotly's module has five million characters, which a busy machine loads in more than that; and each figure brought
// its own copy. Here a figure is ready at once, and one copy serves the page.

const loaded = (globalThis.poseformerPlotly ??= new Map()); // source: module, as two kernels may have two versions

function plotly(source) {
  if (!loaded.has(source)) {
    loaded.set(source, import(URL.createObjectURL(new Blob([source], { type: "text/javascript" }))));
  }
  return loaded.get(source);
}

// A browser keeps some 16 scenes in 3D, of all its pages together, and takes the oldest away without a word.
function tellOfTooMany(el) {
  if (el.querySelector("[role=status]")) return;
  const words = document.createElement("p");
  words.setAttribute("role", "status");
  words.textContent =
    "The browser has put this scene away, as it shows some 16 at a time: clear the outputs of other viewers or close " +
    "their pages, then run this cell again.";
  el.prepend(words);
}

export default () => {
  let figure; // of this model, for all places that show it
  const begin = async (model) => {
    const made = (await plotly(model.get("_plotly"))).default();
    await made.initialize({ model });
    return made;
  };
  return {
    async render({ model, el }) {
      el.addEventListener("webglcontextlost", () => tellOfTooMany(el), true); // on its way to the scene's canvas
      figure ??= begin(model);
      return (await figure).render({ model, el });
    },
  };
};
