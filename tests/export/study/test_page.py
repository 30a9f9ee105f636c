"""The page in a real browser: sessions clicked through from a file, without a network, to the saved answers."""

from __future__ import annotations

import re
import shutil
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sonorama.export.study.answers import per_participant, read_answers
from sonorama.export.study.key import Key
from sonorama.export.study.order import model_order, sound_order

from ...speed import slowness
from .browser import Browser

SPACE, TAB, RIGHT = " ", "\ue004", "\ue014"
hosts = pytest.mark.hosts
READY = "!document.querySelector('.rating fieldset, .main').disabled"


@pytest.fixture
def downloads(tmp_path: Path) -> Path:
    (tmp_path / "downloads").mkdir()
    return tmp_path / "downloads"


@pytest.fixture
def browser(downloads: Path) -> Iterator[Browser]:
    with Browser(downloads) as browser:
        yield browser


def open_page(browser: Browser, study: Path, participant: int) -> None:
    browser.open((study / "page" / "index.html").as_uri())
    browser.script("document.querySelector('#participant').value = ''")
    browser.keys("#participant", str(participant))
    browser.click("form button")


def state(browser: Browser) -> list[object]:
    """Heading, file of the first film, and whether it is still to be watched."""
    film = "document.querySelector('video').getAttribute('src')"
    return browser.script(f"return [document.querySelector('h1').innerText, {film}, !({READY})]")


def title(browser: Browser) -> str:
    return browser.text("h1")


def play(browser: Browser) -> None:
    browser.click(".film button")
    browser.wait(READY)


def rate(browser: Browser, realness: int, consistency: int) -> None:
    play(browser)
    browser.click("input[name=realness]", realness - 1)
    browser.click("input[name=consistency]", consistency - 1)
    browser.click(".main")


def saved(downloads: Path, pattern: str) -> Path:
    deadline = time.monotonic() + 60 * slowness()
    while not (found := [*downloads.glob(pattern)]):
        assert time.monotonic() < deadline, [*downloads.iterdir()]
        time.sleep(0.05)
    return found[0]


def plan(key: Key, participant: int) -> list[tuple[int, list[str]]]:
    """(sound, codes in order) of every trial, by the Python side."""
    order = sound_order(key.sound_orders, participant)
    return [(s, [key.models[m].code for m in model_order(key.model_orders, participant, s)]) for s in order]


def test_a_whole_session(browser: Browser, study: Path, key: Key, downloads: Path) -> None:
    participant = 2
    open_page(browser, study, participant)
    given: dict[tuple[str, str, str], int] = {}
    for trial, (index, codes) in enumerate(plan(key, participant), 1):
        sound = key.sounds[index]
        assert state(browser) == ["This video is real", sound.reference, True]
        assert browser.text("#where") == f"Sound {trial} of 2"
        play(browser)
        browser.click(".main")
        for number, code in enumerate(codes, 1):
            assert state(browser) == [f"Video {number} of 2", sound.films[code], True]
            ratings = 1 + (trial + number) % 5, 1 + (trial * number) % 5
            rate(browser, *ratings)
            given[sound.code, "realness", code], given[sound.code, "consistency", code] = ratings
        browser.click("input[name=naturalness]", trial - 1)
        given[sound.code, "naturalness", ""] = 0
        browser.click(".main")
    assert title(browser) == "Thank you!"
    browser.click("#save")
    path = saved(downloads, "*.csv")
    assert path.name == f"study-{key.version}-participant-2.csv"
    answers = read_answers([path], key)
    assert answers.remarks == []
    assert {slot: answer.value for slot, answer in answers.of[participant].items()} == given
    assert len(given) == per_participant(key)
    for trial, (index, codes) in enumerate(plan(key, participant), 1):
        rows = [answer for answer in answers if answer.trial == trial]
        assert {(row.sound, row.order) for row in rows} == {(key.sounds[index].code, "".join(codes))}
        assert [row.model for row in rows if row.question == "naturalness"] == [codes[trial - 1]]
        assert all(0 <= row.seconds < 600 for row in rows)
    assert browser.problems() == []  # nothing was refused, and nothing failed to load
    loaded = browser.script("return performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert not [name for name in loaded if not name.startswith(study.as_uri())]


def test_the_policy_admits_nothing_from_elsewhere(study: Path) -> None:
    page = (study / "page" / "index.html").read_text()
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy and "http" not in policy.replace("http-equiv", "")
    assert not re.search(r"https?:|//\w+\.\w|@import|url\(|\bsrc=|\bhref=", page.replace("// ", ""))


@hosts
def test_a_film_counts_only_when_it_was_played_whole(browser: Browser, study: Path, key: Key) -> None:
    open_page(browser, study, 1)
    play(browser)
    browser.click(".main")
    browser.wait("document.querySelector('video').readyState > 1")
    skip = "video.currentTime = video.duration - 0.1; video.playbackRate = 2; video.play()"
    browser.script(f"const video = document.querySelector('video'); {skip}")
    browser.wait("!document.querySelector('.problem').hidden")
    assert browser.text(".problem") == "A part was skipped. Please play the whole video."
    assert browser.script("return document.querySelector('.rating fieldset').disabled")
    assert browser.script("return document.querySelector('video').playbackRate") == 1
    rate(browser, 3, 3)
    assert title(browser) == "Video 2 of 2"


@hosts
def test_a_film_may_be_paused(browser: Browser, study: Path) -> None:
    open_page(browser, study, 1)
    browser.script(
        "const button = document.querySelector('.film button');"
        "document.querySelector('video').addEventListener('playing', () => { button.click(); }, { once: true });"
    )
    browser.click(".film button")
    browser.wait("document.querySelector('.film button').innerText === 'Play'")
    assert browser.script("return document.querySelector('video').paused")
    play(browser)
    assert browser.script("return document.querySelector('.problem').hidden")


@hosts
def test_a_session_goes_on_after_a_reload_and_from_a_file(
    browser: Browser, study: Path, key: Key, downloads: Path
) -> None:
    open_page(browser, study, 3)
    play(browser)
    browser.click(".main")
    rate(browser, 5, 1)
    assert browser.text("#kept") == "You may close this page and continue later in this browser."
    browser.click("#pause")
    path = saved(downloads, "*-unfinished.csv")
    open_page(browser, study, 3)
    assert title(browser) == "Video 2 of 2"
    browser.open((study / "page" / "index.html").as_uri())
    assert browser.script("return document.querySelector('#participant').value") == "4"  # the next one
    browser.script("localStorage.clear()")
    open_page(browser, study, 3)
    assert title(browser) == "This video is real"
    browser.open((study / "page" / "index.html").as_uri())
    browser.script("document.querySelector('details').open = true")
    browser.keys("#file", str(path))
    browser.wait("document.querySelector('h1').innerText === 'Video 2 of 2'")
    assert len(read_answers([path], key).of[3]) == 2


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name there)
        """Say nothing."""


@hosts
def test_it_works_from_a_web_server(browser: Browser, study: Path) -> None:
    """Python's own, which answers no range requests."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(study / "page"))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser.open(f"http://127.0.0.1:{server.server_port}/index.html")
        browser.click("form button")
        play(browser)
        browser.click(".main")
        rate(browser, 4, 4)
        assert title(browser) == "Video 2 of 2"
        refused = [text for text in browser.problems() if "favicon" not in text]
        server.shutdown()
    assert refused == []


@hosts
@pytest.mark.parametrize("text", ["", "participant,trial\n1,1\n", "participant\n3,1,s1,A,realness,9,1.0,AB,x\n"])
def test_a_foreign_file_is_refused(browser: Browser, study: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "foreign.csv").write_text(text)
    browser.open((study / "page" / "index.html").as_uri())
    browser.script("document.querySelector('details').open = true")
    browser.keys("#file", str(tmp_path / "foreign.csv"))
    browser.wait("document.querySelector('[role=status]').innerText")
    assert browser.text("[role=status]") == "That file holds no answers to this study."


@hosts
def test_without_storage_it_says_so(study: Path, downloads: Path) -> None:
    """As where a browser gives no storage to pages that were opened from files."""
    with Browser(downloads, storage=False) as browser:
        open_page(browser, study, 1)
        assert browser.text("#kept").startswith("This browser keeps no answers. Before you close this page, save them")
        play(browser)
        browser.click(".main")
        rate(browser, 2, 2)
        assert title(browser) == "Video 2 of 2"
        browser.click("#pause")
        saved(downloads, "*-unfinished.csv")


@hosts
def test_the_keyboard_is_enough(browser: Browser, study: Path) -> None:
    open_page(browser, study, 1)
    for _ in range(2):  # the real video, then the first one to rate
        browser.press(TAB)
        assert browser.script("return document.activeElement.innerText") == "Play"
        browser.press(SPACE)
        browser.wait(READY)
        if title(browser) == "Video 1 of 2":
            for question in ("realness", "consistency"):
                browser.press(TAB)
                assert browser.script("return document.activeElement.name") == question
                browser.press(SPACE)
                browser.press(RIGHT)
        browser.press(TAB)
        assert browser.script("return document.activeElement.innerText") == "Next"
        browser.press(SPACE)
    assert title(browser) == "Video 2 of 2"
    stored = browser.script("return Object.values(localStorage).find((text) => text.startsWith('participant'))")
    assert [line.split(",")[5] for line in stored.splitlines()[1:]] == ["2", "2"]


@hosts
def test_screen_readers_are_told_what_is_what(browser: Browser, study: Path) -> None:
    open_page(browser, study, 1)
    play(browser)
    browser.click(".main")
    assert browser.script("return document.activeElement.tagName") == "H1"
    named = "return [...document.querySelectorAll('button, video')].map((one) => one.ariaLabel ?? one.innerText)"
    assert browser.script(named) == ["Video 1", "Play: Video 1", "Next", "Save answers so far"]
    legends = browser.script("return [...document.querySelectorAll('fieldset legend')].map((one) => one.innerText)")
    assert legends == ["How real does this video look?", "How well do the picture and the sound belong together?"]
    radios = browser.script("return [...document.querySelectorAll('[name=realness]')].map((one) => one.ariaLabel)")
    assert radios == ["1: not real at all", "2", "3", "4", "5: like a real video"]
    progress = "const one = document.querySelector('#progress'); return [one.ariaLabel, one.textContent]"
    assert browser.script(progress) == ["Progress of the study", "0 of 10 answers"]


@hosts
@pytest.mark.parametrize("width", [500, 1400])
def test_nothing_sticks_out(downloads: Path, study: Path, width: int) -> None:
    with Browser(downloads, (width, 800)) as browser:
        open_page(browser, study, 1)
        outside = "return document.documentElement.scrollWidth - window.innerWidth"
        assert browser.script(outside) <= 0
        play(browser)
        browser.click(".main")
        assert browser.script(outside) <= 0
        rate(browser, 1, 1)
        rate(browser, 1, 1)
        assert title(browser) == "Which video is the most natural?"
        assert browser.script(outside) <= 0


@hosts
def test_a_missing_film_and_a_wrong_number_are_said(browser: Browser, study: Path, key: Key, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(study, tmp_path / "copy"))
    for name in key.films:
        (copy / "page" / name).unlink()
    open_page(browser, copy, 0)
    assert browser.text("[role=status]") == "Type a whole number from 1 to 999999."
    open_page(browser, copy, 1)
    browser.wait("!document.querySelector('.problem').hidden")
    assert browser.text(".problem").startswith("This browser cannot play film-")
