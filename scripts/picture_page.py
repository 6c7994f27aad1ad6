"""Pictures of the page's stages, which notebooks show where they have no kernel, into poseformer_course/page/.

python scripts/picture_page.py

Run it when the page has changed. Needs the extra test and Chromium.
"""

import io
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from chromium import BROWSER_FLAGS, find_browser
from poseformer_course.page import STAGES, explore

ROOT = Path(__file__).resolve().parent.parent
WIDTH, COLORS = 1000, 256  # small enough for a notebook


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as p:
        browser = p.chromium.launch(executable_path=find_browser(), args=BROWSER_FLAGS)
        for stage in STAGES:
            page = browser.new_page(viewport={"width": 1366, "height": 768})
            page.goto(explore(stage=stage).save(Path(folder) / "page.html").as_uri())
            page.wait_for_function("window.poseformer")
            page.evaluate("poseformer.then(view => { window.view = view; })")
            page.wait_for_function("() => view.whole?.errors.every(Number.isFinite)", timeout=120_000)
            picture = Image.open(io.BytesIO(page.screenshot()))
            page.close()
            small = picture.resize((WIDTH, round(WIDTH * picture.height / picture.width)), Image.Resampling.LANCZOS)
            path = ROOT / "poseformer_course" / "page" / f"{stage}.png"
            small.convert("RGB").quantize(COLORS, kmeans=2, dither=Image.Dither.NONE).save(path, optimize=True)
            print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} kB")
        browser.close()


if __name__ == "__main__":
    main()
