"""Exported graphs compute what torch computes, in every runtime, and other programs find all they need beside them."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from sonorama.engine.cli.main import main
from sonorama.engine.control.render_table import TABLE
from sonorama.engine.errors import OutputError, SonoramaError
from sonorama.engine.inference.graphs.graph import Graph
from sonorama.engine.inference.graphs.text_tower import write_text
from sonorama.engine.inference.runtimes import onnxruntime
from sonorama.engine.model.joint_space import token_rows
from sonorama.engine.model.mel import ENCODER_COLUMNS, log_mel
from sonorama.engine.model.world_file import World, load_world, read_card
from sonorama.export.graphs import parity
from sonorama.export.graphs.build import GraphWriter
from sonorama.export.graphs.export import export_world
from sonorama.export.graphs.log_mel import log_mel_window, samples_of
from sonorama.export.graphs.manifest import manifest_of
from sonorama.export.graphs.parity import Reference, Row, check, compare_graph
from sonorama.export.graphs.ports import Port, add_inputs, save
from sonorama.export.graphs.runtimes import CPU, in_onnxruntime, runtimes

from .playing import told

GRAPHS = {"sound.onnx", "encoder.onnx", "base.onnx", "motion.onnx", "mapping.onnx", "synthesis.onnx"}


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"sonorama.files"}


def test_the_command_prints_and_keeps_the_comparison(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "small"
    assert main(["export", world.card.path, "-o", str(out), "--precision", "fp16", "--opset", "18"]) == 0
    printed = capsys.readouterr().out
    assert files(out) == GRAPHS | {"manifest.json"}
    manifest = told(out)
    assert (manifest["precision"], manifest["opset"]) == ("fp16", 18)
    for name in GRAPHS:
        model = onnx.load(out / name)
        onnx.checker.check_model(model, full_check=True)
        assert model.opset_import[0].version == 18
    compared = {(row["graph"], row["output"], row["runtime"]) for row in manifest["parity"]}
    graphs = manifest["graphs"].items()
    outputs = {(name, port["name"]) for name, graph in graphs for port in graph["outputs"]}
    assert compared == {(*output, runtime) for output in outputs for runtime in runtimes()}
    assert {name.split()[0] for name in runtimes()} >= {"ONNX"}
    for graph, output in outputs:
        assert f"| {graph} | {output} |" in printed


def test_the_manifest_says_what_the_graphs_take_and_give(world: World, folder: Path) -> None:
    manifest, card = told(folder), world.card
    assert files(folder) == GRAPHS | {"manifest.json", "world.safetensors"}
    kinds = {"float32": onnx.TensorProto.FLOAT, "uint8": onnx.TensorProto.UINT8, "int64": onnx.TensorProto.INT64}
    for graph in manifest["graphs"].values():
        model = onnx.load(folder / graph["file"])
        for ports, values in ((graph["inputs"], model.graph.input), (graph["outputs"], model.graph.output)):
            expected = [(p["name"], kinds[p["type"]], p["shape"]) for p in ports]
            found = [(v.name, v.type.tensor_type) for v in values]
            assert expected == [(name, kind.elem_type, [d.dim_value for d in kind.shape.dim]) for name, kind in found]
    rates = {name: graph["rate"] for name, graph in manifest["graphs"].items()}
    assert rates == {"sound": 44_100 / 10_752, "encoder": 10, "base": 0, "motion": 15, "mapping": 0, "synthesis": 0}
    assert manifest["labels"] == [*card.classes, *card.names]
    assert manifest["levels"] == {"coarse": [0, 3], "mid": [3, 7], "fine": [7, 10]}
    np.testing.assert_array_equal(np.float32(manifest["w_avg"]), world.tensors["generator.mapping.w_avg"])
    by_path = {one["path"]: one for one in manifest["parameters"]}
    assert by_path["/motion/mid/follow"] == {
        "path": "/motion/mid/follow", "graph": "motion", "input": "follow", "index": 1, "default": 0.25, "low": 0.01,
        "high": 5.0, "unit": "s", "about": TABLE["/motion/mid/follow"].doc,
    }  # fmt: skip
    assert by_path["/meaning/3/floor"]["index"] == 2
    assert read_card(folder / "world.safetensors").content == manifest["world"]["content"] == card.content


def test_the_mel_front_end_is_the_engine_s(tmp_path: Path) -> None:
    graph, samples = Graph("mel"), Port("samples", (1, samples_of(ENCODER_COLUMNS)), "")
    log_mel_window(graph, add_inputs(graph, [samples])["samples"], ENCODER_COLUMNS)
    save(graph, tmp_path / "mel.onnx", [Port("window", (1, 1, 128, ENCODER_COLUMNS), "")])
    run, rng = in_onnxruntime(tmp_path / "mel.onnx"), np.random.default_rng(1)
    sweep = np.sin(np.cumsum(np.linspace(0.001, 3.1, samples.shape[1]))).astype(np.float32)
    for sound in (sweep, 1e-3 * sweep, rng.standard_normal(samples.shape[1]).astype(np.float32), 0 * sweep):
        expected = log_mel(sound)[:, -ENCODER_COLUMNS:]
        np.testing.assert_allclose(run({"samples": sound[None]})["window"][0, 0], expected, atol=2e-4)


@pytest.mark.parametrize("provider", ["CPUExecutionProvider", "CUDAExecutionProvider", "TensorrtExecutionProvider"])
def test_every_provider_computes_the_same(world: World, folder: Path, provider: str) -> None:
    if provider not in onnxruntime().get_available_providers():
        pytest.skip(f"this ONNX Runtime has no {provider}")
    reference, half_folder = Reference(world), folder.parent / "half"
    half_folder.mkdir(exist_ok=True)
    for half, where in ((False, folder), (True, half_folder)):
        for graph in GraphWriter(world, half_folder, half, 20).write():
            try:
                run = in_onnxruntime(where / f"{graph.name}.onnx", provider)
            except RuntimeError as error:
                assert provider != CPU
                pytest.skip(str(error))
            for row in compare_graph(graph, reference.cases(graph), run, provider):
                check(row, half)


def test_the_words_of_shore_at_another_opset(tmp_path: Path) -> None:
    """Without the operator Gelu; tests/engine/inference/graphs holds the form with it to torch."""
    shore = load_world("shore")
    write_text(shore, tmp_path / "played.onnx")
    exported = [*GraphWriter(shore, tmp_path, True, 18).write()]
    words = manifest_of(shore, exported, tmp_path, "fp16", 18, [])["text"]
    rows = np.array([token_rows("a storm over black rocks", words["vocabulary"], words["context"])])
    expected = in_onnxruntime(tmp_path / "played.onnx")({"rows": rows})["code"]
    for open_graph in runtimes().values():
        np.testing.assert_allclose(open_graph(tmp_path / "text.onnx")({"rows": rows})["code"], expected, atol=1e-5)


def test_a_graph_that_differs_is_not_exported(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tensors = world.tensors | {"motion.w_avg": world.tensors["motion.w_avg"] + 1}
    monkeypatch.setattr(parity, "runtimes", lambda: {"ONNX Runtime": in_onnxruntime})  # one is enough
    monkeypatch.setattr(parity, "Reference", lambda _world: Reference(World(world.card, tensors)))
    with pytest.raises(SonoramaError, match=r"motion\.onnx differs from torch in ONNX Runtime"):
        export_world(world, tmp_path / "out")
    assert not list(tmp_path.iterdir())
    with pytest.raises(SonoramaError, match="picture"):
        check(Row("synthesis", "picture", "some", 0.01, 1.0, 39.9), half=True)


def test_a_rerun_replaces_its_own_files_only(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sonorama.export.graphs.export.compare", lambda *_: [])
    out = tmp_path / "out"
    export_world(world, out)
    before = {path.name: path.read_bytes() for path in out.iterdir() if path.name != "sonorama.files"}
    export_world(world, out, precision="fp16")
    assert files(out) == GRAPHS | {"manifest.json"}
    export_world(world, out)
    assert {path.name: path.read_bytes() for path in out.iterdir() if path.name != "sonorama.files"} == before
    (out / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"holds notes\.txt, not written by sonorama export"):
        export_world(world, out)
    (out / "notes.txt").rename(out / ".notes")
    with pytest.raises(OutputError, match=r"holds \.notes, not written by sonorama export"):
        export_world(world, out)
    (out / ".notes").rename(out / ".DS_Store")
    export_world(world, out)
    (out / ".DS_Store").unlink()
    with (out / "sound.onnx").open("ab") as file:
        file.write(b"mine")
    with pytest.raises(OutputError, match=r"sound\.onnx in .* was changed since it was exported"):
        export_world(world, out)
    assert {path.name: path.read_bytes() for path in out.iterdir() if path.name != "sonorama.files"} == before | {
        "sound.onnx": before["sound.onnx"] + b"mine"
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no-such-world", "-o", "{out}"], "no-such-world: no such world"),
        (["{world}", "-o", "{full}"], "holds cat.png, not written by sonorama export"),
        (["{world}", "-o", "{full}/cat.png"], "is a file, not a folder"),
        (["{world}", "-o", "{out}/deeper/still"], "There is no folder"),
        (["{world}", "-o", "{out}", "--opset", "17"], "--opset 17 is not possible"),
        (["{world}", "-o", "{out}", "--precision", "int8"], "invalid choice: 'int8'"),
        (["{world}", "-o", "-"], "- stands for standard output"),
    ],
)
def test_bad_input_is_refused_in_two_lines(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    full = tmp_path / "full"
    full.mkdir()
    (full / "cat.png").write_bytes(b"a cat")
    names = {"world": world.card.path, "out": tmp_path / "out", "full": full}
    assert main(["export", *(one.format(**names) for one in arguments)]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.splitlines()) == 2
    assert (full / "cat.png").read_bytes() == b"a cat"
    assert not (tmp_path / "out").exists()
