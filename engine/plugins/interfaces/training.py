"""Interface of training stages: steps of `python -m sonorama.training world`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable


class StageRun(Protocol):
    """The training run that a stage belongs to.

    Attributes:
        root: data folder, with MANIFEST.tsv.
        work: work folder; what a stage keeps there lets an interrupted training go on.

    """

    @property
    def root(self) -> Path:
        """See above."""
        ...

    @property
    def work(self) -> Path:
        """See above."""
        ...

    def note(self, name: str, measures: dict[str, Any]) -> None:
        """Keep the figures of a stage, JSON values, for the world's card."""
        ...


@runtime_checkable
class TrainingStage(Protocol):
    """One step on the way from data to a world file.

    The entry point (group `sonorama.training_stages`) is a factory without arguments, usually the class itself; its
    name is the stage's. sonorama's own stages always run; one of another package runs when `--stage NAME` asks for it.
    Stages run in one thread, each after those that make its inputs. Import torch inside `run`.

    Attributes:
        inputs: names of outputs of other stages that it needs.
        outputs: names that it makes; no other stage may make the same.

    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def run(self, run: StageRun, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """Make the outputs, by name. An output of another package's stage is a mapping of names to torch tensors; it is
        packed into the world file below the output's name: output `palette` with tensor `colours` is `palette.colours`.

        Raises:
            SonoramaError: data or inputs do not suffice; the training stops with two lines.

        """
        ...
