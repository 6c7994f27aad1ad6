// The person who is touched in the picture, or chosen by keys.

import { placeOn } from "./camera-scene.js";

const AROUND = 0.15; // of a person's height: how far beside the joints a touch still means the person
const STEPS = { n: 1, N: 1, ArrowRight: 1, p: -1, P: -1, ArrowLeft: -1 };

/**
 * @param {HTMLCanvasElement} canvas of drawFrame
 * @param {{frame: () => HTMLCanvasElement | undefined, touch: (point: number[]) => void, next: (by: number) => void}} to
 *   touch: is told of a point, pixels of the frame; next: of the next person, 1, or the previous one, -1
 */
export function onTouch(canvas, { frame, touch, next }) {
  canvas.addEventListener("click", (event) => {
    const shown = frame();
    if (!shown) return;
    const { scale, left, top } = placeOn(canvas, shown);
    touch([(event.offsetX - left) / scale, (event.offsetY - top) / scale]);
  });
  canvas.addEventListener("keydown", (event) => {
    const by = STEPS[event.key];
    if (!by || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    next(by);
  });
}

/** Which of some people (17, 2), pixels, is at a point: the one whose middle is nearest of those around it, or -1. */
export function personAt(people, [x, y]) {
  const far = people.map((joints) => {
    const [across, down] = [0, 1].map((axis) => joints.filter((_, i) => i % 2 === axis));
    const [left, right, top, bottom] = [Math.min(...across), Math.max(...across), Math.min(...down), Math.max(...down)];
    const beside = AROUND * (bottom - top);
    const inside = x > left - beside && x < right + beside && y > top - beside && y < bottom + beside;
    return inside ? Math.hypot((left + right) / 2 - x, (top + bottom) / 2 - y) : Infinity;
  });
  const nearest = far.indexOf(Math.min(...far));
  return far[nearest] < Infinity ? nearest : -1;
}
