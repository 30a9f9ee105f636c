"""Compares exported graphs with the reference: the engine's own numpy and torch code, in float32 on the CPU."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...engine.control.addresses import LOOK_TRUNCATION
from ...engine.control.render_table import TABLE
from ...engine.errors import SonoramaError
from ...engine.inference.torch_backend import TorchBackend
from ...engine.model.build import as_torch
from ...engine.model.joint_embedding import TextTower
from ...engine.model.joint_space import token_rows
from ...engine.model.mel import ENCODER_COLUMNS, SOUND_COLUMNS, log_mel
from ...engine.picture.to_rgba8 import rgba8
from ...engine.pipeline.conditioning_worker import Request, SoundNetworks
from ...engine.pipeline.latent_motion import MotionState, advance_motion, number, style_noise
from ...engine.pipeline.loaded_world import LoadedWorld
from ...engine.pipeline.meaning_mixer import Displacement
from ...engine.pipeline.travel import AT_HOME
from ...engine.units import SAMPLE_RATE
from .ports import Exported
from .runtimes import AnyArrays, Run, runtimes

if TYPE_CHECKING:
    from ...engine.model.world_file import World
    from ...engine.units import Array

Case = tuple[AnyArrays, AnyArrays]
"""Inputs and the reference's outputs of one call."""
EXACT_LIMIT = 2e-3
"""Largest difference that is passed in float32, as a share of the largest number."""
HALF_LIMIT_DB = 40.0
"""Least PSNR of pictures in half precision."""
PLACEMENTS = ((0, 0, 0), (0.1, -0.3, 0), (0, 0, 90), (-0.25, 0.05, -33))
"""Shift to the right and down, and turn, of the pictures that are compared."""
TEXTS = ("a storm over black rocks", "fire", "")


@dataclass(frozen=True)
class Row:
    """One output of a graph in one runtime.

    Attributes:
        graph, output, runtime: which.
        difference: the largest, over all cases.
        largest: number of the reference, for its scale.
        psnr_db: of pictures, else None; infinite where all pixels are equal.

    """

    graph: str
    output: str
    runtime: str
    difference: float
    largest: float
    psnr_db: float | None

    def to_json(self) -> dict[str, Any]:
        """For the manifest."""
        psnr = {} if self.psnr_db is None or math.isinf(self.psnr_db) else {"psnr_db": round(self.psnr_db, 1)}
        values = {"graph": self.graph, "output": self.output, "runtime": self.runtime}
        return values | {"largest_difference": self.difference, "largest_value": self.largest} | psnr


def compare(world: World, exported: Sequence[Exported], folder: Path, half: bool) -> list[Row]:
    """Run every graph in every runtime that is installed, on sounds, codes and texts of fixed seeds.

    Raises:
        SonoramaError: one differs by more than the limits above.

    """
    reference = Reference(world)
    rows: list[Row] = []
    for name, open_graph in runtimes().items():
        for graph in exported:
            run = open_graph(folder / f"{graph.name}.onnx")
            rows += compare_graph(graph, reference.cases(graph), run, name)
    for row in rows:
        check(row, half)
    return rows


def compare_graph(graph: Exported, cases: Sequence[Case], run: Run, runtime: str) -> list[Row]:
    """The rows of one graph in one runtime."""
    answers = [run(graph.defaults() | inputs) for inputs, _ in cases]
    return [
        _row(graph.name, name, runtime, [expected[name] for _, expected in cases], [one[name] for one in answers])
        for name in cases[0][1]
    ]


def _row(graph: str, output: str, runtime: str, expected: Sequence[Array], answers: Sequence[Array]) -> Row:
    one, other = (np.concatenate([np.ravel(x).astype(np.float64) for x in arrays]) for arrays in (expected, answers))
    apart = np.abs(one - other)
    psnr = None
    if graph == "synthesis":
        power = float(np.mean(np.square(apart)))
        psnr = math.inf if power == 0 else 10 * math.log10((255.0 if output == "rgba" else 1.0) ** 2 / power)
    return Row(graph, output, runtime, float(apart.max()), float(np.abs(one).max()), psnr)


def check(row: Row, half: bool) -> None:
    """Raise SonoramaError where a graph is not the network of its world."""
    if half and row.psnr_db is not None:
        good = row.psnr_db >= HALF_LIMIT_DB
    else:
        good = row.difference <= (1.0 if row.output == "rgba" else EXACT_LIMIT * max(row.largest, 1e-6))
    if not good:
        message = f"{row.graph}.onnx differs from torch in {row.runtime}: {row.output} by {row.difference:.3g}"
        raise SonoramaError(message, "Try --precision fp32, or another version of that runtime; nothing was written.")


class Reference:
    """What the engine computes with torch for the inputs of each graph. Seeds are fixed."""

    def __init__(self, world: World) -> None:
        self._world, self._card = world, world.card
        self._backend = TorchBackend(world, "cpu")
        self._loaded = LoadedWorld(world, self._backend)
        self._values = {path: param.default for path, param in TABLE.items()}
        self._rng = np.random.default_rng(7)
        self._made: dict[str, list[Case]] = {}

    def cases(self, graph: Exported) -> list[Case]:
        """The calls of a graph."""
        if graph.name not in self._made:
            make: Callable[[Exported], list[Case]] = getattr(self, f"_{graph.name}")
            self._made[graph.name] = make(graph)
        return self._made[graph.name]

    def _normal(self, *shape: int) -> Array:
        return self._rng.standard_normal(shape).astype(np.float32)

    def _sounds(self, length: int) -> list[Array]:
        """Noise, noise of another colour that begins late, a chord, and silence."""
        white = 0.1 * self._normal(length)
        late = np.cumsum(white, dtype=np.float64).astype(np.float32)
        late = 0.3 * late / np.abs(late).max()
        late[: length // 2] = 0
        seconds = np.arange(length) / SAMPLE_RATE
        chord = sum(np.sin(2 * np.pi * hz * seconds) for hz in (220.0, 277.2, 1318.5)) / 6
        return [white, late, np.asarray(chord, np.float32), np.zeros(length, np.float32)]

    def _sound(self, graph: Exported) -> list[Case]:
        cases = list[Case]()
        for samples in self._sounds(graph.inputs[0].shape[1]):
            code = self._backend.embed_sound(log_mel(samples)[:, -SOUND_COLUMNS:])
            scores = np.array([*self._world.vocabulary.scores(code).values()], np.float32)
            expected = {"code": code[None], "scores": scores[None]}
            cases.append(({"samples": samples[None]}, {port.name: expected[port.name] for port in graph.outputs}))
        return cases

    def _encoder(self, graph: Exported) -> list[Case]:
        networks = SoundNetworks(self._backend, self._world.vocabulary)
        labels = self._world.vocabulary.codes
        cases = list[Case]()
        for case, samples in enumerate(self._sounds(graph.inputs[0].shape[1])):
            window = log_mel(samples)[:, -ENCODER_COLUMNS:]
            code = labels[case % len(labels)] if len(labels) else self._normal(self._card.sound.code_dim)
            code = (code / np.linalg.norm(code)).astype(np.float32)
            displacement, presence = self._backend.invert_sound(window, code)
            answer = networks.evaluate(Request(1, 1, window, window), code)
            heard = Displacement(answer.displacement, answer.presence, answer.classes)
            mixer = self._loaded.meaning_mixer
            weights = mixer.weights(mixer.settings(self._values), heard)
            expected = {"displacement": displacement, "mixed": mixer(self._values, heard), "weights": weights}
            told = {port.name: expected[port.name][None] for port in graph.outputs if port.name in expected}
            told["presence"] = np.array([presence], np.float32)
            cases.append(({"samples": samples[None], "code": code[None]}, told))
        return cases

    def _base(self, graph: Exported) -> list[Case]:
        """Without sound, and with one to three classes, heard unequally, at other amounts by level."""
        bank, places, psi = self._loaded.seed_bank, self._loaded.class_places, number(self._values, LOOK_TRUNCATION)
        cases = list[Case]()
        for seed in range(1, 5):
            w = np.repeat(bank.latent(seed)[None], self._card.num_ws, 0)
            inputs: AnyArrays = {"w": w[None]}
            base = bank.truncated(w, psi)
            if places is not None and any(port.name == "weights" for port in graph.inputs):
                weights = np.zeros(len(self._card.classes), np.float32)
                heard = np.unique(places.classes)[: seed - 1]
                weights[heard] = np.array([0.3, 0.1, 0.2])[: len(heard)]
                choice = [places.of_seed(index, seed) for index in range(len(weights))]
                amount = np.array([[0.2, 0.5, 1.5]], np.float32)
                inputs |= {"weights": weights[None], "choice": np.array([choice], np.int64)}
                inputs |= {"place": np.array([0.9], np.float32), "amount": amount}
                base = base.copy()
                for codes, own in zip(self._card.level_codes().values(), amount[0], strict=True):
                    pull = places.pull(weights, 0.9 * float(own))
                    place = bank.truncated(places.at(pull.shares, AT_HOME, seed, 0.0), psi)
                    base[codes] += np.float32(pull.strength) * (place - base[codes])
            cases.append((inputs, {"base": base[None]}))
        return cases

    def _motion(self, graph: Exported) -> list[Case]:
        space, codes = self._loaded.space, graph.inputs[0].shape[1:]
        state, cases = MotionState.rest(space, self._loaded.hidden), list[Case]()
        base = (space.w_avg + space.sigma_w * self._normal(*codes)).astype(np.float32)
        for _ in range(6):  # each from the state that the one before has left
            displacement, presence = (space.sigma_w * self._normal(*codes)).astype(np.float32), 0.8
            inputs = {"base": base, "mixed": displacement, "noise": style_noise(3, state.tick, base.shape)}
            inputs |= {"anchor": state.anchor, "residual": state.residual, "h": state.hidden}
            state = advance_motion(
                space, self._values, state, base, displacement, presence, 3, self._backend.step_rnn
            )  # fmt: skip
            given: AnyArrays = {name: value[None] for name, value in inputs.items()}
            given["presence"] = np.array([presence], np.float32)
            expected = {"anchor_next": state.anchor, "residual_next": state.residual, "h_next": state.hidden}
            expected["w"] = (base + state.anchor + state.residual).astype(np.float32)
            cases.append((given, {name: value[None] for name, value in expected.items()}))
        return cases

    def _mapping(self, _graph: Exported) -> list[Case]:
        codes = list[Case]()
        for seed in range(1, 4):
            z = self._loaded.seed_bank.z(seed)
            w = np.repeat(self._backend.map_latent(z)[None], self._card.num_ws, 0)
            codes.append(({"z": z[None]}, {"w": w[None]}))
        return codes

    def _synthesis(self, _graph: Exported) -> list[Case]:
        """Where a picture can be placed, the second is shifted and the others are turned, too."""
        cases = list[Case]()
        for seed in range(1, 5):
            ws = self._loaded.seed_bank.base(seed, 0.7, 0.0, None, 0.0)
            inputs: AnyArrays = {"ws": ws[None]}
            if self._card.has_placement:
                placed = np.array(PLACEMENTS[seed - 1], np.float32)
                inputs["placement"] = placed[None]
                ws = np.concatenate([ws, np.pad(placed, (0, self._card.w_dim - len(placed)))[None]])
            picture = self._backend.synthesize(ws)
            expected = {"picture": picture.transpose(2, 0, 1)[None], "rgba": rgba8(picture)[None]}
            cases.append((inputs, expected))
        return cases

    def _text(self, graph: Exported) -> list[Case]:
        assert self._card.text is not None  # noqa: S101 (the graph is exported for worlds that have one)
        tower = TextTower.from_tensors(as_torch(self._world.part("text")), self._card.text.heads)
        vocabulary, context = self._world.tensors["text.vocabulary"].tolist(), graph.inputs[0].shape[1]
        rows = [np.array([token_rows(text, vocabulary, context)], np.int64) for text in TEXTS]
        codes = tower.requires_grad_(False)(TEXTS).numpy()
        return [({"rows": row}, {"code": code[None]}) for row, code in zip(rows, codes, strict=True)]


def as_table(rows: Sequence[Row]) -> str:
    """The rows as Markdown: one line for each output, a column for each runtime."""
    names = [*dict.fromkeys(row.runtime for row in rows)]
    by: Mapping[tuple[str, str], dict[str, Row]] = {}
    for row in rows:
        by.setdefault((row.graph, row.output), {})[row.runtime] = row
    lines = [f"| graph | output | largest value | {' | '.join(names)} |", "|---|---|---" + "|---" * len(names) + "|"]
    for (graph, output), found in by.items():
        cells = " | ".join(_cell(found[name]) for name in names)
        lines.append(f"| {graph} | {output} | {next(iter(found.values())).largest:.3g} | {cells} |")
    return "\n".join(lines) + "\n"


def _cell(row: Row) -> str:
    psnr = "" if row.psnr_db is None or math.isinf(row.psnr_db) else f" ({row.psnr_db:.0f} dB)"
    return f"{row.difference:.1e}{psnr}" if row.difference else "0"
