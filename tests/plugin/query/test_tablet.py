"""The tablet's page in a real browser: faders, switches and buttons play the show, and follow it."""

from collections.abc import Iterator
from pathlib import Path

import av
import pytest

from sonorama.engine.control.live_table import SHOW
from sonorama.plugin.bridges.query.bridge import QueryBridge

from ...export.study.browser import Browser
from ..midi.controls import Show

SHIFT_RIGHT = "\ue014"

BUILD = Path(__file__).parents[3] / "build" / "ui"


@pytest.fixture
def running() -> Iterator[tuple[QueryBridge, Show]]:
    bridge, show = QueryBridge("port=0"), Show()
    bridge.start(show)
    yield bridge, show
    bridge.stop()


def open_group(browser: Browser, name: str) -> None:
    browser.script(
        "[...document.querySelectorAll('nav button')].find(one => one.textContent === arguments[0]).click()", name
    )


def at(path: str, inside: str = "") -> str:
    return f'[data-address="/sonorama{path}"] {inside}'


def test_a_show_is_played_from_the_page(running: tuple[QueryBridge, Show], tmp_path: Path) -> None:
    bridge, show = running
    with Browser(tmp_path, (1024, 768)) as browser:
        browser.open(str(bridge.facts["query_page"]))
        browser.wait("document.querySelector('#state').textContent === 'live'")
        groups = browser.script("return [...document.querySelectorAll('nav button')].map(one => one.textContent)")
        assert set(groups) == {path.split("/")[1] for path in SHOW}
        open_group(browser, "look")

        browser.script(f"document.querySelector('{at('/look/drift', 'input')}').focus()")
        for _ in range(5):
            browser.press(SHIFT_RIGHT)
        browser.wait(lambda: show.values["/look/drift"] == pytest.approx(0.005, abs=1e-6))
        show.set("/look/drift", 0.5)
        browser.wait(f"document.querySelector('{at('/look/drift', 'output')}').textContent === '0.5'")
        assert browser.script(f"return document.querySelector('{at('/look/drift', 'input')}').value") == "500"
        browser.keys(at("/look/text", "input"), "a storm\n")
        browser.wait(lambda: show.values["/look/text"] == "a storm")

        open_group(browser, "scene")
        browser.click(at("/scene/recall", ".slots button"), 2)
        browser.wait(lambda: [one.value for one in show.posted if one.path == "/scene/recall"] == [3])
        browser.click("#safety .stop", 0)
        browser.wait(lambda: show.values["/out/blackout"] is True)
        show.set("/out/blackout", False)
        browser.wait("document.querySelector('#safety .stop').getAttribute('aria-pressed') === 'false'")

        open_group(browser, "moves")
        browser.script(
            f"const one = document.querySelector('{at('/moves/1/source', 'select')}');"
            "one.value = 'kick'; one.dispatchEvent(new Event('change'));"
        )
        browser.wait(lambda: show.values["/moves/1/source"] == "kick")
        open_group(browser, "motion")
        width = browser.script("return [document.documentElement.scrollWidth, innerWidth]")
        assert width[0] <= width[1], "nothing is wider than the screen"
        sizes = browser.script(
            "return [...document.querySelectorAll('button, select, input')].map(one => one.offsetHeight)"
        )
        assert min(sizes) >= 44, "large enough for a finger"
        BUILD.mkdir(parents=True, exist_ok=True)
        browser.screenshot(picture := BUILD / "tablet.png")  # for people to look at, too
        with av.open(str(picture)) as file:
            assert next(file.decode(video=0)).width == 1024
        assert browser.problems() == []
        bridge.stop()
        browser.wait("document.querySelector('#state').className === 'away'")


@pytest.mark.hosts
def test_another_page_cannot_play(running: tuple[QueryBridge, Show], tmp_path: Path) -> None:
    """A page from elsewhere, in the same browser, asks for a web socket."""
    bridge, show = running
    page = tmp_path / "evil.html"
    page.write_text("<title>evil</title><main></main>")
    with Browser(tmp_path) as browser:
        browser.open(page.as_uri())
        browser.script(
            "window.closed_ = 0; const one = new WebSocket(arguments[0]);"
            "one.onopen = () => { window.closed_ = 'open' };"
            "one.onclose = () => { window.closed_ = 'closed' };",
            f"ws://127.0.0.1:{bridge.facts['query_port']}/",
        )
        browser.wait("window.closed_")
        assert browser.script("return window.closed_") == "closed"
    assert show.posted == []
