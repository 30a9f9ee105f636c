"""Generates docs/osc.md from the parameter table of a show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..control.addresses import ENGINE_PRECISION
from ..control.live_table import SHOW
from ..control.parameters import ON, Parameter, show
from ..osc.messages import AHEAD
from ..osc.routing import HELD_S, NORM, ROOT
from ..osc.server import DUMP, FAST, PORT, PORT_OUT, SUBSCRIBE, UNSUBSCRIBE
from ..osc.subscriptions import METERS, QUIET, SUBSCRIBERS
from ..osc.validation import TAGS

_TAGS = {
    "float": "f i d h T F", "int": "i f d h T F", "switch": "i f d h T F", "choice": "s, or i f d h",
    "text": "s", "trigger": "none, I, or i f d h T F", "slot": "i f d h T F",
}  # fmt: skip

_INTRO = f"""# OSC

All OSC addresses of a show, generated from `engine/control/live_table.py` by `sonorama parameters --osc`; do not edit.

| what | where |
|---|---|
| in | UDP port {PORT} of this computer; if it is busy, the next free one (never {PORT_OUT}). The show says so. |
| out | UDP port {PORT_OUT} of this computer (`--osc-out` changes it), and all subscribers |

Messages from other computers are accepted only if the show listens to the network and their addresses are allowed:
`sonorama live --osc-host 0.0.0.0 --osc-allow 192.168.1.20`. To receive feedback, they subscribe (below). IPv6 addresses
do as well: `--osc-host ::1` is this computer, `--osc-host ::` all networks of both kinds.

## How values are read

* Numbers may come as `i f d h T F` alike. A value out of range is clamped, never refused. A value of a wrong type (also
  NaN and infinity) changes nothing; it is counted and reported as a fault, with its address and type.
* A switch is on from {ON}, as sliders and toggles of 0 to 1 need it; a trigger acts when a number rises to {ON}.
* A continuous parameter takes its natural range at its address, and 0 to 1 along its curve at `<address>{NORM}`.
* A choice takes its name, in small letters or capitals, or its index, from 0. Text takes a string. A world is given by
  the name of an installed one, never by a path.
* For a trigger 0 does nothing and every 1 acts, with or without a 0 between; 1s that come faster than {HELD_S:g} s one
  after the other are a button that is held, and act once. A fader acts once as it rises to {ON}, and again after it was
  below. A message without arguments, an impulse (`I`) or the word `bang` acts, too.
* A slot, such as a scene, acts on every number but 0.
* Further arguments of a message are ignored. Symbols (`S`) are read as strings. A message of types
  other than `{TAGS}` is refused; the other messages of its bundle act. A bundle may hold any number of them.
* An unknown address is reported with the one that was probably meant: `/sonorama/moves/4.000/depth`: did you mean
  `/sonorama/moves/4/depth`?
* Patterns work: `*`, `?`, `[a-c]`, `[!a]`, `{{bass,mid}}`, none of them across a slash.
* {", ".join(f"`{ROOT}{path}`" for path in FAST[:-1])} and `{ROOT}{FAST[-1]}` overtake all queued messages.
* A bundle takes effect at its time tag, up to {AHEAD:.0f} seconds ahead. A past time means now, and so does one further
  ahead, because the sender's clock must be wrong.
* OSC cannot install, run or open anything.

## Addresses in

| address | types | takes | default | {NORM} | what it does |
|---|---|---|---|---|---|
"""

_OUT = f"""
## Feedback

Send `{SUBSCRIBE}` with the port you listen at (none: {PORT_OUT}); a second number is the duration in seconds.
`{UNSUBSCRIBE}` ends it. `{DUMP}`, also with a port, sends every value once. {SUBSCRIBERS} may subscribe; a further one
replaces the oldest. Ports below 1024 are refused.

Every change is sent to its own address: numbers as `f` or `i`, switches as 0 or 1, choices and text as strings.
Continuous parameters are also sent to `{NORM}`. A sender that changes a parameter gets no feedback on it
for {QUIET * 1000:.0f} ms. Many values at once are sent as bundles. Of the meters in the list below, `{ROOT}/sound/...`
is sent with every frame and the rest ten times a second.

| address | type | meaning |
|---|---|---|
"""

_MEANING = {
    "sound/level": "loudness, 0 to 1", "sound/bass": "low frequencies, 0 to 1",
    "sound/mid": "middle frequencies, 0 to 1",
    "sound/high": "high frequencies, 0 to 1", "sound/onset": "1 at the start of a note or hit, then falling to 0",
    "sound/beat": "phase of the beat, 0 to 1", "sound/bpm": "beats per minute, 0 if unknown",
    "sound/confidence": "confidence in the beat, 0 to 1; there is a beat above `/sound/tempo/gate`",
    "sound/kick": "1 at a hit of the kick drum, then falling to 0", "sound/snare": "the same for the snare drum",
    "sound/hat": "the same for the hi-hat", "sound/build": "how far the sound rises over the last seconds, 0 to 1",
    "sound/drop": "1 where the bass comes back after a while, then falling to 0",
    "sound/bar": "bar 1 to 4, counted from the last resync or drop; 0 without a beat",
    "sound/phrase": "position in 16 bars, 0 to 1; 0 without a beat",
    "engine/fps": "frames per second achieved", "engine/late": "late frames since the start",
    "engine/latency": "milliseconds from sound to picture", "health": "1 without faults, else 0",
}  # fmt: skip


def as_markdown(table: Mapping[str, Parameter] = SHOW) -> str:
    """The page docs/osc.md."""
    return _INTRO + "".join(map(_row, table.values())) + _OUT + "".join(_outgoing(table)) + _EXAMPLES


def _row(param: Parameter) -> str:
    norm = param.curve if param.kind == "float" else ""
    default = show(param.default) or "(empty)"
    doc = f"{param.doc} Takes seconds." if param.load else param.doc
    return f"| `{ROOT}{param.path}` | {_TAGS[param.kind]} | {_takes(param)} | {default} | {norm} | {doc} |\n"


def _takes(param: Parameter) -> str:
    if param.load and param.kind == "text":
        return "the name of an installed world"
    if param.path.endswith("/target"):
        return f"{param.choices[0]}, or the address of a continuous parameter such as {param.choices[1]}"
    return param.allowed()


def _outgoing(table: Mapping[str, Parameter]) -> Iterator[str]:
    for address in METERS:
        shared = (
            f" (the parameter of this name is sent to `{address}{NORM}`)" if address.removeprefix(ROOT) in table else ""
        )
        yield f"| `{address}` | f or i | {_MEANING[address.removeprefix(ROOT + '/')]}{shared} |\n"
    yield f"| `{ROOT}{ENGINE_PRECISION}/now` | s | exact or fast: in which precision pictures are painted now |\n"
    yield f"| `{ROOT}/cue/now`, `{ROOT}/cue/next` | s | number and name of the cue played last, and of the next |\n"
    yield f"| `{ROOT}/cue/left` | f | seconds until the next cue follows; -1: it waits for GO |\n"
    yield f"| `{ROOT}/heard/1/score` and on | f | score of the best sound class, 0 to 1; 2 is the next best |\n"
    yield f"| `{ROOT}/heard/1/label` and on | s | name of that class |\n"
    yield f"| `{ROOT}/meaning/1/label` to `16` | s | the class of that slot of the meaning mixer |\n"
    yield f"| `{ROOT}/meaning/1/score` to `16` | f | its score, 0 to 1; 0 in silence |\n"


_EXAMPLES = f"""
## Examples to copy

The parts for TouchDesigner, Max and TouchOSC follow those programs' manuals; they were not opened to write this page.
`sonorama layout` writes files for TouchOSC, Max for Live, Companion and TouchDesigner ([controllers](control.md)).

### oscsend and oscdump (liblo-tools)

```sh
oscsend 127.0.0.1 {PORT} {ROOT}/motion/coarse/amount f 1.5
oscsend 127.0.0.1 {PORT} {ROOT}/motion/coarse/inertia/norm f 0.5
oscsend 127.0.0.1 {PORT} {ROOT}/moves/4/source s bass
oscsend 127.0.0.1 {PORT} {ROOT}/look/text s "a storm over the sea"
oscsend 127.0.0.1 {PORT} {ROOT}/scene/recall i 3
oscsend 127.0.0.1 {PORT} {ROOT}/sound/tap
oscsend 127.0.0.1 {PORT} "{ROOT}/motion/*/mute" i 0
oscsend 127.0.0.1 {PORT} {ROOT}/out/blackout i 1
oscsend 127.0.0.1 {PORT} {ROOT}/dump i {PORT_OUT}
```

`oscdump {PORT_OUT}`, in a terminal of its own and before the last of these lines, shows the feedback.

### TouchDesigner

To the show: an OSC Out CHOP with Network Address `127.0.0.1`, Network Port `{PORT}`, Data Format `Sample`. Channel
names are addresses without the first slash:

```text
{ROOT[1:]}/motion/coarse/amount
{ROOT[1:]}/motion/fine/amount/norm
{ROOT[1:]}/out/master
```

Buttons and words: an OSC Out DAT of the same address and port, and in a script:

```python
op("oscout1").sendOSC("{ROOT}/out/blackout", [1])
op("oscout1").sendOSC("{ROOT}/scene/recall", [3])
op("oscout1").sendOSC("{ROOT}/moves/4/source", ["bass"])
op("oscout1").sendOSC("{ROOT}/sound/tap", [])
```

From the show: an OSC In CHOP with Network Port `{PORT_OUT}` gets every number as a channel of the same name. An OSC
In DAT gets the words:

```python
def onReceiveOSC(dat, rowIndex, message, byteData, timeStamp, address, args, peer):
    if address == "{ROOT}/heard/1/label":
        op("text1").par.text = args[0]
```

### Ableton Live and Max

In a Max for Live device; each line is a chain of objects:

```text
[live.dial] -> [prepend {ROOT}/motion/coarse/amount/norm] -> [udpsend 127.0.0.1 {PORT}]     (range of the dial 0. to 1.)
[live.toggle] -> [prepend {ROOT}/out/blackout] -> [udpsend 127.0.0.1 {PORT}]
[live.button] -> [prepend {ROOT}/sound/tap] -> [udpsend 127.0.0.1 {PORT}]
[udpreceive {PORT_OUT}] -> [route {ROOT}/sound/onset {ROOT}/sound/bpm {ROOT}/heard/1/label]
```

### TouchOSC and other controllers

Connection: UDP, host this computer's address, send port {PORT}, receive port {PORT_OUT}.

```text
fader    {ROOT}/motion/coarse/amount{NORM}    argument: x, 0 to 1
button   {ROOT}/out/freeze    argument: x, 0 or 1, toggle
button   {ROOT}/scene/recall    argument: constant 1 to 8 when pressed
label    {ROOT}/heard/1/label    text
```
"""
