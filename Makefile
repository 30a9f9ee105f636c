# Every target sets up what it needs itself; on a bare machine it takes Python 3.11 with pip, and make.
.DEFAULT_GOAL := help
.PHONY: help setup demo live-demo test test-hosts check lock

# Without compiled files every process takes seconds longer to import torch.
unexport PYTHONDONTWRITEBYTECODE

# What Qt's windows load on Linux.
QT := libEGL.so.1:libegl1 libGL.so.1:libgl1 libxkbcommon.so.0:libxkbcommon0 libdbus-1.so.3:libdbus-1-3 \
	libfontconfig.so.1:libfontconfig1 libglib-2.0.so.0:libglib2.0-0 \
	libxcb-cursor.so.0:libxcb-cursor0 libxcb-icccm.so.4:libxcb-icccm4 libxcb-keysyms.so.1:libxcb-keysyms1 \
	libxcb-image.so.0:libxcb-image0 libxcb-render-util.so.0:libxcb-render-util0 libxcb-shape.so.0:libxcb-shape0 \
	libxcb-randr.so.0:libxcb-randr0 libxcb-xkb.so.1:libxcb-xkb1 libxkbcommon-x11.so.0:libxkbcommon-x11-0

# Blender as Python modules, each in an environment of its own: they need Python 3.11 and NumPy 1.
BPY := 4.5.15 5.0.1
BLENDER := libX11.so.6:libx11-6 libXrender.so.1:libxrender1 libXfixes.so.3:libxfixes3 libXi.so.6:libxi6 libSM.so.6:libsm6

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST)

setup: .venv/.ready  ## make a ready .venv from requirements.lock

.venv/.ready: requirements.lock pyproject.toml .ci/setup
	@.ci/setup

demo: setup  ## render a film from the recordings in examples/
	@.venv/bin/python examples/demo.py

live-demo: setup  ## play those recordings into a live show with its panel, for LIVE_SECONDS (60)
	@test "$$(uname)" != Linux || .ci/apt $(QT) $$(test -n "$$DISPLAY$$WAYLAND_DISPLAY" || echo Xvfb:xvfb)
	@.venv/bin/python examples/live_demo.py

test: setup  ## run the tests (ARGS="tests/engine -x" narrows them down)
	@.ci/apt ffprobe:ffmpeg mediainfo:mediainfo git:git gcc:gcc /usr/include/stdio.h:libc6-dev luajit:luajit
	@.ci/apt pulseaudio:pulseaudio pactl:pulseaudio-utils libportaudio.so.2:libportaudio2 oscsend:liblo-tools Xvfb:xvfb \
		/usr/share/doc/libasound2-plugins:libasound2-plugins libpulse.so.0:libpulse0 xrandr:x11-xserver-utils
	@.ci/apt ffmpeg:ffmpeg gst-launch-1.0:gstreamer1.0-tools \
		/usr/share/doc/gstreamer1.0-plugins-base:gstreamer1.0-plugins-base \
		/usr/share/doc/gstreamer1.0-plugins-bad:gstreamer1.0-plugins-bad
	@.ci/apt libltc.so.11:libltc11 jackd:jackd2 libjack.so.0:libjack-jackd2-0 ip:iproute2 unshare:util-linux
	@.ci/apt chromium:chromium chromedriver:chromium-driver melt:melt olad:ola
	@.ci/apt obs:obs-studio $(BLENDER) $(QT)
	@.ci/partner bpy-$(firstword $(BPY)) $(firstword $(BPY))
	@.ci/partner hosts
	@echo "== pytest"
	@MARKS='$(MARKS)' .ci/test $(ARGS)

test-hosts: setup  ## run the long suites of partners too, such as a sound server that dies
	@.ci/apt node:nodejs javac:openjdk-17-jdk mono:mono-runtime mcs:mono-mcs /usr/share/java/processing-core.jar:libprocessing-core-java \
		/usr/lib/mono/gac/System.Core:libmono-system-core4.0-cil xvfb-run:xvfb xauth:xauth
	@for version in $(BPY); do .ci/partner bpy-$$version $$version || exit 1; done
	@PYTHONPATH=$(CURDIR)/build/hosts $(MAKE) test MARKS=hosts ARGS=tests

check: setup  ## lint, format, types, import direction; all four run, any failure fails
	@failed=; for tool in "ruff check ." "ruff format --check ." basedpyright lint-imports; do \
		echo "== $$tool"; .venv/bin/$$tool || failed="$$failed '$$tool'"; \
	done; test -z "$$failed" || { echo "failed:$$failed" >&2; exit 1; }

lock:  ## resolve pyproject.toml's dependencies anew into requirements.lock
	.ci/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --upgrade \
		--custom-compile-command "make lock" --extra all --group dev pyproject.toml --output-file requirements.lock
