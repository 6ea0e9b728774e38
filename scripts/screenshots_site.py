"""Pictures of an exported site for the documentation: desktop and phone.

    python scripts/screenshots_site.py SITE [--seeds 30,56,...] [--out docs/images]

The first seed is the image that is shown, the others lie among those drawn before it. Writes
site_desktop.webp (light) and site_phone.webp (dark). Needs playwright and Debian's chromium.
"""

import argparse
import io
import os
import shutil
import threading
from pathlib import Path

from PIL import Image

from tfanime.export.web.server import server

DRAWN = ".frame:not(.busy) canvas"
SEEDS = "22,15,4,13,21,10,0"  # of faces-128


def store(page, path: Path) -> None:
    with Image.open(io.BytesIO(page.screenshot())) as image:
        image.convert("RGB").save(path, quality=88, method=6)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("site", type=Path)
    parser.add_argument("--seeds", default=SEEDS, help="chosen by eye, separated by commas")
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    arguments = parser.parse_args()
    from playwright.sync_api import sync_playwright

    with server(arguments.site, 0) as running, sync_playwright() as driver:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{running.server_port}/"
        first, *others = arguments.seeds.split(",")
        program = os.environ.get("CHROMIUM") or shutil.which("chromium")
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])

        def visit(**options):
            page = browser.new_context(locale="en-US", **options).new_page()
            page.set_default_timeout(300_000)
            for i, seed in enumerate([*reversed(others), first], 1):
                page.goto(f"{address}#seed={seed}")
                page.wait_for_selector(f".history li:nth-child({i})")
                page.wait_for_selector(DRAWN)
            page.wait_for_selector(".status[data-offline=true]")
            page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
            page.wait_for_timeout(500)
            page.get_by_text("Enlarging…").wait_for(state="detached")
            return page

        page = visit(viewport={"width": 1280, "height": 1040}, color_scheme="light")
        store(page, arguments.out / "site_desktop.webp")
        phone = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2}
        store(visit(**phone, color_scheme="dark"), arguments.out / "site_phone.webp")
        browser.close()
        running.shutdown()


if __name__ == "__main__":
    main()
