// The explore view's elements. Their names are for those who cannot see them, too.

const thumb = (stage, number, title, shape) => `
  <button type="button" class="stage" data-stage="${stage}" aria-controls="detail" aria-expanded="false">
    <span class="name"><b>${number}</b>${title}</span>
    <canvas data-thumb="${stage}" aria-hidden="true"></canvas>
    <span class="shape">${shape}</span>
  </button>`;

export const page = ({ numFrames: F, numJoints: J, spatialDim: C, temporalDim: D }) => `
<section class="panel flat-panel" aria-label="Keypoints">
  <header>
    <button type="button" class="stage-name" data-stage="keypoints" aria-controls="detail" aria-expanded="false"><b>1</b>Keypoints</button>
    <label class="hide-name"><span>joint</span><select id="joint"></select></label>
  </header>
  <canvas id="flat" tabindex="0" role="application" aria-roledescription="picture of a body" aria-label="The keypoints of this frame. Arrow keys move the chosen joint, with shift faster; N and P choose the next and the previous one, H hides it from the network or shows it again."></canvas>
  <footer>
    <label><input type="checkbox" id="alone"> move in this frame only</label>
    <button type="button" id="hide"></button>
    <button type="button" id="reset">Reset<span class="wide"> joints</span></button>
  </footer>
</section>

<nav class="flow" aria-label="Stages of the network">
  ${thumb("joints", 2, "Joint tokens", `${J} × ${C}`)}
  ${thumb("spatial", 3, "Spatial attention", `${J} × ${J}`)}
  ${thumb("frames", 4, "Frame tokens", `${F} × ${D}`)}
  ${thumb("temporal", 5, "Temporal attention", `${F} × ${F}`)}
  ${thumb("weights", 6, "Frame weights", `${F} → 1`)}
</nav>

<section class="panel space-panel" aria-label="3D pose">
  <header>
    <button type="button" class="stage-name" data-stage="pose" aria-controls="detail" aria-expanded="false"><b>7</b>3D pose</button>
    <span class="legend"><i class="left"></i>left <i class="right"></i>right <i class="truth"></i>truth</span>
  </header>
  <canvas id="space" tabindex="0" role="application" aria-roledescription="3D scene" aria-label="The pose in space. Arrow keys turn it."></canvas>
</section>

<section class="panel detail" id="detail" aria-labelledby="stage-title">
  <header>
    <h2 id="stage-title"></h2>
    <span id="stage-equation"></span>
  </header>
  <p id="stage-says"></p>
  <div class="inside">
    <canvas id="open" tabindex="0" role="application" aria-roledescription="map of numbers"></canvas>
    <div class="explain">
      <div id="heads" role="group" aria-label="Heads of this stage"></div>
      <div id="numbers" aria-label="The equation with the numbers of this moment"></div>
      <p id="stage-tip"></p>
    </div>
  </div>
  <canvas id="film" tabindex="0" role="application" aria-roledescription="strip of film" aria-label="The frames of the window. Arrow keys choose the frame that looks."></canvas>
</section>

<section class="panel tour" id="tour" aria-label="Guided tour"></section>

<section class="panel error" aria-label="Error">
  <p id="error-name"></p>
  <p id="error"></p>
  <p class="bars" aria-hidden="true"><i id="bar-now"></i><i id="bar-before"></i></p>
  <p id="error-change"></p>
  <button type="button" id="all-on">Switch all heads on</button>
  <p id="speed-said"></p>
</section>

<section class="panel timeline" aria-label="Time">
  <button type="button" id="play" class="main">Play</button>
  <label class="hide-name"><span>take</span><select id="take"></select></label>
  <label class="hide-name"><span>speed</span><select id="speed"><option value="1">1 ×</option><option value="0.5" selected>½ ×</option><option value="0.2">⅕ ×</option></select></label>
  <div class="scrub">
    <canvas id="curve" aria-hidden="true"></canvas>
    <input type="range" id="frame" min="0" max="1" aria-label="frame">
  </div>
  <output id="time" for="frame"></output>
  <span id="source"></span>
</section>
<p id="said" class="only-spoken" role="status"></p>`;
