"""The generator for CUDA, computed on the CPU: every form paints the reference's pictures, in float32 and below."""

import pytest
import torch
from torch import Tensor

from sonorama.engine.model.config import GeneratorConfig
from sonorama.engine.model.generator import Synthesis, fir_kernel, upsample2
from sonorama.engine.model.generator_fused import ALL_FORMS, Form, FusedSynthesis

from ...gpu.gpu_checks.networks import seeded

EXACT = 2e-5
"""Norm of the difference to the reference, relative to the picture's, in float32 (measured: 1.1e-6 at most)."""
HALF, BFLOAT16 = 3e-3, 2.5e-2
"""The same in lower precision (measured: 0.9 to 1.2e-3, and 5e-3 to 1.6e-2)."""
NARROW = GeneratorConfig(32, 16, 32, 1, 256, 16)
WIDE = GeneratorConfig(16, 16, 64, 1, 1024, 128)
OBLONG = GeneratorConfig(16, 16, 64, 1, 512, 48, 4, 7)


def codes(config: GeneratorConfig, scale: float = 1.0) -> Tensor:
    shape = 1, config.num_ws + 1, config.w_dim  # a world may have codes of its own, which are not painted
    return torch.randn(shape, generator=torch.Generator().manual_seed(7)) * scale


def painted(picture: Tensor) -> Tensor:
    return (picture * 0.5 + 0.5).clamp(0, 1)


def error(picture: Tensor, expected: Tensor) -> float:
    return float((picture - expected).norm() / expected.norm())


@pytest.mark.parametrize("form", ALL_FORMS, ids=str)
@pytest.mark.parametrize("config", [NARROW, WIDE, OBLONG], ids=["narrow", "wide", "oblong"])
def test_every_form_paints_the_reference_s_pictures(config: GeneratorConfig, form: Form) -> None:
    synthesis, ws = seeded(config), codes(config)
    exact = painted(synthesis(ws))
    assert 0.1 < exact.std() < 0.5
    assert error(FusedSynthesis(synthesis, form)(ws), exact) < EXACT
    assert error(FusedSynthesis(synthesis, form, torch.float16)(ws), exact) < HALF
    assert error(FusedSynthesis(synthesis, form, torch.bfloat16)(ws), exact) < BFLOAT16


def test_hybrid_modulates_some_layers_by_their_kernels_and_some_by_their_features() -> None:
    ways = [layer.by_weights for layer in FusedSynthesis(seeded(NARROW), Form("hybrid")).layers]
    assert ways[0] is False
    assert ways[-1] is True


def test_early_exit_is_the_smaller_picture_enlarged_by_the_skip_connection() -> None:
    synthesis, ws = seeded(OBLONG), codes(OBLONG)
    expected = painted(upsample2(synthesis(ws, size=8), fir_kernel(4.0)))
    fused = FusedSynthesis(synthesis, early_exit=True)
    torch.testing.assert_close(fused(ws), expected, atol=1e-5, rtol=0)
    assert len(fused.layers) == len(FusedSynthesis(synthesis).layers) - 2


@pytest.mark.parametrize("scale", [1e-6, 1.0, 30.0])
def test_styles_of_any_size_neither_overflow_nor_vanish(scale: float) -> None:
    """Squared styles of this size pass the largest float16 number; demodulation takes their size away again."""
    synthesis, ws = seeded(WIDE), codes(WIDE, scale)
    for block in synthesis.children():
        block.get_submodule("torgb").get_submodule("affine").get_parameter(
            "weight"
        ).zero_()  # colours have no demodulation
    exact = painted(synthesis(ws))
    assert error(FusedSynthesis(synthesis)(ws), exact) < EXACT
    assert error(FusedSynthesis(synthesis, dtype=torch.float16)(ws), exact) < HALF


def with_features_of(synthesis: Synthesis, size: float) -> Synthesis:
    """The same pictures from features of another size: biases and noise grow with the constant, colours shrink."""
    for name, tensor in synthesis.named_parameters():
        if name.endswith(("const", "noise_strength")) or (
            name.endswith("bias") and ".conv" in name and "affine" not in name
        ):
            tensor.mul_(size)
        elif name.endswith("torgb.weight"):
            tensor.div_(size)
    return synthesis


def test_features_beyond_256_are_not_limited() -> None:
    ws = codes(NARROW)
    exact = painted(seeded(NARROW)(ws))
    large = with_features_of(seeded(NARROW), 1000.0)
    assert error(painted(large(ws)), exact) < EXACT
    assert error(FusedSynthesis(large, dtype=torch.float16)(ws), exact) < HALF


def test_features_that_overflow_are_limited_and_a_wider_format_paints_them() -> None:
    ws, large = codes(NARROW), with_features_of(seeded(NARROW), 30000.0)
    exact = painted(large(ws))
    half, wide = (FusedSynthesis(large, dtype=dtype)(ws) for dtype in (torch.float16, torch.bfloat16))
    assert half.isfinite().all()
    assert error(half, exact) > HALF
    assert error(wide, exact) < BFLOAT16


def test_a_kernel_and_a_style_of_zeros_paint_no_nan() -> None:
    synthesis = seeded(NARROW)
    conv = synthesis.get_submodule("b8").get_submodule("conv0")
    conv.get_parameter("weight")[0] = 0.0
    conv.get_submodule("affine").get_parameter("weight").zero_()
    conv.get_submodule("affine").get_parameter("bias").zero_()
    for dtype in (torch.float32, torch.float16, torch.bfloat16):
        assert FusedSynthesis(synthesis, dtype=dtype)(codes(NARROW)).isfinite().all()
