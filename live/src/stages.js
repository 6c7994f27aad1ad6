// The seven stages of Fig. 2(b), from the keypoints to the pose: what each does, in words and with this moment's numbers.

import { JOINT_NAMES } from "./body.js";
import { bold, factor, formula, frac, mi, mn, mo, mt, row, said, sqrt, sub, sum, sup } from "./math.js";
import { jointErrors } from "./take.js";

const Name = (joint) => JOINT_NAMES[joint].replace(/^./, (letter) => letter.toUpperCase());
const offset = (place, F) => {
  const by = place - (F - 1) / 2;
  return by ? `frame ${by > 0 ? "+" : "−"}${Math.abs(by)}` : "the center frame";
};

/** The scores of one query, q k / sqrt(d), and its softmax, out of a layer's queries, keys and values side by side. */
export function scoresOf(qkv, first, query, N, C, H, head) {
  const d = C / H;
  const at = (token, which) => ((first + token) * 3 + which) * C + head * d;
  const vector = (token, which) => qkv.subarray(at(token, which), at(token, which) + d);
  const q = vector(query, 0);
  const scores = Array.from({ length: N }, (_, key) => vector(key, 1).reduce((dot, k, i) => dot + k * q[i], 0) / Math.sqrt(d));
  const total = scores.reduce((all, score) => all + Math.exp(score), 0);
  return { d, q, k: (key) => vector(key, 1), scores, total };
}

const vectorOf = (values) => row(mo("("), ...Array.from(values).flatMap((v, i) => [i ? mo(",") : "", mn(said(v, 2))]), mo(")"));

/** softmax(q k / sqrt(d)), first in letters and then in numbers. */
function attentionNumbers({ d, q, k, scores, total }, key, i, j) {
  const few = d <= 4;
  const dot = scores[key] * Math.sqrt(d);
  return [
    formula(sub(mi("a"), row(mi("i"), mi("j"))), mo("="), mi("softmax"), mo("("),
      frac(row(sub(bold("q"), mi("i")), mo("·"), sub(bold("k"), mi("j"))), sqrt(mi("d"))), mo(")")),
    few ? formula(sub(bold("q"), mt(i)), mo("="), vectorOf(q)) : "",
    few ? formula(sub(bold("k"), mt(j)), mo("="), vectorOf(k(key))) : "",
    formula(frac(row(bold("q"), mo("·"), bold("k")), sqrt(mn(d))), mo("="), frac(mn(said(dot, 2)), mn(said(Math.sqrt(d), 2))),
      mo("="), mn(said(scores[key], 2))),
    formula(mi("a"), mo("="), frac(sup(mi("e"), mn(said(scores[key], 2))), row(sum(""), sup(mi("e"), mo("…")))), mo("="),
      frac(mn(said(Math.exp(scores[key]), 2)), mn(said(total, 2))), mo("="), `<mn class="result">${said(Math.exp(scores[key]) / total)}</mn>`),
  ].join("");
}

const hiding = (state) => state.get("hidden").length ? " The network is told which joint a hidden one is, not where: it must infer that from the rest." : "";

export const STAGE = {
  keypoints: {
    title: "Keypoints",
    equation: "the input",
    shape: ({ F, J }) => `${F} × ${J} × 2`,
    says: ({ state }) => `A detector has found 17 joints in every frame. Two numbers each, measured from the middle of the picture; depth is lost.${hiding(state)}`,
    numbers({ take, state, window, center, J }) {
      const joint = state.get("joint");
      const [x, y] = window.subarray((center * J + joint) * 2);
      const [u, v] = [((x + 1) * take.width) / 2, (y * take.width + take.height) / 2];
      return [
        formula(mi("x"), mo("="), frac(row(mn(2), mi("u")), mi("w")), mo("−"), mn(1), mo(","), mi("y"), mo("="), frac(row(mn(2), mi("v"), mo("−"), mi("h")), mi("w"))),
        formula(mi("x"), mo("="), frac(row(mn(2), mo("·"), mn(said(u, 1))), mn(take.width)), mo("−"), mn(1), mo("="), `<mn class="result">${said(x)}</mn>`),
        formula(mi("y"), mo("="), frac(row(mn(2), mo("·"), mn(said(v, 1)), mo("−"), mn(take.height)), mn(take.width)), mo("="), `<mn class="result">${said(y)}</mn>`),
      ].join("");
    },
    tip: ({ state }) => `${Name(state.get("joint"))}, at (u, v) pixels of a picture w wide and h high. Drag it in the picture, or focus the picture and press the arrow keys.`,
  },
  joints: {
    title: "Joint tokens",
    equation: "patch embedding",
    shape: ({ F, J, C }) => `${F} × ${J} × ${C}`,
    says: ({ C, state }) => `A token is a list of numbers that stands for one thing. Each joint gets one: a linear layer makes ${C} numbers of x and y, and a learned position says which joint it is.${hiding(state)}`,
    numbers({ network, state, window, center, J, C, result, isHidden }) {
      const [joint, channel] = [state.get("joint"), state.get("channel")];
      const [x, y] = window.subarray((center * J + joint) * 2);
      const weight = network.tensor("spatial.patch_embedding.weight").data;
      const bias = network.tensor("spatial.patch_embedding.bias").data[channel];
      const position = network.tensor("spatial.position_embedding").data[joint * C + channel];
      const value = result.tokens.embedded[(center * J + joint) * C + channel];
      if (isHidden) return [
        formula(bold("z"), mo("="), mn(0), mo("+"), sub(bold("e"), mt("joint"))),
        formula(mn(0), mo("+"), factor(position), mo("="), `<mn class="result">${said(value)}</mn>`),
      ].join("");
      return [
        formula(bold("z"), mo("="), mi("W"), mo("("), mi("x"), mo(","), mi("y"), mo(")"), mo("+"), bold("b"), mo("+"), sub(bold("e"), mt("joint"))),
        formula(mn(said(weight[2 * channel], 2)), mo("·"), factor(x), mo("+"), factor(weight[2 * channel + 1], 2), mo("·"), factor(y)),
        formula(mo("+"), factor(bias, 2), mo("+"), factor(position, 2), mo("="), `<mn class="result">${said(value)}</mn>`),
      ].join("");
    },
    tip: ({ state, isHidden }) => `${Name(state.get("joint"))}, channel ${state.get("channel")}${isHidden ? ", hidden: W (x, y) + b is left out" : ""}. Click a cell to see its sum. Blue is positive, orange negative.`,
  },
  spatial: {
    title: "Spatial attention",
    equation: "Eq. 2 of the paper",
    shape: ({ J, L, H }) => `${L.spatial} layers × ${H} heads × ${J} × ${J}`,
    says: ({ J, state }) => `Each joint looks at all ${J}. Its row says how much it takes from each, bright for much, one in total; green lines show that on the body. A head is one such map, learned on its own.${hiding(state)}`,
    numbers(moment) {
      const { state, result, center, J, C, H } = moment;
      const [layer, head] = state.get("spatial");
      const scores = scoresOf(result.layers.spatial[layer], center * J, state.get("joint"), J, C, H, head);
      return attentionNumbers(scores, moment.key, "i", "j");
    },
    tip: ({ state, key, spatialRow }) => {
      const [layer, head] = state.get("spatial");
      return `Layer ${layer}, head ${head}: the ${JOINT_NAMES[state.get("joint")]} takes ${said(100 * spatialRow[key], 0)} % from ${key === state.get("joint") ? "itself" : `the ${JOINT_NAMES[key]}`}.`;
    },
  },
  frames: {
    title: "Frame tokens",
    equation: "concatenation",
    shape: ({ F, D }) => `${F} × ${D}`,
    says: ({ J, C, D }) => `The ${J} tokens of a frame are laid side by side: ${J} × ${C} = ${D} numbers are the frame’s one token. A learned position says when it was.`,
    numbers({ state, network, result, query, C, D }) {
      const at = query * D + state.get("joint") * C + state.get("channel");
      const token = result.tokens.joints[at];
      const position = network.tensor("temporal.position_embedding").data[at];
      return [
        formula(sub(bold("Z"), mn(0)), mo("="), mo("["), sup(bold("x"), mn(1)), mo(";"), sup(bold("x"), mn(2)), mo(";"), mo("…"), sup(bold("x"), mi("f")), mo("]"), mo("+"), sub(bold("E"), mt("TPos"))),
        formula(mn(said(token)), mo("+"), factor(position), mo("="), `<mn class="result">${said(token + position)}</mn>`),
      ].join("");
    },
    tip: ({ state, query, C, F }) => `In the box: ${offset(query, F)}, and in it the ${C} numbers of the ${JOINT_NAMES[state.get("joint")]}. Worked out: channel ${state.get("channel")}. Click elsewhere to choose.`,
  },
  temporal: {
    title: "Temporal attention",
    equation: "Eq. 2 of the paper",
    shape: ({ F, L, H }) => `${L.temporal} layers × ${H} heads × ${F} × ${F}`,
    says: ({ F, take }) => `The ${F} frames of the window, ${said((F - 1) / take.fps, 2)} seconds, look at each other in the same way: one frame cannot tell near from far, movement helps. Choose a frame below: the bars are its row.`,
    numbers(moment) {
      const { state, result, F, D, H, query, frameKey } = moment;
      const [layer, head] = state.get("temporal");
      const scores = scoresOf(result.layers.temporal[layer], 0, query, F, D, H, head);
      return attentionNumbers(scores, frameKey, "i", "j");
    },
    tip: ({ state, query, frameKey, temporalRow, F }) => {
      const [layer, head] = state.get("temporal");
      return `Layer ${layer}, head ${head}: ${offset(query, F)} takes ${said(100 * temporalRow[frameKey], 0)} % from ${query === frameKey ? "itself" : offset(frameKey, F)}.`;
    },
  },
  weights: {
    title: "Frame weights",
    equation: "weighted mean",
    shape: ({ F, D }) => `${F} → 1 × ${D}`,
    says: ({ F }) => `One token is left: the mean of the ${F}, with weights that were learned and are the same for every video. They may be negative.`,
    numbers({ state, network, result, query, C, D }) {
      const at = state.get("joint") * C + state.get("channel");
      const bias = network.tensor("head.weighted_mean.bias").data[0];
      return [
        formula(bold("y"), mo("="), sum(mi("f")), sub(mi("w"), mi("f")), sup(bold("z"), mi("f")), mo("+"), mi("b")),
        formula(mo("…"), mo("+"), factor(network.frameWeights[query]), mo("·"), factor(result.tokens.frames[query * D + at]), mo("+"), mo("…")),
        formula(mo("+"), factor(bias), mo("="), `<mn class="result">${said(result.tokens.mean[at])}</mn>`),
      ].join("");
    },
    tip: ({ state, query, F }) => `In numbers: what ${offset(query, F)} adds to channel ${state.get("channel")} of the ${JOINT_NAMES[state.get("joint")]}. Click a bar to choose its frame.`,
  },
  pose: {
    title: "3D pose",
    equation: "regression head",
    shape: ({ J }) => `${J} × 3`,
    says: ({ D, J }) => `A LayerNorm and one linear layer: ${D} numbers become ${J} joints in meters, measured from the hip. Gray is the truth, where it is known.`,
    numbers({ state, result, truth }) {
      const joint = state.get("joint");
      const at = (pose) => [0, 1, 2].map((axis) => pose[3 * joint + axis]);
      return [
        formula(mi("p"), mo("="), mi("W"), mi("LN"), mo("("), bold("y"), mo(")"), mo("+"), bold("b")),
        formula(mi("p"), mo("="), vectorOf(at(result.pose)), mt("\u00a0m")),
        truth ? formula(mi("t"), mo("="), vectorOf(at(truth)), mt("\u00a0m")) : "",
        truth ? formula(mo("|"), mi("p"), mo("−"), mi("t"), mo("|"), mo("="), `<mn class="result">${said(jointErrors(result.pose, truth)[joint], 1)}</mn>`, mt("\u00a0mm")) : "",
      ].join("");
    },
    tip: ({ state, truth }) => `${Name(state.get("joint"))}: p is right, down and away from the camera${truth ? ", t the truth. The bars are the errors of all joints" : ""}.`,
  },
};
