"""Figures find what was put into films and tables; values by hand."""

from dataclasses import replace

import pytest
import torch

from sonorama.training.backbone import Backbone
from sonorama.training.evaluate.figures import Eyes, Reference, film_figures
from sonorama.training.evaluate.films import Row
from sonorama.training.evaluate.report import by_class, by_seed, claims, class_table, markdown, tables
from sonorama.training.metrics.flow import av_align, flow, peaks


def red_or_blue(pictures: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.normalize(pictures.mean((2, 3))[:, [0, 2]] + 1.001, dim=1)


def test_a_film_that_shows_what_is_heard() -> None:
    labels = torch.eye(2)
    red = torch.full((16, 3, 64, 64), -1.0)
    red[:, 0] = 1
    onsets = torch.zeros(15)
    onsets[[3, 9]] = 1
    red[4:, 0, :8] -= 0.5  # it changes when something is heard
    red[10:, 0, :8] += 0.5
    heard = Reference(labels[0], labels[0], labels, 0, onsets)
    figures = film_figures(red, heard, Eyes(red_or_blue, Backbone(), lambda x: red_or_blue(x).square()))
    assert figures["a<->v"] == pytest.approx(1, abs=1e-3)
    assert (figures["named"], figures["judged right"]) == (1, 1)
    assert figures["onset"] > 0.99
    assert figures["AV-Align"] == 1
    assert figures["onset, shuffled"] < 0.5 and figures["AV-Align, shuffled"] < 0.7, "at another time it fits less"
    wrong = film_figures(red, Reference(labels[1], labels[1], labels, 1, onsets), Eyes(red_or_blue, Backbone()))
    assert (wrong["a<->v"], wrong["named"]) == (pytest.approx(0, abs=1e-2), 0)
    assert "judged" not in wrong
    own = Reference(labels[0], labels[0], torch.eye(3), 2, onsets)
    judged = film_figures(red, replace(own, labels=labels), Eyes(red_or_blue, Backbone(), lambda x: red_or_blue(x)))
    assert "judged" not in judged and "onset" in judged, "a class that the judge does not know"
    still = film_figures(red[:1].expand(16, -1, -1, -1), heard, Eyes(red_or_blue, Backbone()))
    assert still["identity"] == pytest.approx(0, abs=1e-6)
    assert (still["change"], still["onset"]) == (0, 0)


def test_flow_finds_the_way_of_a_moving_picture() -> None:
    x = torch.linspace(0, 12.6, 64)
    frames = torch.stack([torch.sin(x - 0.2 * t)[None, None].expand(3, 32, 64) for t in range(3)])
    right, down = flow(frames).mean((2, 3)).unbind(1)
    assert right.mean().item() == pytest.approx(1.0, abs=0.25)  # 0.2 of a wave of 0.2 a px
    assert down.abs().max() < 0.05


def test_av_align_is_intersection_over_union_of_peaks() -> None:
    onsets, motion = torch.zeros(12), torch.zeros(12)
    onsets[[2, 7]] = 1
    motion[[3, 10]] = 1
    assert peaks(onsets, 0.3) == [2, 7]
    assert av_align(onsets, motion) == pytest.approx(1 / 3)
    assert av_align(onsets, onsets) == 1
    assert av_align(onsets, torch.zeros(12)) == 0


def rows(ours: float, other: float) -> list[Row]:
    return [
        Row(name, "rain", source, seed, {"onset": value + 0.01 * seed + (0.1 if source == "b" else 0)})
        for name, value in (("ours", ours), ("without sound", other), ("wrong sound", other))
        for seed in range(1, 6)
        for source in ("a", "b")
    ]


def test_tables_are_over_seeds_and_claims_need_intervals_apart() -> None:
    found = tables(rows(0.5, 0.2))
    assert by_seed(rows(0.5, 0.2), "ours", "onset") == pytest.approx([0.56, 0.57, 0.58, 0.59, 0.60])
    ours = found["ours"]["onset"]
    # 0.58 +- t(4) s / sqrt(5), s = 0.0158
    assert (ours.mean, ours.high - ours.mean) == (
        pytest.approx(0.58),
        pytest.approx(2.776 * 0.0158114 / 5**0.5, rel=1e-3),
    )
    assert claims(found)["ours"]["onset"] == {"without sound": True, "wrong sound": True}
    assert claims(tables(rows(0.5, 0.49)))["ours"]["onset"] == {"without sound": False, "wrong sound": False}
    assert "| ours | 0.580 (0.560 to 0.600) |" in markdown(found)
    more = [replace(r, figures={**r.figures, "judged": 0.5}) if r.source == "b" else r for r in rows(0.5, 0.2)]
    assert tables(more)["ours"]["judged"].mean == 0.5 and tables(more)["ours"]["onset"] == ours
    with pytest.raises(ValueError, match="seeds"):
        tables([r for r in rows(0.5, 0.2) if r.seed < 4])


def test_classes_are_counted_apart() -> None:
    rows = [
        Row(condition, name, "s", seed, {"judged right": right})
        for condition, name, seed, right in (
            ("ours", "rain", 1, 1.0), ("ours", "rain", 2, 0.0), ("ours", "fire", 1, 1.0), ("film", "rain", 1, 1.0)
        )
    ]  # fmt: skip
    rows.append(Row("ours", "birds", "s", 1, {"named": 1.0}))  # a class that the judge does not know
    found = by_class(rows)
    assert found == {"rain": {"ours": 0.5, "film": 1.0}, "fire": {"ours": 1.0}}
    assert "| rain | 50% | 100% |\n| fire | 100% |  |\n" in class_table(found)
    assert by_class([rows[-1]]) == {"birds": {"ours": 1.0}}
