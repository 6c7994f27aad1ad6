// Where frames come from: a camera, or a film. And what to say where none come.

/** Said to the user as it is. */
export class Trouble extends Error {}

const CAMERA_TROUBLES = {
  NotAllowedError: "The camera was not allowed. Allow it in the browser's address bar and try again, or choose a video.",
  NotFoundError: "No camera was found. Connect one and try again, or choose a video.",
  NotReadableError: "The camera is in use by a different program. Close that and try again, or choose a video.",
};
const NO_CAMERA_HERE =
  "The browser gives no camera to this page: it does so for https, localhost and pages opened from disk. A video works.";
const SLOWEST = 1 / 16; // of a film's own speed, as far as browsers go
const SHORTEST = 1 / 120; // seconds between two frames, whatever a film says
const SPARE = 0.8; // of the time between two frames that may be used

export class Source {
  /** @param {HTMLVideoElement} video in the page @param {() => void} ended is called when a camera is taken away */
  constructor(video, ended) {
    Object.assign(this, { video, ended });
  }

  async openCamera() {
    this.close();
    if (!navigator.mediaDevices?.getUserMedia) throw new Trouble(NO_CAMERA_HERE);
    const { opened } = this;
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 640 } }, audio: false });
    } catch (error) {
      throw new Trouble(CAMERA_TROUBLES[error.name] ?? `The camera cannot be used: ${error.message}.`);
    }
    if (opened !== this.opened) {
      stop(stream);
      throw new Trouble("Something else was opened before the camera was allowed.");
    }
    this.stream = stream;
    this.stream.getVideoTracks()[0].addEventListener("ended", this.ended);
    this.video.srcObject = this.stream;
    await this.start();
    this.kind = "camera";
  }

  /** @param {Blob} file a film @param {string} name of it */
  async openFile(file, name) {
    this.close();
    const { opened } = this;
    this.address = URL.createObjectURL(file);
    this.video.src = this.address;
    try {
      await this.start();
    } catch {
      if (opened === this.opened) this.close();
      throw new Trouble(`${name} cannot be played by this browser. H.264 in .mp4 and VP9 in .webm can, nearly everywhere.`);
    }
    this.kind = "film";
  }

  async start() {
    this.step = Infinity; // seconds between two frames of the film
    this.cost = 0; // seconds that a frame takes
    this.time = null;
    await this.video.play();
    if (!this.video.videoWidth) throw new Trouble("The video has no picture.");
  }

  run(running) {
    if (running) this.video.play().catch(() => {}); // something else was opened meanwhile
    else this.video.pause();
  }

  /** Back to a film's beginning. */
  rewind() {
    if (this.kind === "film") this.video.currentTime = 0;
  }

  close() {
    this.video.pause();
    if (this.stream) stop(this.stream);
    if (this.address) URL.revokeObjectURL(this.address);
    Object.assign(this, { stream: null, address: null, kind: null, opened: {} }); // whatever is still asked for comes too late
    this.video.removeAttribute("src");
    this.video.srcObject = null;
  }

  get size() {
    return { width: this.video.videoWidth, height: this.video.videoHeight };
  }

  /** The time of the next frame, seconds, once it is there to be drawn. */
  next() {
    return new Promise((resolve) => {
      const arrived = (now, frame) => {
        const seconds = this.kind === "camera" ? now / 1000 : (frame?.mediaTime ?? this.video.currentTime);
        if (this.time !== null && seconds > this.time) this.step = Math.min(this.step, Math.max(SHORTEST, seconds - this.time));
        this.time = seconds;
        resolve(seconds);
      };
      if (this.video.requestVideoFrameCallback) this.video.requestVideoFrameCallback(arrived);
      else requestAnimationFrame(arrived);
    });
  }

  /** Slow a film down, so that none of its frames is left out, or let it run. @param {number} milliseconds a frame took */
  pace(milliseconds, everyFrame) {
    this.cost += (this.cost ? 0.2 : 1) * (milliseconds / 1000 - this.cost);
    const rate = everyFrame ? Math.min(1, Math.max(SLOWEST, (SPARE * this.step) / this.cost)) : 1;
    if (this.kind === "film" && Math.abs(rate / this.video.playbackRate - 1) > 0.05) this.video.playbackRate = rate;
  }
}

const stop = (stream) => stream.getTracks().forEach((track) => track.stop());
