// Unpack the numbers; draw the state whenever it changes; let the controls and the mouse change it.

const byId = id => document.getElementById(id);
const page = JSON.parse(byId("contents").textContent);
const controls = byId("controls").elements;
const there = name => name in page.arrays;
const [J, nowhere] = [page.joints.length, [null, null, null]];
const state = {
    frame: 0, layer: 0, head: 0, joint: 0, pinned: false, playing: false, speed: 0.5,
    colours: there("attention") ? "attention" : there("truth") ? "error" : "none",
    truth: there("truth"), trail: 0, view: Object.keys(page.cameras)[0],
};

// ---- numbers

async function unpack({ shape, per, type, data }) {
    const deflated = Uint8Array.from(atob(data), character => character.charCodeAt(0));
    const stream = new Blob([deflated]).stream().pipeThrough(new DecompressionStream("deflate"));
    const bytes = await new Response(stream).arrayBuffer();
    const values = type === "uint8" ? new Uint8Array(bytes) : new Int32Array(bytes);
    const size = values.length / shape[0];
    for (let i = size; i < values.length; i++) values[i] += values[i - size]; // from differences between frames
    return { values, shape, per };
}

/** The J points of an array at the t-th frame. */
function pose({ values, shape: [, , D], per }, t) {
    return page.joints.map((_, j) => Array.from({ length: D }, (_, d) => values[(t * J + j) * D + d] / per));
}

/** The J x J weights of a head at the t-th frame. */
function map({ values, shape: [, L, H] }, t, { layer, head }) {
    const start = ((t * L + layer) * H + head) * J * J, top = page.tops[layer][head];
    return page.joints.map((_, i) => Array.from({ length: J }, (_, j) => values[start + i * J + j] * top / 255));
}

const distance = (a, b) => 1000 * Math.hypot(...a.map((value, axis) => value - b[axis])); // in millimetres
const largestFirst = row => row.map((_, j) => j).sort((a, b) => row[b] - row[a] || a - b);

/** All that is to be drawn for a state. */
function moment(now) {
    const t = Math.round(now.frame / page.every), at = { t, pose: pose(page.arrays.poses, t) };
    if (there("truth")) {
        at.truth = pose(page.arrays.truth, t);
        at.errors = at.pose.map((point, j) => distance(point, at.truth[j]));
    }
    if (there("attention")) {
        at.map = map(page.arrays.attention, t, now);
        at.row = at.map[now.joint];
        at.top = page.tops[now.layer][now.head];
        at.order = largestFirst(at.row);
    }
    return at;
}

// ---- pictures: plotly's traces at a moment, as the live viewers draw them

const lines = (points, pairs) => pairs.flatMap(([a, b]) => [points[a], points[b], nowhere]);
const bones = points => page.sides.map(side => lines(points, side));
const columns = lists => Object.fromEntries(
    ["x", "y", "z"].map((axis, d) => [axis, lists.map(list => list.map(point => point[d]))]));

/** Send plotly what differs from what it was sent before; most of a picture stays as it is. */
const sent = {};

function update(id, change) {
    const before = sent[id] ??= {};
    for (const [key, values] of Object.entries(change)) {
        const texts = values.map(value => JSON.stringify(value));
        change[key] = values.map((value, trace) => texts[trace] === before[key]?.[trace] ? undefined : value);
        before[key] = texts;
        if (change[key].every(value => value === undefined)) delete change[key];
    }
    return Object.keys(change).length && Plotly.restyle(id, change);
}

/** The ends of the limbs over the last frames, path by path, and how old each point is. */
function trails(at, length) {
    const first = Math.max(0, at.t - Math.floor(length / page.every));
    const poses = Array.from({ length: at.t - first + 1 }, (_, age) => pose(page.arrays.poses, first + age));
    const ages = [...poses.map((_, age) => poses.length > 1 ? age / (poses.length - 1) : 0), 1];
    return {
        points: page.leaves.flatMap(joint => [...poses.map(points => points[joint]), nowhere]),
        ages: page.leaves.flatMap(() => ages),
    };
}

/** The look of the joints: weights, errors, or only the one that is looked at. */
function markers(at, now, size) {
    if (now.colours === "attention") {
        const look = { color: at.row, size: at.row.map(weight => 5 + 13 * weight / at.top), symbol: "circle" };
        return { ...look, cmax: at.top, colorscale: page.scales.attention, showscale: false };
    }
    const chosen = page.joints.map((_, j) => j === now.joint), bad = now.colours === "error";
    const share = j => bad ? Math.min(at.errors[j] / page.worst, 1) : 0;
    return {
        color: bad ? at.errors : chosen.map(yes => yes ? page.chosen : "#333333"),
        size: chosen.map((yes, j) => size * (yes ? 2.5 : 1 + share(j))),
        symbol: chosen.map(yes => yes ? "diamond" : "circle"),
        cmax: page.worst, colorscale: page.scales.error, showscale: bad,
    };
}

function drawScene(at, now) {
    const links = now.colours === "attention" ? at.order.filter(j => j !== now.joint).slice(0, 5) : [];
    const trail = trails(at, now.trail);
    const lists = {
        trails: [trail.points],
        truth: now.truth ? bones(at.truth) : page.sides.map(() => [nowhere]),
        "true joints": [now.truth ? at.truth : [nowhere]],
        prediction: bones(at.pose),
        joints: [at.pose],
        links: [lines(at.pose, links.map(j => [now.joint, j]))],
    };
    const traces = byId("scene").data, change = columns(traces.map(({ name }) => lists[name].shift()));
    const only = (wanted, value) => traces.map(({ name }) => name === wanted ? value : undefined); // else kept
    for (const [key, value] of Object.entries(markers(at, now, 6))) change[`marker.${key}`] = only("joints", value);
    const shades = { trails: trail.ages, links: links.flatMap(j => Array(3).fill(at.row[j] / at.row[links[0]])) };
    change["line.color"] = traces.map(({ name }) => shades[name]);
    change.text = only("joints", page.labels.map((label, j) => [label,
        ...(at.map ? [`weight ${at.row[j].toFixed(3)}`] : []),
        ...(at.errors ? [`${page.ofJoint} ${Math.round(at.errors[j])} mm`] : [])].join(", ")));
    change.hovertemplate = only("joints", "%{text}<extra></extra>");
    return update("scene", change);
}

function drawInput(at, now) {
    const points = pose(page.arrays.keypoints, at.t), traces = byId("input").data;
    const { x, y } = columns([...bones(points), points]), change = { x, y };
    const look = { ...markers(at, now, 6), showscale: false };
    for (const [key, value] of Object.entries(look)) {
        change[`marker.${key}`] = traces.map(({ mode }) => mode === "markers" ? value : undefined);
    }
    return update("input", change);
}

function drawHeatmap(at, now) {
    const [top, bottom] = [now.joint - 0.5, now.joint + 0.5];
    const box = [top, top, bottom, bottom, top];
    return update("heatmap", { z: [at.map, undefined], zmax: [at.top, undefined], y: [undefined, box] });
}

function drawCurve(at, now) {
    const traces = byId("curve").data, high = traces[0].y[1];
    const height = [0, traces[0].z[0][now.frame], high];
    return update("curve", { x: [undefined, undefined, Array(3).fill(now.frame)], y: [undefined, undefined, height] });
}

function look([x, y, z]) {
    return Plotly.relayout("scene", { "scene.camera.eye": { x, y, z }, "scene.camera.center": { x: 0, y: 0, z: 0 } });
}

function say(at, now) {
    const name = page.joints[now.joint] + (now.pinned ? " (pinned)" : ""), seconds = (now.frame / page.fps).toFixed(2);
    const bold = text => Object.assign(document.createElement("b"), { textContent: text });
    const caption = (id, first, second) => byId(id).replaceChildren(bold(first), second);
    const truth = page.truth === "truth" ? "the truth" : page.truth;
    const mean = at.errors && at.errors.reduce((sum, error) => sum + error) / J;
    const place = at.pose[now.joint].map(value => value.toFixed(2));
    caption("scene-says",
        `Frame ${now.frame} at ${seconds} s` + (at.errors ? `, ${page.ofPose} ${Math.round(mean)} mm` : ""),
        at.errors ? `${name} is ${Math.round(at.errors[now.joint])} mm from ${truth}`
            : `${name} is at x ${place[0]}, y ${place[1]} and height ${place[2]} m`);
    byId("time").textContent = `${now.frame} at ${seconds} s`;
    if (!at.map) return;
    const most = at.order.slice(0, 3).map(j => `${page.joints[j]}\u00a0${at.row[j].toFixed(2)}`).join(", ");
    caption("heatmap-says", `Attention of spatial layer ${now.layer} head ${now.head}, frame ${now.frame}`,
        `${name} attends most to ${most}`);
}

// ---- drawing what has changed, at most once for each picture of the screen

let drawn = {}, drawing = null;
let turned = null; // while the scene is being turned it stands still: drawing would turn it back
const stale = () => Object.keys(state).some(name => state[name] !== drawn[name]);

async function drawChanges() {
    try {
        while (stale()) {
            await turned;
            await new Promise(requestAnimationFrame);
            const now = { ...state }, at = moment(now);
            const tasks = [drawScene(at, now)];
            if (there("keypoints")) tasks.push(drawInput(at, now));
            if (there("attention")) tasks.push(drawHeatmap(at, now));
            if (there("truth")) tasks.push(drawCurve(at, now));
            if (now.view && now.view !== drawn.view) tasks.push(look(page.cameras[now.view]));
            drawn = now;
            say(at, now);
            await Promise.all(tasks);
        }
    } finally {
        drawing = null;
    }
}

/** Change the state, and with it the controls and the picture; the promise is kept when that is drawn. */
function set(changes) {
    Object.assign(state, changes);
    for (const [name, value] of Object.entries(state)) {
        if (controls[name]) controls[name][typeof value === "boolean" ? "checked" : "value"] = value;
    }
    byId("play").textContent = state.playing ? "pause" : "play";
    if (!drawing && stale()) drawing = drawChanges();
    return drawing;
}

const pointAt = joint => state.pinned || set({ joint });
const pin = joint => set({ joint, pinned: !(state.pinned && joint === state.joint) });

// ---- playing

let clock = null, coming = 0;

function play() {
    clock = { time: performance.now(), frame: null };
    set({ playing: !state.playing });
    cancelAnimationFrame(coming);
    coming = requestAnimationFrame(tick);
}

function tick(time) {
    if (!state.playing) return;
    if (clock.frame !== state.frame) clock.position = state.frame / page.every; // the start, or it was scrubbed
    clock.position += Math.max(0, time - clock.time) / 1000 * page.fps * state.speed / page.every;
    clock.position %= page.frames; // frames are left out where drawing is slow, so that time is right
    clock.time = time;
    clock.frame = Math.floor(clock.position) * page.every;
    set({ frame: clock.frame });
    coming = requestAnimationFrame(tick);
}

// ---- start

function fill(name, pairs) {
    for (const [text, value] of pairs) controls[name].add(new Option(text, value));
}

function listen() {
    const alike = (old, { checked, value }) => ({ boolean: checked, number: Number(value), string: value })[typeof old];
    byId("controls").addEventListener("input", ({ target }) => {
        set({ [target.name]: alike(state[target.name], target) });
    });
    byId("controls").addEventListener("submit", event => event.preventDefault());
    byId("play").addEventListener("click", play);
    const hear = (event, id, trace, act) => byId(id).on?.(`plotly_${event}`, ({ points: [point] }) => {
        if (point.data.name === trace) act(point);
    });
    for (const [event, act] of [["hover", pointAt], ["click", pin]]) {
        hear(event, "scene", "joints", point => act(point.pointNumber));
        hear(event, "input", "joints in the image", point => act(point.pointNumber));
        hear(event, "heatmap", "rows", point => act(point.pointNumber[0]));
    }
    hear("click", "curve", "error", point => set({ frame: nearest(point.x) }));
    byId("scene").addEventListener("pointerdown", holdStill, { capture: true });
    byId("scene").on("plotly_relayout", change => change["scene.camera"] && set({ view: "" })); // turned by hand
}

function holdStill() {
    turned = new Promise(letGo => {
        for (const event of ["pointerup", "pointercancel"]) window.addEventListener(event, letGo, { once: true });
    });
}

/** The frame of the page that is closest to a frame of the motion. */
const nearest = frame => Math.min(page.frames - 1, Math.round(frame / page.every)) * page.every;

async function start() {
    if (typeof DecompressionStream === "undefined") {
        throw new Error("this browser cannot unpack it: Chrome 80, Firefox 113, Safari 16.4 or a newer one can");
    }
    for (const part of document.querySelectorAll("[data-needs]")) {
        part.hidden = !part.dataset.needs.split(" ").some(there);
    }
    for (const place of document.querySelectorAll("[data-says]")) place.textContent = page[place.dataset.says];
    Object.assign(controls.frame, { min: 0, max: (page.frames - 1) * page.every, step: page.every });
    fill("speed", page.speeds.map(speed => [`${speed} x`, speed]));
    fill("joint", page.joints.map((joint, j) => [`${j} ${joint}`, j]));
    fill("view", Object.keys(page.cameras).map(view => [view, view]));
    const colours = { attention: "attention", error: "truth", none: "poses" }; // and what they need
    fill("colours", Object.keys(colours).filter(name => there(colours[name]))
        .map(name => [name === "error" ? page.ofJoint : name, name]));
    fill("layer", (page.tops ?? []).map((_, layer) => [layer, layer]));
    fill("head", (page.tops?.[0] ?? []).map((_, head) => [head, head]));
    for (const name of Object.keys(page.arrays)) page.arrays[name] = await unpack(page.arrays[name]);
    for (const [id, { data, layout }] of Object.entries(page.figures)) {
        await Plotly.newPlot(id, data, layout, { responsive: true, displaylogo: false, scrollZoom: id === "scene" });
    }
    listen();
    await set({});
}

window.poseformerLite = { state, set, page, ready: start() };
window.poseformerLite.ready.catch(error => {
    Object.assign(byId("trouble"), { hidden: false, textContent: `The page cannot be shown: ${error.message}.` });
    throw error; // for the console
});
