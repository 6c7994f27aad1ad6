// Ten short steps that lead a newcomer through. Each one opens a stage, says one thing, and asks for one deed.

/**
 * done: whether the deed is done, of the state and of what it was when the step began; show: the state a step begins with.
 * @type {{title: string, text: string, task: string, show: object, done: (now: (name: string) => any, then: object) => boolean}[]}
 */
export const STEPS = [
  {
    title: "A person, without depth",
    text: "A detector found 17 joints in each frame of a video. The network sees nothing else: no picture, only these points. On the right is what it makes of them, in 3D.",
    task: "Turn the 3D pose: drag it, or use its arrow keys.",
    show: { stage: "keypoints" },
    done: (now, then) => String(now("turn")) !== String(then.turn),
  },
  {
    title: "Move a joint",
    text: "All that you see is worked out again at every movement, in this page. The gray body on the right is the truth; the number below says how far off the network is.",
    task: "Drag the right wrist, the dashed arm’s end, and watch.",
    show: { stage: "keypoints", joint: 16 },
    done: (now) => now("moves").length > 0,
  },
  {
    title: "Joints become tokens",
    text: "Two numbers are too few to think with. A linear layer makes 16 of them. All joints share it, so a learned position is added that tells a wrist from a knee.",
    task: "Click one cell to see its sum.",
    show: { stage: "joints" },
    done: (now, then) => now("channel") !== then.channel,
  },
  {
    title: "Joints look at each other",
    text: "Each joint asks all 17: who matters to me? The answers are a row of the map, and the green lines on the body. To place a wrist, one has to know the elbow.",
    task: "Choose a different joint and see whom it asks.",
    show: { stage: "spatial", key: -1 },
    done: (now, then) => now("joint") !== then.joint,
  },
  {
    title: "Heads have different tastes",
    text: "Attention happens four times side by side, in two layers. Some heads look at one joint only, others spread out. Nobody told them to: training did.",
    task: "Choose a different head.",
    show: { stage: "spatial" },
    done: (now, then) => String(now("spatial")) !== String(then.spatial),
  },
  {
    title: "A frame is one token",
    text: "Now the 17 tokens of a frame are laid side by side. From here on the network does not see joints any more, only 27 frames of 272 numbers each.",
    task: "Choose a different joint: the frame on the map says where it went.",
    show: { stage: "frames" },
    done: (now, then) => now("joint") !== then.joint,
  },
  {
    title: "Frames look at each other",
    text: "The same attention again, over time. One frame cannot tell whether an arm points at us or away. Half a second of them can.",
    task: "Choose a frame in the strip of film.",
    show: { stage: "temporal", query: -1, frameKey: -1 },
    done: (now, then) => now("query") !== then.query,
  },
  {
    title: "One pose from 27 frames",
    text: "A weighted mean leaves one token. Its weights are the same for every video: they were learned once. Then one linear layer says 51 numbers: 17 joints in space.",
    task: "Open the last stage, 3D pose.",
    show: { stage: "weights" },
    done: (now) => now("stage") === "pose",
  },
  {
    title: "Mislead it",
    text: "Move a joint in a single frame, and in 3D it goes a quarter of the way at most: 26 other frames disagree. Move it in all frames, and the network has to believe you.",
    task: "Tick “this frame only” and drag a joint far away.",
    show: { stage: "temporal", moves: [] },
    done: (now) => now("moves").some(([where]) => where.includes("@")),
  },
  {
    title: "Switch heads off",
    text: "A head that looks busy may not be needed, and a dull one may carry the pose. Attention is where a head looks, not what it is worth. The error is the judge.",
    task: "Switch off heads until the error doubles. Then send somebody the link.",
    show: { stage: "temporal", moves: [], alone: false },
    done: (now) => now("off").length > 0,
  },
];
