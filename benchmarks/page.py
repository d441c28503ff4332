"""How soon the page can be used, how evenly it moves, and what one real viewer costs the daemon.

    python -m benchmarks.page [--loads 15]

Debian's Chromium without a screen and without a graphics processor; `4x` is its own slow-down of the processor, as in
Lighthouse's profile of a phone. Wanted: usable within 1 s at 4x; a viewer under 2 % of a core.
"""

import argparse
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.process import Process
from tests.browser import DESK, PHONE, Browser
from tests.web.screenshots import street_box

WATCHED_SECONDS = 20.0
FRAMES = """
    const began = performance.now();
    let frames = 0;
    while (performance.now() - began < 4000) { await new Promise(requestAnimationFrame); frames++; }
    return frames / 4;
"""


def main() -> None:
    """Print a line for each measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--loads", type=int, default=15)
    loads: int = parser.parse_args().loads
    with TemporaryDirectory() as name, street_box(Path(name)) as street:
        process = Process(street.process)
        alone = share(process)
        with Browser(street.address, Path(name)) as browser:
            browser.command("Network.setCacheDisabled", {"cacheDisabled": True})
            for size, rate in ((DESK, 1), (PHONE, 4)):
                browser.command("Emulation.setCPUThrottlingRate", {"rate": rate})
                seconds = [usable(browser, size) for _ in range(loads)]
                print(f"{rate}x: usable after {told(seconds)}; {browser.run(FRAMES):.0f} pictures a second")
            browser.command("Emulation.setCPUThrottlingRate", {"rate": 1})
            print(f"daemon: {alone:.1%} of a core alone, {share(process):.1%} with one viewer")
            sizes = browser.run("return performance.getEntriesByType('resource').map((each) => each.transferSize)")
            print(f"first view: {sum(sizes) / 1000:.0f} kB in {len(sizes)} answers")


def usable(browser: Browser, size: tuple[int, int]) -> float:
    """Seconds from the address to a page that shows what is heard, and can be used."""
    browser.open("now", size)
    browser.wait(lambda: browser.run("return performance.getEntriesByName('usable').length"))
    return float(browser.run("return performance.getEntriesByName('usable')[0].startTime")) / 1000.0


def share(process: Process) -> float:
    """Of a core."""
    before = process.cpu
    time.sleep(WATCHED_SECONDS)
    return (process.cpu - before) / WATCHED_SECONDS


def told(seconds: list[float]) -> str:
    """In words."""
    return f"{statistics.median(seconds):.2f} s (median; {min(seconds):.2f} to {max(seconds):.2f})"


if __name__ == "__main__":
    main()
