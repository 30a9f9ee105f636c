"""Two CPU processes train stage 0 to the weights that one process makes, within rounding."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor

from sonorama.engine.errors import InputError
from sonorama.training.data.photos import picture_set
from sonorama.training.processes import Devices, Processes

from ..wide_data import wide_data
from .test_generator import TINY
from .train_together import main as train_together

ROOT = Path(__file__).parents[3]


def flat(weights: dict[str, Tensor]) -> Tensor:
    return torch.cat([value.double().flatten() for value in weights.values()])


def test_two_processes_make_what_one_makes(tmp_path: Path) -> None:
    data = wide_data(tmp_path, photos=9)
    picture_set(data, data / "set.safetensors", *TINY.shape(), z_dim=8)
    command = [sys.executable, str(Path(__file__).with_name("train_together.py")), str(data), "2"]
    one_thread = {"OMP_NUM_THREADS": "1", "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    done = subprocess.run(command, env=os.environ | one_thread, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    train_together(data, 1)
    torch.set_num_threads(before)
    alone, first, second = (torch.load(data / f"{name}.pt", weights_only=True) for name in ("1-0", "2-0", "2-1"))
    assert torch.equal(alone["random"], first["random"]) and torch.equal(alone["random"], second["random"])
    for part in ("generator", "average", "judges"):
        start, end, ends = (flat(x[part]) for x in (alone["start"], alone["end"], first["end"]))
        assert torch.equal(ends, flat(second["end"][part])), part
        # Adam takes whole steps on gradients that are zero but for rounding: single weights may be one step apart.
        assert (ends - end).norm() < 0.01 * (end - start).norm(), part
        assert (ends - end).abs().max() < 1e-3, part


def test_gradients_keep_the_memory_format_of_their_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fused Adam goes through both as they lie in memory."""
    monkeypatch.setattr(Processes, "_reduced", lambda _, x, how: 2 * x)
    p = torch.nn.Parameter(torch.randn(4, 3, 3, 3).contiguous(memory_format=torch.channels_last))
    p.grad = torch.randn_like(p)
    wanted = 2 * p.grad
    Processes(size=2).average_gradients([p])
    assert torch.equal(p.grad, wanted) and p.grad.stride() == p.stride()


@pytest.mark.parametrize(
    ("device", "capable", "gpu", "has"),
    [
        ("cpu", {"avx2": True, "avx512_f": True, "avx512_bf16": False}, True, False),
        ("cpu", {"avx512_bf16": True}, False, True),
        ("cpu", {"amx_bf16": True}, False, True),
        ("cpu", {}, True, False),
        ("cuda", {}, True, True),
        ("cuda", {"avx512_bf16": True}, False, False),  # it would be emulated
    ],
)
def test_bfloat16_is_used_where_there_are_instructions_for_it(
    monkeypatch: pytest.MonkeyPatch, device: str, capable: dict[str, bool], gpu: bool, has: bool
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capable)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: gpu or including_emulation)
    assert Processes(torch.device(device)).has_bfloat16 is has


def test_what_cannot_be_shared_is_refused() -> None:
    three = Processes(size=3)
    with pytest.raises(InputError, match="8 pictures a step cannot be shared by 3 processes"):
        three.check_batches([8])
    with pytest.raises(InputError, match="begin at 1"):
        Devices(devices=0).launch()
    with pytest.raises(InputError, match="one device"):
        Devices("cuda:1", devices=2).launch()
    with pytest.raises(InputError, match="no such device"):
        Devices("abacus").launch()
    assert Devices("auto").launch().size == 1
