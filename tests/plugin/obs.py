"""A real OBS under a virtual X server, without a person: pre-written settings, and obs-websocket to talk to it."""

import asyncio
import base64
import io
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
from av import open as open_film

from ..speed import slowness

WIDTH, HEIGHT = 320, 240
"""Of OBS's canvas."""


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Obs:
    """One OBS that runs. `ask` sends a request of the protocol 5 of obs-websocket and returns its answer."""

    def __init__(self, port: int) -> None:
        self._loop = asyncio.new_event_loop()
        self._port = port
        self._session: aiohttp.ClientSession | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None

    def connect(self) -> None:
        self._loop.run_until_complete(self._connect())

    async def _connect(self) -> None:
        session = aiohttp.ClientSession()
        try:
            url = f"http://127.0.0.1:{self._port}"
            made = await session.ws_connect(url, protocols=["obswebsocket.json"], max_msg_size=0)
        except aiohttp.ClientError:
            await session.close()
            raise
        assert (await made.receive_json())["op"] == 0
        await made.send_json({"op": 1, "d": {"rpcVersion": 1, "eventSubscriptions": 0}})
        assert (await made.receive_json())["op"] == 2
        self._session, self._socket = session, made

    def ask(self, kind: str, **data: Any) -> dict[str, Any]:
        return self._loop.run_until_complete(asyncio.wait_for(self._ask(kind, data), 60))

    async def _ask(self, kind: str, data: dict[str, Any]) -> dict[str, Any]:
        assert self._socket is not None
        await self._socket.send_json({"op": 6, "d": {"requestType": kind, "requestId": "1", "requestData": data}})
        answer = (await self._socket.receive_json())["d"]
        assert answer["requestStatus"]["result"], answer
        return answer.get("responseData") or {}

    def size(self, name: str) -> tuple[int, int]:
        """(width, height) of what the only source of the scene shows; zeros while it has no picture."""
        item = self.ask("GetSceneItemId", sceneName="Scene", sourceName=name)["sceneItemId"]
        facts = self.ask("GetSceneItemTransform", sceneName="Scene", sceneItemId=item)["sceneItemTransform"]
        return int(facts["sourceWidth"]), int(facts["sourceHeight"])

    def picture(self, name: str) -> np.ndarray:
        """What a source shows, uint8 [H,W,3]."""
        data = self.ask("GetSourceScreenshot", sourceName=name, imageFormat="png")["imageData"]
        with open_film(io.BytesIO(base64.b64decode(data.partition(",")[2])), "r", format="png_pipe") as file:
            return next(file.decode(video=0)).to_ndarray(format="rgb24")

    def close(self) -> None:
        if self._session is not None:
            self._loop.run_until_complete(self._session.close())
        self._loop.close()


def _configure(folder: Path, port: int, scripts: list[Path]) -> None:
    basic = folder / "obs-studio" / "basic"
    (basic / "profiles" / "Tests").mkdir(parents=True)
    (basic / "scenes").mkdir()
    (folder / "obs-studio" / "global.ini").write_text(
        "[General]\nFirstRun=true\nPre19Defaults=false\nLastVersion=486539266\n"
        f"[OBSWebSocket]\nFirstLoad=false\nServerEnabled=true\nServerPort={port}\nAuthRequired=false\n"
        "AlertsEnabled=false\n[Basic]\nProfile=Tests\nProfileDir=Tests\nSceneCollection=Tests\n"
        "SceneCollectionFile=Tests\nConfigOnNewProfile=false\n"
    )
    video = f"BaseCX={WIDTH}\nBaseCY={HEIGHT}\nOutputCX={WIDTH}\nOutputCY={HEIGHT}\nFPSCommon=30\n"
    (basic / "profiles" / "Tests" / "basic.ini").write_text(f"[General]\nName=Tests\n[Video]\n{video}")
    scene = {"id": "scene", "name": "Scene", "settings": {"items": []}, "versioned_id": "scene"}
    collection = {
        "name": "Tests", "current_scene": "Scene", "current_program_scene": "Scene", "scene_order": [{"name": "Scene"}],
        "sources": [scene], "modules": {"scripts-tool": [{"path": str(path), "settings": {}} for path in scripts]},
    }  # fmt: skip
    (basic / "scenes" / "Tests.json").write_text(json.dumps(collection))


@contextmanager
def running(folder: Path, scripts: list[Path]) -> Iterator[Obs]:
    """OBS with these Lua scripts; its log is in `folder` if it does not begin."""
    port = _free_port()
    _configure(folder, port, scripts)
    read, write = os.pipe()
    screen = ["-screen", "0", "1280x800x24", "-nolisten", "tcp", "-noreset"]
    xvfb = subprocess.Popen(["Xvfb", "-displayfd", str(write), *screen], pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(read) as pipe:
        display = f":{int(pipe.readline())}"
    env = {**os.environ, "DISPLAY": display, "XDG_CONFIG_HOME": str(folder), "LIBGL_ALWAYS_SOFTWARE": "1"}
    env |= {"QT_QPA_PLATFORM": "xcb", "XDG_RUNTIME_DIR": str(folder)}
    executable = shutil.which("obs")
    assert executable is not None, "OBS is not installed: make test installs it"
    with (folder / "obs.txt").open("wb") as out:
        obs = subprocess.Popen([executable, "--multi"], env=env, stdout=out, stderr=out)
    host = Obs(port)
    try:
        _wait_for(host, obs, folder)
        yield host
    finally:
        host.close()
        for process in (obs, xvfb):
            process.kill()
            process.wait()


def _wait_for(host: Obs, process: "subprocess.Popen[bytes]", folder: Path) -> None:
    end = time.monotonic() + 120 * slowness()
    while True:
        try:
            host.connect()
            host.ask("GetVersion")
            return
        except (aiohttp.ClientError, AssertionError, OSError, TypeError):
            said = (folder / "obs.txt").read_text(errors="replace")[-3000:]
            assert process.poll() is None, said
            assert time.monotonic() < end, said
            time.sleep(0.5)
