"""Pictures of an exported site for the documentation: desktop and phone.

    python scripts/screenshots_site.py SITE [--seed 0] [--out docs/images]

Writes site_desktop.png (light) and site_phone.png (dark). Needs playwright and Debian's chromium.
"""

import argparse
import os
import shutil
import threading
from pathlib import Path

from tfanime.export.web.server import server

DRAWN = ".frame:not(.busy) canvas"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("site", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tags", default="hair=purple")
    parser.add_argument("--faces", type=int, default=7, help="pictures in the strip below")
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    arguments = parser.parse_args()
    from playwright.sync_api import sync_playwright

    with server(arguments.site, 0) as running, sync_playwright() as driver:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{running.server_port}/#seed={arguments.seed}&{arguments.tags}"
        program = os.environ.get("CHROMIUM") or shutil.which("chromium")
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])

        def visit(**options):
            page = browser.new_context(locale="en-US", **options).new_page()
            page.set_default_timeout(300_000)
            page.goto(address)
            page.wait_for_selector(DRAWN)
            for _ in range(arguments.faces - 1):
                page.locator(".main").click()
                page.wait_for_selector(DRAWN)
            page.locator(".history li:last-child .tile").click()
            page.wait_for_selector(".status[data-offline=true]")
            page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
            page.wait_for_timeout(500)
            return page

        page = visit(viewport={"width": 1280, "height": 900}, color_scheme="light")
        page.screenshot(path=arguments.out / "site_desktop.png")
        phone = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2}
        visit(**phone, color_scheme="dark").screenshot(path=arguments.out / "site_phone.png")
        browser.close()
        running.shutdown()


if __name__ == "__main__":
    main()
