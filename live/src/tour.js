// Ten short steps that lead a newcomer through. Each one opens a stage, says one thing, and asks for one deed.

/**
 * done: whether the deed is done, of the state and of what it was when the step began; show: the state a step begins with;
 * look: the part of the view that the step is about, where not all of it fits into the window; {F}, {D} and {F-1} stand for what
 * the network has: frames in a window, numbers in the token of one, and other frames.
 * @type {{title: string, text: string, task: string, show: object, look: string, done: (now: (name: string) => any, then: object) => boolean}[]}
 */
export const STEPS = [
  {
    title: "A person, without depth",
    text: "A detector found 17 joints in each frame of a video. The network sees nothing else: no picture, only these points. On the right is what it makes of them, in 3D.",
    task: "Turn the 3D pose: drag it, or use its arrow keys.",
    show: { stage: "keypoints" },
    look: ".flat-panel",
    done: (now, then) => String(now("turn")) !== String(then.turn),
  },
  {
    title: "Move a joint",
    text: "All that you see is worked out again at every movement, in this page. The gray body on the right is the truth; the number below says how far off the network is.",
    task: "Drag the right wrist, the dashed arm’s end, and watch.",
    show: { stage: "keypoints", joint: 16, hidden: [] },
    look: ".flat-panel",
    done: (now) => now("moves").length > 0,
  },
  {
    title: "Joints become tokens",
    text: "A transformer works on tokens, lists of numbers that each stand for one thing: here a joint. A linear layer makes 16 numbers of x and y. All joints share it, so a learned position is added that tells a wrist from a knee.",
    task: "Click one cell to see its sum.",
    show: { stage: "joints", moves: [] },
    look: ".flow",
    done: (now, then) => now("channel") !== then.channel,
  },
  {
    title: "Joints look at each other",
    text: "Each joint asks all 17: who matters to me? The answers are a row of the map, bright for much, and the green lines on the body. Whom to ask was learned; it is often not the neighbor.",
    task: "Click a different row and see whom that joint asks.",
    show: { stage: "spatial", key: -1 },
    look: ".flow",
    done: (now, then) => now("joint") !== then.joint,
  },
  {
    title: "Heads have different tastes",
    text: "A head is one such map. Four work side by side in each of two layers, L0 and L1. In some, all rows are alike, whichever joint looks; in others legs look at legs, and the head at the head. Nobody programmed that: it was learned.",
    task: "Click a different small map.",
    show: { stage: "spatial" },
    look: "#heads",
    done: (now, then) => String(now("spatial")) !== String(then.spatial),
  },
  {
    title: "A frame is one token",
    text: "Now the 17 tokens of a frame are laid side by side. From here on the network sees no joints any more, only {F} frames of {D} numbers each.",
    task: "Click elsewhere in the map: the box shows a joint’s numbers in a frame.",
    show: { stage: "frames" },
    look: ".flow",
    done: (now, then) => ["joint", "query", "channel"].some((name) => now(name) !== then[name]),
  },
  {
    title: "Frames look at each other",
    text: "The same attention again, over time. One frame cannot tell whether an arm points at us or away; how it moves in the frames around helps to.",
    task: "Choose a frame in the strip of film.",
    show: { stage: "temporal", query: -1, frameKey: -1 },
    look: "#film",
    done: (now, then) => now("query") !== then.query,
  },
  {
    title: "One pose from {F} frames",
    text: "A weighted mean leaves one token. Its weights are the same for every video: they were learned once. Then one linear layer gives 51 numbers: 17 joints in space.",
    task: "Open the last stage, 3D pose.",
    show: { stage: "weights" },
    look: ".flow",
    done: (now) => now("stage") === "pose",
  },
  {
    title: "Mislead it",
    text: "Move a joint in a single frame, and in 3D it mostly goes less than a quarter of the way: {F-1} other frames disagree. Move it in all frames, and the network mostly follows.",
    task: "Tick “move in this frame only” and drag a joint far away.",
    show: { stage: "temporal", moves: [], hidden: [] },
    look: ".flat-panel",
    done: (now) => now("moves").some(([where]) => where.includes("@")),
  },
  {
    title: "Switch heads off",
    text: "A head that looks busy may not be needed, and a dull one may carry the pose. Attention is where a head looks, not what it is worth. The error is the judge.",
    task: "Which head does the error need most? Switch some off, below their maps. “Copy link” keeps it all.",
    show: { stage: "temporal", moves: [], alone: false },
    look: "#heads",
    done: (now) => now("off").length > 0,
  },
];
