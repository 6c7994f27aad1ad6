"""The moving picture of the page in live/.

    make live && python figures/live_page.py

Writes live_page.gif: a wrist is dragged, a head is switched off, and time passes. It drives Chromium.
"""

import io
import math
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
from chromium import BROWSER_FLAGS, find_browser  # noqa: E402

SIZE = {"width": 1280, "height": 740}
WIDTH = 720  # pixels of the GIF
PALETTE_SIZE = 64
SWATCH = 60  # pixels
COLORS = ("#0072b2", "#d55e00", "#b3467f", "#009e73", "#d0d0cd", "#fde725", "#f4f2ee")  # of live/src/style.css
DRAGGED, PLAYED = 10, 7  # frames of the GIF
MILLISECONDS = 160
SET = """values => {
    view.settle = () => {}; // the curve stays as it is
    view.state.set(values);
    view.draw();
}"""


def main() -> None:
    pictures = []
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=find_browser(), args=BROWSER_FLAGS)
        page = browser.new_page(viewport=SIZE)
        page.set_default_timeout(300_000)
        page.goto((ROOT / "build/live/explore.html").as_uri(), wait_until="commit")
        page.wait_for_selector("#explore:not([hidden])")
        page.evaluate("poseformer.then(view => { window.view = view; })")
        page.wait_for_function("() => view.whole?.errors.every(Number.isFinite)")

        def take(**values) -> None:
            page.evaluate(SET, values)
            image = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
            pictures.append(image.resize((WIDTH, round(WIDTH * image.height / image.width)), Image.Resampling.LANCZOS))

        for step in range(DRAGGED):
            lift = math.sin(math.pi * step / DRAGGED) ** 2
            take(moves=[["16", [-0.08 * lift, -0.22 * lift]]], stage="spatial")
        for step in range(PLAYED):
            take(moves=[], stage="temporal", frame=60 + 3 * step, off=["temporal layer 0 head 1"] if step > 3 else [])
        browser.close()
    write_gif(pictures, Path(__file__).with_suffix(".gif"))


def write_gif(pictures: list[Image.Image], path: Path) -> None:
    """One palette for all frames and no dithering, so that what stands still costs nothing."""
    width, height = pictures[0].size
    together = Image.new("RGB", (width, 2 * height + SWATCH))
    together.paste(pictures[0])
    together.paste(pictures[-1], (0, height))
    for number, color in enumerate(COLORS):  # they are few pixels, and would be lost among the heatmaps'
        together.paste(color, (number * SWATCH, 2 * height, (number + 1) * SWATCH, 2 * height + SWATCH))
    palette = together.quantize(PALETTE_SIZE, method=Image.Quantize.MEDIANCUT)
    flat = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
    flat[0].save(path, save_all=True, append_images=flat[1:], duration=MILLISECONDS, loop=0, optimize=False)
    print(f"{path.name}: {len(flat)} frames, {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
