// What every head attends to, as small pictures side by side: a row of a picture is what one token attends to.

import { fresh, frameCells, heatmap } from "./draw.js";

const FADES = 0.99; // of a picture's top, from frame to frame, so that its colours do not flicker
const [GAP, TEXT] = [8, 15]; // CSS pixels between pictures, and of the line above each

export class AttentionMaps {
  /** @param {HTMLCanvasElement} canvas @param {{layers: number, heads: number, size: number}} shape (L, H, N, N) */
  constructor(canvas, { layers, heads, size }) {
    Object.assign(this, { canvas, layers, heads, size });
    this.tops = new Float32Array(layers * heads);
  }

  /**
   * @param {Float32Array | null} weights (L, H, N, N)
   * @param {object} palette of `colors`
   * @param {{center?: number, unseen?: number}} marks the row to frame, and how many of the last columns only repeat the
   *   newest frame, as theirs have not been seen yet
   */
  draw(weights, palette, { center, unseen = 0 } = {}) {
    const at = fresh(this.canvas);
    if (!at) return;
    const { context, width, height } = at;
    const { side, columns } = this.arrange(width, height);
    const left = (width - columns * (side + GAP) + GAP) / 2;
    context.font = "10px system-ui, sans-serif";
    for (let which = 0; which < this.layers * this.heads; which++) {
      const [layer, head] = [Math.floor(which / this.heads), which % this.heads];
      const [row, column] = [Math.floor(which / columns), which % columns];
      const place = { context, x: left + column * (side + GAP), y: TEXT + row * (side + TEXT + GAP), width: side, height: side };
      context.fillStyle = palette.muted;
      context.fillText(side > 66 ? `layer ${layer} head ${head}` : `${layer}, ${head}`, place.x, place.y - 4);
      if (weights) this.paint(place, weights, which, palette, center, unseen);
      context.strokeStyle = palette.line;
      context.lineWidth = 1;
      context.strokeRect(place.x + 0.5, place.y + 0.5, side - 1, side - 1);
    }
  }

  /** A layer a row, or all in one row: whichever leaves the pictures larger. */
  arrange(width, height) {
    const arrangements = [this.heads, this.heads * this.layers].map((columns) => {
      const rows = (this.heads * this.layers) / columns;
      const side = Math.min((width + GAP) / columns - GAP, (height + GAP) / rows - GAP - TEXT);
      return { columns, side: Math.max(8, Math.floor(side)) };
    });
    return arrangements.reduce((best, one) => (one.side > best.side ? one : best));
  }

  paint(place, weights, which, palette, center, unseen) {
    const N = this.size;
    const values = weights.subarray(which * N * N, (which + 1) * N * N);
    this.tops[which] = values.reduce((top, value) => Math.max(top, value), this.tops[which] * FADES);
    heatmap(place, values, { rows: N, columns: N, top: this.tops[which], dark: palette.dark });
    const cell = place.width / N;
    place.context.fillStyle = palette.panel;
    place.context.globalAlpha = 0.7;
    place.context.fillRect(place.x + place.width - unseen * cell, place.y, unseen * cell, place.height);
    place.context.globalAlpha = 1;
    if (center !== undefined) frameCells(place.context, place, N, N, [center, 0, 1, N], palette.chosen, 1.5);
  }
}
