"""Drives a headless Chromium through chromedriver's WebDriver protocol (W3C), with nothing but the standard library."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
SLOWLY_S = 60.0


class Browser:
    """One Chromium that reaches no network but this machine's own; downloads go into `downloads`."""

    def __init__(self, downloads: Path, size: tuple[int, int] = (700, 800), storage: bool = True) -> None:
        self._downloads, self._size, self._storage = downloads, size, storage
        self._profile = tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True)
        self._driver: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        driver, chromium = shutil.which("chromedriver"), shutil.which("chromium")
        assert driver and chromium, "install chromium and chromium-driver (make test does)"
        self._driver = subprocess.Popen(
            [driver, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        try:
            self._address = f"http://127.0.0.1:{self._port()}"
            self._session = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": self._wishes(chromium)}})
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._driver is not None:
            try:
                if hasattr(self, "_session"):
                    self._ask("DELETE", self._path(""))
            finally:
                self._driver.terminate()
                self._driver.communicate(timeout=SLOWLY_S)
        self._profile.cleanup()

    def _port(self) -> int:
        """Chromedriver says which port it took."""
        assert self._driver is not None and self._driver.stdout is not None
        for line in self._driver.stdout:
            if "on port " in line and "Starting" not in line:
                return int(line.split("on port ")[1].strip(" .\n"))
        raise AssertionError("chromedriver did not start")

    def _wishes(self, chromium: str) -> dict[str, Any]:
        arguments = [
            "--headless=new", f"--user-data-dir={self._profile.name}", f"--window-size={self._size[0]},{self._size[1]}",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--disable-background-networking",
            "--disable-component-extensions-with-background-pages", "--disable-component-update", "--disable-sync",
            "--disable-default-apps", "--disable-dev-shm-usage", "--disable-extensions", "--disable-gpu",
            "--disable-features=Translate,OptimizationHints,MediaRouter", "--no-first-run", "--mute-audio",
        ]  # fmt: skip
        if os.geteuid() == 0:  # as in a container, where Chromium's own sandbox needs rights that root has not
            arguments.append("--no-sandbox")
        prefs: dict[str, Any] = {"download.default_directory": str(self._downloads)}
        if not self._storage:
            prefs["profile.default_content_setting_values.cookies"] = 2  # blocked, and with them localStorage
        options = {"binary": chromium, "args": arguments, "prefs": prefs}
        return {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}

    def _path(self, rest: str) -> str:
        return f"/session/{self._session['sessionId']}{rest}"

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        data = None if body is None and method != "POST" else json.dumps(body or {}).encode()
        head = {"Content-Type": "application/json"}
        request = urllib.request.Request(self._address + path, data, head, method=method)  # noqa: S310 (its own driver)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=2 * SLOWLY_S) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            told = json.load(error)["value"]
            raise AssertionError(f"{told['error']}: {told['message'].splitlines()[0]}") from error

    def open(self, address: str) -> None:
        """Load a page."""
        self._ask("POST", self._path("/url"), {"url": address})

    def script(self, text: str, *arguments: Any) -> Any:
        """Run the body of a function in the page."""
        return self._ask("POST", self._path("/execute/sync"), {"script": text, "args": list(arguments)})

    def find(self, css: str) -> list[str]:
        """Handles of all elements."""
        found = self._ask("POST", self._path("/elements"), {"using": "css selector", "value": css})
        return [element[ELEMENT] for element in found]

    def click(self, css: str, index: int = 0) -> None:
        """Click as a person does: an element that is hidden or covered refuses."""
        self._ask("POST", self._path(f"/element/{self.find(css)[index]}/click"))

    def keys(self, css: str, text: str) -> None:
        """Type into an element."""
        self._ask("POST", self._path(f"/element/{self.find(css)[0]}/value"), {"text": text})

    def press(self, key: str) -> None:
        """Press and release a key wherever the focus is."""
        actions = [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
        self._ask("POST", self._path("/actions"), {"actions": [{"type": "key", "id": "keys", "actions": actions}]})

    def text(self, css: str = "main") -> str:
        """Visible text."""
        return self.script("return document.querySelector(arguments[0]).innerText", css)

    def problems(self) -> list[str]:
        """Warnings and errors of the console since the last call, such as refusals by a content security policy."""
        entries = self._ask("POST", self._path("/se/log"), {"type": "browser"})
        return [entry["message"] for entry in entries if entry["level"] in ("WARNING", "SEVERE")]

    def screenshot(self, out: Path) -> None:
        """Write the window as a PNG."""
        out.write_bytes(base64.b64decode(self._ask("GET", self._path("/screenshot"))))

    def wait(self, true: str | Callable[[], object]) -> None:
        """Wait until a script's expression, or a function, is true."""
        deadline = time.monotonic() + SLOWLY_S
        while not (self.script(f"return Boolean({true})") if isinstance(true, str) else true()):
            assert time.monotonic() < deadline, f"never: {true}\n{self.text('body')}"
            time.sleep(0.05)
