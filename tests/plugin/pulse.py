"""A sound server of a test: PulseAudio with an output that nobody hears, whose monitor is the microphone."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

SINK = "stage"


class Pulse:
    """The server; `start` and `kill` it as often as needed, always at the same address."""

    def __init__(self, folder: Path) -> None:
        for program in ("pulseaudio", "pactl", "paplay"):
            assert shutil.which(program), f"{program} is missing: apt-get install pulseaudio pulseaudio-utils"
        self.folder = folder
        self.socket = folder / "native"
        self.env = os.environ | {
            "PULSE_SERVER": f"unix:{self.socket}",
            "XDG_RUNTIME_DIR": str(folder / "run"),
            "HOME": str(folder),
        }
        (folder / "run").mkdir(mode=0o700)
        self._server: subprocess.Popen[bytes] | None = None

    def use(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let this process and its children find it."""
        for name in ("PULSE_SERVER", "XDG_RUNTIME_DIR", "HOME"):
            monkeypatch.setenv(name, self.env[name])

    def start(self) -> None:
        self.socket.unlink(missing_ok=True)
        command = [
            "pulseaudio", "-n", "--system=false", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=false",
            "--disable-shm=true", "-L", f"module-native-protocol-unix socket={self.socket} auth-anonymous=1",
            "-L", f"module-null-sink sink_name={SINK} rate=48000",
        ]  # fmt: skip
        log = (self.folder / "pulse.log").open("ab")
        self._server = subprocess.Popen(command, env=self.env, stdout=log, stderr=log)
        end = time.monotonic() + 30
        while self.pactl("info").returncode:
            assert self._server.poll() is None, (self.folder / "pulse.log").read_text()
            assert time.monotonic() < end, "PulseAudio does not start"
            time.sleep(0.05)

    def kill(self) -> None:
        if self._server:
            self._server.kill()
            self._server.wait()
            self._server = None

    def pactl(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(["pactl", *words], env=self.env, capture_output=True, text=True, timeout=30)

    def play(self, path: Path) -> "subprocess.Popen[bytes]":
        """Start playing a wave file into the output."""
        return subprocess.Popen(["paplay", "--latency-msec=50", f"--device={SINK}", str(path)], env=self.env)
