"""Recordings kept for figures: whole sources, none of a class with few."""

import numpy as np

from sonorama.training.data.recordings import Recording
from sonorama.training.data.splits import final_sources, split


def recording(class_id: str, source: str, number: int = 0) -> Recording:
    return Recording(f"{class_id}/{source}-{number}.wav", class_id, source, np.zeros(4, np.float32))


def test_whole_sources_are_kept_for_figures() -> None:
    found = [recording("rain", f"s{i}", n) for i in range(7) for n in range(2)]
    found += [recording("lava", f"s{i}") for i in range(2)]
    development, final = split(found)
    assert {r.source for r in final} == {"s2"}
    assert len(final) == 2
    assert [r for r in found if r not in final] == development
    assert not {(r.class_id, r.source) for r in development} & final_sources(found)
    assert sum(r.class_id == "lava" for r in development) == 2
