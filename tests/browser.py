"""Debian's Chromium without a screen, driven as a person would: the page's tests look at it through its eyes."""

import base64
import json
import shutil
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import pytest
from selenium.common import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver import ActionChains, Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.broker import eventually

CHROMIUM, DRIVER = "chromium", "chromedriver"
INSTALL = "apt-get install chromium chromium-driver fonts-inter"

SECONDS = 120.0
"""Machines are busy, and a page may need a while."""

DESK, PHONE = (1280, 860), (360, 740)
"""Widths and heights, in CSS pixels."""

OPTIONS = (
    "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--no-first-run", "--autoplay-policy=no-user-gesture-required", "--mute-audio",
    "--force-color-profile=srgb", "--hide-scrollbars", "--no-proxy-server",
)  # fmt: skip


class Browser:
    """One window; a `with` ends it. What it says is kept, and when it is `watched` also whom it asks for what."""

    def __init__(self, address: str, folder: Path, *, watched: bool = False) -> None:
        """`address` is that of the page, `folder` for what a browser leaves behind."""
        programs = [shutil.which(name) for name in (CHROMIUM, DRIVER)]
        if None in programs:
            pytest.skip(f"no {CHROMIUM} or no {DRIVER}; install them with: {INSTALL}")
        self.address = address
        options = ChromeOptions()
        options.binary_location = str(programs[0])
        for option in (*OPTIONS, f"--user-data-dir={folder / 'chromium'}"):
            options.add_argument(option)
        logs = {"browser": "ALL"} | ({"performance": "ALL"} if watched else {})
        options.set_capability("goog:loggingPrefs", logs)
        service = ChromeService(
            str(programs[1]), env={"HOME": str(folder), "TZ": "Europe/Berlin", "LANG": "en_GB.UTF-8"}
        )
        self.driver = Chrome(options, service)

    def open(self, view: str = "now", size: tuple[int, int] = DESK, *, dark: bool = False, still: bool = False) -> None:
        """A view of the page, in a window of a size, for eyes that like it dark or without motion."""
        width, height = size
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.command("Emulation.setDeviceMetricsOverride", metrics)
        wishes = {
            "prefers-color-scheme": "dark" if dark else "light",
            "prefers-reduced-motion": "reduce" if still else "",
        }
        features = [{"name": name, "value": value} for name, value in wishes.items()]
        self.command("Emulation.setEmulatedMedia", {"features": features})
        self.driver.get("about:blank")  # or a change of what comes after # would load nothing
        self.driver.get(f"{self.address}/#{view}")

    def command(self, name: str, settings: dict[str, Any] | None = None) -> Any:
        """One of the DevTools protocol."""
        return self.driver.execute_cdp_cmd(name, settings or {})

    def run(self, script: str, *arguments: object) -> Any:
        """What the script returns in the page; one that waits for something must not be left by a new page."""
        if "await" not in script:
            return self.driver.execute_script(f"const given = arguments; {script}", *arguments)
        done = "const done = arguments[arguments.length - 1];"
        whole = f"{done} (async (...given) => {{ {script} }})(...arguments).then(done, (error) => done('' + error));"
        return self.driver.execute_async_script(whole, *arguments)

    def all(self, selector: str) -> int:
        """How many there are."""
        return int(self.run("return document.querySelectorAll(given[0]).length", selector))

    def text(self, selector: str) -> str:
        """That of the first, or nothing, in this moment: the next one's document may be another."""
        return str(self.run("return document.querySelector(given[0])?.innerText ?? ''", selector))

    def attribute(self, selector: str, name: str) -> str | None:
        """That of the first, in this moment."""
        found = self.run("return document.querySelector(given[0])?.getAttribute(given[1])", selector, name)
        return None if found is None else str(found)

    def shows(self, selector: str) -> None:
        """Wait until there is one."""
        self.wait(lambda: self.all(selector))

    def reads(self, selector: str, text: str) -> None:
        """Wait until the first says so."""
        self.wait(lambda: text in self.text(selector))

    def click(self, selector: str) -> None:
        """With the mouse, as soon as there is one; it may be made anew in the middle of it."""

        def clicked() -> bool:
            try:
                self.driver.find_element(By.CSS_SELECTOR, selector).click()
            except (NoSuchElementException, StaleElementReferenceException):
                return False
            return True

        self.wait(clicked)

    def wait(self, condition: Callable[[], object]) -> None:
        eventually(condition, SECONDS)

    def press(self, *keys: str) -> None:
        """Keys, wherever the focus is."""
        ActionChains(self.driver).send_keys(*keys).perform()

    def complaints(self) -> list[str]:
        """What the console said since the last time, without mere talk."""
        return [str(entry["message"]) for entry in self._log("browser") if entry["level"] in ("SEVERE", "WARNING")]

    def hosts(self) -> set[str]:
        """Whom it asked for anything since the last time; it has to be watched."""
        asked = list[str]()
        for entry in self._log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                asked.append(message["params"]["request"]["url"])
            elif message["method"] in ("Network.webSocketCreated", "Network.webTransportCreated"):
                asked.append(message["params"]["url"])
        return {urlsplit(url).netloc for url in asked if url.startswith(("http", "ws"))}

    def violations(self) -> list[str]:
        """What axe-core finds that shuts people out, one line each."""
        axe = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
        self.driver.execute_script(axe)
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
        found = self.run("return (await axe.run(document, {runOnly: given[0]})).violations", tags)
        return [f"{each['id']}: {each['help']}: {node['html']}" for each in found for node in each["nodes"]]

    def picture(self, path: Path) -> None:
        """The window, as PNG."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(self.command("Page.captureScreenshot", {"format": "png"})["data"]))

    def _log(self, kind: str) -> list[dict[str, Any]]:
        return list(self.driver.get_log(kind))  # type: ignore[no-untyped-call]

    def __enter__(self) -> Self:
        self.driver.set_script_timeout(SECONDS)
        return self

    def __exit__(self, *exc: object) -> None:
        self.driver.quit()


ESCAPE, ENTER, TAB = Keys.ESCAPE, Keys.ENTER, Keys.TAB
