"""A camera or a video file, lifted as it comes and shown in the browser: the frame, and the skeleton beside it."""

import base64
import io
import json
import queue
import sys
import threading
import time
import webbrowser
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
from matplotlib.image import imsave

from poseformer_lite.camera import z_up
from poseformer_lite.lifting.blazepose import BlazePose
from poseformer_lite.lifting.live import LiveLifter
from poseformer_lite.lifting.video import read_video
from poseformer_lite.model.base import LiftingNetwork
from poseformer_lite.skeleton import H36M17

DRIVERS = {"darwin": ("avfoundation", "{}"), "win32": ("dshow", "video={}")}  # FFmpeg's, and how it names a camera
LARGEST = 640  # pixels of the longer side of a frame in the page


def show_live(source: str, model: LiftingNetwork, look_ahead: int = 3, port: int = 0, browser: bool = True) -> None:
    """Lift a camera, given by its number, or a video file, until it ends or Ctrl-C, once a page is open to watch it.

    The page is served to this machine alone, and nothing is stored. Where lifting is slower than a camera, frames are
    left out; a file waits. Raises ValueError where there is no such camera, and as `read_video` and `BlazePose` do.
    """
    frames, detector, lifter = read_camera(source) if source.isdigit() else read_video(source), BlazePose(1), None
    with ThreadingHTTPServer(("127.0.0.1", port), _Handler) as server:
        server.event, server.watched, server.over = "", threading.Event(), False
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/"
        print(f"open {address} in a browser on this machine; Ctrl-C ends", flush=True)
        with suppress(KeyboardInterrupt):
            if browser:
                webbrowser.open(address)
            while not server.watched.wait(0.2):  # an endless wait would keep Ctrl-C waiting on Windows
                pass
            start = time.monotonic()
            for seconds, image in frames:
                time.sleep(0 if source.isdigit() else max(0.0, start + seconds - time.monotonic()))
                began, (height, width) = time.monotonic(), image.shape[:2]
                lifter = lifter or LiveLifter(model, width, height, detector.layout, look_ahead)
                people = detector(image, seconds)
                poses = lifter.push(people[0] if len(people) else None, seconds)
                event = {"image": _jpeg(image), "size": [width, height]}
                if poses and len(people):
                    of, pose = poses[-1]
                    pose = z_up(pose) - (0, 0, z_up(pose)[:, 2].min())
                    event |= {"pose": pose.round(3).tolist(), "joints": lifter.joints.astype(int).tolist()}
                    event |= {"seconds": of, "delay": round(1000 * (seconds - of + time.monotonic() - began))}
                server.event = json.dumps(event)
        server.over = True
        server.shutdown()
    print("ended")


def read_camera(number: str) -> Iterator[tuple[float, np.ndarray]]:
    """The newest frames of a camera, as `read_video` gives them. Raises ValueError where it cannot be opened."""
    try:
        import av

        driver, name = DRIVERS.get(sys.platform, ("v4l2", "/dev/video{}"))
        if driver == "dshow":  # it knows cameras by their names alone
            found = [device.name for device in av.enumerate_input_devices(driver) if "video" in device.media_types]
            number = found[int(number)]
        container = av.open(name.format(number), format=driver, options={"framerate": "30", "video_size": "640x480"})
    except (ImportError, OSError, ValueError, AttributeError, IndexError) as error:
        raise ValueError(
            f"camera {number} cannot be opened ({error}): is it there, allowed, and not in use, and PyAV installed "
            "(pip install 'poseformer-lite[video]')? Other cameras have other numbers; a video file works, too"
        ) from error
    newest: queue.Queue = queue.Queue(maxsize=1)

    def read() -> None:
        while True:
            try:
                for frame in container.decode(video=0):
                    with suppress(queue.Empty):
                        newest.get_nowait()
                    newest.put((frame.time, frame.to_ndarray(format="rgb24")))
            except BlockingIOError:  # a Mac's camera has no frame yet
                time.sleep(0.005)
            except OSError:  # it was unplugged
                return newest.put(None)

    threading.Thread(target=read, daemon=True).start()
    return iter(newest.get, None)


def _jpeg(image: np.ndarray) -> str:
    step = -(-max(image.shape) // LARGEST)
    imsave(stream := io.BytesIO(), np.ascontiguousarray(image[::step, ::step]), format="jpg")
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode()


class _Handler(BaseHTTPRequestHandler):
    """Gives the page, and to the page the newest event whenever there is a new one."""

    def do_GET(self) -> None:
        if self.headers["Host"] not in [f"{name}:{self.server.server_port}" for name in ("127.0.0.1", "localhost")]:
            return self.send_error(403)  # a site that has this machine's address behind a name of its own
        if self.path not in ("/", "/events"):
            return self.send_error(404)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream" if self.path == "/events" else "text/html; charset=utf-8")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        with suppress(ConnectionError):  # the page was closed
            if self.path == "/":
                bones = json.dumps([[*bone, H36M17.side(bone[1])] for bone in H36M17.bones])
                page = Path(__file__).with_name("live.html").read_text(encoding="utf-8")
                self.wfile.write(page.replace("BONES", bones).encode())
                return
            self.server.watched.set()
            sent = ""
            while not self.server.over:
                if (event := self.server.event) is not sent:
                    self.wfile.write(f"data: {event}\n\n".encode())
                    sent = event
                time.sleep(0.005)

    def log_message(self, *_) -> None:
        """Nothing: the page asks often."""
