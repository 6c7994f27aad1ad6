// Hands on canvases: a joint that is dragged, a cell that is chosen; by mouse, finger or keys.

const NEAR = 40; // pixels
const STEP = { plain: 3, shift: 12 }; // pixels a press of an arrow key moves a joint
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const placeIn = (canvas, event) => {
  const { left, top } = canvas.getBoundingClientRect();
  return [event.clientX - left, event.clientY - top];
};

/** Joints in a picture are chosen and moved; N and P, or page up and down, choose the next and the previous one, H hides it. */
export function onPicture(canvas, { points, choose, joint, move, hide, numJoints }) {
  let last = null;
  const nearest = ([x, y]) => {
    const far = (points() ?? []).map(([px, py]) => Math.hypot(px - x, py - y));
    const near = far.indexOf(Math.min(...far));
    return far[near] <= NEAR ? near : -1;
  };
  canvas.addEventListener("pointerdown", (event) => {
    const at = placeIn(canvas, event);
    const found = nearest(at);
    if (found < 0) return;
    choose(found);
    last = at;
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    const at = placeIn(canvas, event);
    canvas.style.cursor = last ? "grabbing" : nearest(at) < 0 ? "default" : "grab";
    if (!last) return;
    move(at[0] - last[0], at[1] - last[1]);
    last = at;
  });
  // a finger on a joint moves it, anywhere else it scrolls the page
  canvas.addEventListener("touchstart", (event) => {
    const { left, top } = canvas.getBoundingClientRect();
    const [touch] = event.touches;
    if (event.cancelable && nearest([touch.clientX - left, touch.clientY - top]) >= 0) event.preventDefault();
  }, { passive: false });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => (last = null));
  canvas.addEventListener("keydown", (event) => {
    const next = { n: 1, N: 1, PageDown: 1, p: -1, P: -1, PageUp: -1 }[event.key];
    const arrow = ARROWS[event.key];
    const hides = event.key.toLowerCase() === "h" && !event.repeat;
    if (event.ctrlKey || event.metaKey || event.altKey || !(next || arrow || hides)) return;
    event.preventDefault();
    if (hides) return hide();
    if (next) return choose((joint() + next + numJoints) % numJoints);
    const step = event.shiftKey ? STEP.shift : STEP.plain;
    move(arrow[0] * step, arrow[1] * step);
  });
}

/** Cells of a grid are chosen. place() tells where they are, {x, y, width, height, rows, columns, at: [row, column]}. */
export function onGrid(canvas, place, pick) {
  let down = false;
  const choose = (event) => {
    const grid = place();
    if (!grid) return;
    const [x, y] = placeIn(canvas, event);
    const column = Math.floor(((x - grid.x) / grid.width) * grid.columns);
    const row = Math.floor(((y - grid.y) / grid.height) * grid.rows);
    if (row < 0 || row >= grid.rows) return;
    if (column >= grid.columns) return;
    pick(row, Math.max(column, grid.columns > 1 && column < 0 ? grid.at[1] : 0)); // left of the cells stands the row's name
  };
  canvas.addEventListener("pointerdown", (event) => {
    down = true;
    choose(event);
  });
  canvas.addEventListener("pointermove", (event) => down && event.pointerType === "mouse" && choose(event));
  for (const end of ["pointerup", "pointercancel", "pointerleave"]) canvas.addEventListener(end, () => (down = false));
  canvas.addEventListener("keydown", (event) => {
    const [grid, arrow] = [place(), ARROWS[event.key]];
    if (!grid || !arrow) return;
    event.preventDefault();
    const within = (value, count) => Math.min(Math.max(value, 0), count - 1);
    grid.at = [within(grid.at[0] + arrow[1], grid.rows), within(grid.at[1] + arrow[0], grid.columns)]; // for a next key
    pick(...grid.at); // that comes before the picture is drawn anew
  });
}
