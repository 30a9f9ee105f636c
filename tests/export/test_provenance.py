"""Signed films and pictures, read back by C2PA's own library without a network."""

import json
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from sonorama.engine.cli.main import main
from sonorama.engine.errors import InputError, MissingExtra, OutputError, ValueRefused
from sonorama.engine.files.fingerprint import fingerprint
from sonorama.engine.units import DEFAULT_WORLD
from sonorama.export.provenance import check_signing, read_manifest
from sonorama.export.render import RenderJob, render

from .certificates import KEYS, make_chain
from .helpers import PatternSource, maker, pixels, probe


@pytest.fixture
def chain(tmp_path: Path) -> tuple[Path, Path, str]:
    folder = tmp_path / "keys"
    folder.mkdir()
    return make_chain(folder)


def manifest(path: Path, anchors: str | None = None) -> dict[str, Any]:
    with path.open("rb") as file:
        return read_manifest(file, path.suffix, anchors)


def assertions(told: dict[str, Any]) -> dict[str, Any]:
    return {one["label"]: one["data"] for one in told["manifest"]["assertions"]}


@pytest.mark.parametrize(("name", "preset"), [("a.mp4", "h264"), ("a.mov", "prores-422hq"), ("b.mov", "hap")])
def test_a_signed_film_says_what_made_it(
    tmp_path: Path, stage: PatternSource, sound: Path, chain: tuple[Path, Path, str], name: str, preset: str
) -> None:
    plain, out = tmp_path / f"plain-{name}", tmp_path / name
    fps = Fraction(25)
    render(RenderJob(sound, plain, fps=fps, preset=preset), None, maker(stage))
    render(RenderJob(sound, out, fps=fps, preset=preset, sign=chain[0], key=chain[1]), None, maker(stage))
    told = manifest(out, chain[2])
    assert told["state"] == "Trusted"
    assert told["manifest"]["title"] == "rain"
    assert told["manifest"]["signature_info"]["common_name"] == "Test studio"
    assert "time" not in told["manifest"]["signature_info"]  # no time-stamp service was asked
    said = assertions(told)
    (action,) = said["c2pa.actions.v2"]["actions"]
    assert action["action"] == "c2pa.created"
    assert action["digitalSourceType"].endswith("/digitalsourcetype/trainedAlgorithmicMedia")
    assert action["softwareAgent"]["name"] == "sonorama"
    wanted = {"name": "card", "version": "7", "sha256": "5a" * 32, "licence": "CC BY 4.0"}
    assert said["org.sonorama.world"] == wanted
    assert manifest(out)["state"] == "Valid"  # unchanged, of an authority that nobody trusts
    # The pictures and the sound are the same, and the index is still in front.
    assert (pixels(out, "rgb24", (64, 64)) == pixels(plain, "rgb24", (64, 64))).all()
    assert probe(out)["audio"]["nb_frames"] == probe(plain)["audio"]["nb_frames"]
    data = out.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    # The sidecar is about the signed film.
    sidecar = json.loads((tmp_path / f"{name}.json").read_text())
    assert sidecar["film"] == fingerprint(out)
    assert sidecar["signed"] == {"certificate_sha256": fingerprint(chain[0])["sha256"]}
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_the_same_signed_film_is_left_alone(
    tmp_path: Path, stage: PatternSource, sound: Path, chain: tuple[Path, Path, str]
) -> None:
    job = RenderJob(sound, tmp_path / "a.mp4", sign=chain[0], key=chain[1])
    render(job, None, maker(stage))
    assert render(job, None, maker(stage)).was_there
    with pytest.raises(OutputError, match="signed differ"):
        render(RenderJob(sound, tmp_path / "a.mp4"), None, maker(stage))


def test_a_changed_byte_is_noticed(
    tmp_path: Path, stage: PatternSource, sound: Path, chain: tuple[Path, Path, str]
) -> None:
    out = tmp_path / "a.mp4"
    render(RenderJob(sound, out, sign=chain[0], key=chain[1]), None, maker(stage))
    data = bytearray(out.read_bytes())
    for at in (data.index(b"mdat") + 100, len(data) - 1):
        changed = data.copy()
        changed[at] ^= 1
        (tmp_path / "changed.mp4").write_bytes(changed)
        told = manifest(tmp_path / "changed.mp4", chain[2])
        assert told["state"] == "Invalid"
        assert "assertion.bmffHash.mismatch" in told["faults"]


@pytest.mark.parametrize("preset", ["png", "tiff16"])
def test_every_picture_of_a_sequence_is_signed(
    tmp_path: Path, stage: PatternSource, sound: Path, chain: tuple[Path, Path, str], preset: str
) -> None:
    job = RenderJob(sound, tmp_path / "shots", fps=Fraction(10), preset=preset, sign=chain[0], key=chain[1])
    render(job, None, maker(stage))
    files = sorted((tmp_path / "shots").glob("frame_*"))
    assert len(files) == 2
    for file in files:
        told = manifest(file, chain[2])
        assert told["state"] == "Trusted"
        assert assertions(told)["org.sonorama.world"]["name"] == "card"
        assert pixels(file, "rgb48le", (64, 64)).shape == (1, 64, 64, 3)
    data = bytearray(files[0].read_bytes())
    data[len(data) // 2] ^= 1
    files[0].write_bytes(data)
    assert manifest(files[0])["state"] == "Invalid"
    stage.painted = 0
    render(job, None, maker(stage))  # paints only what was changed
    assert stage.painted == 1


@pytest.mark.parametrize("kind", sorted(KEYS))
def test_every_kind_of_key_signs(tmp_path: Path, kind: str) -> None:
    chain, key, _ = make_chain(tmp_path, kind)
    assert check_signing(chain, key, ".mp4") is not None


@pytest.mark.parametrize("kind", ["p256", "rsa"])
def test_keys_as_openssl_writes_them_sign(tmp_path: Path, kind: str) -> None:
    """`BEGIN EC PRIVATE KEY`, behind its parameters, and `BEGIN RSA PRIVATE KEY`."""
    chain, key, _ = make_chain(tmp_path, kind)
    private = load_pem_private_key(key.read_bytes(), None)
    plain = private.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    parameters = b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
    key.write_bytes((parameters if kind == "p256" else b"") + plain)
    assert check_signing(chain, key, ".mp4") is not None


@pytest.mark.parametrize(("out", "preset"), [("a.mkv", "ffv1"), ("a.mxf", "dnxhr-hqx"), ("shots", "exr")])
def test_what_cannot_be_signed_is_refused_before_any_work(
    tmp_path: Path, stage: PatternSource, sound: Path, chain: tuple[Path, Path, str], out: str, preset: str
) -> None:
    with pytest.raises(OutputError, match="C2PA cannot sign") as caught:
        render(RenderJob(sound, tmp_path / out, preset=preset, sign=chain[0], key=chain[1]), None, maker(stage))
    assert len(str(caught.value).splitlines()) == 2
    assert stage.painted == stage.heard == 0
    assert not (tmp_path / out).exists()


def test_one_of_the_two_files_alone_is_refused(chain: tuple[Path, Path, str]) -> None:
    with pytest.raises(ValueRefused, match="--key"):
        check_signing(chain[0], None, ".mp4")
    with pytest.raises(ValueRefused, match="--sign"):
        check_signing(None, chain[1], ".mp4")
    assert check_signing(None, None, ".mkv") is None


def test_files_that_do_not_sign_are_refused(tmp_path: Path, chain: tuple[Path, Path, str]) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        check_signing(tmp_path / "none.pem", chain[1], ".mp4")
    (tmp_path / "text.pem").write_text("hello")
    with pytest.raises(InputError, match="no PEM"):
        check_signing(tmp_path / "text.pem", chain[1], ".mp4")
    with pytest.raises(InputError, match="no private key"):
        check_signing(chain[0], chain[0], ".mp4")
    locked = tmp_path / "locked.pem"
    locked.write_bytes(chain[1].read_bytes().replace(b"PRIVATE KEY", b"ENCRYPTED PRIVATE KEY"))
    with pytest.raises(InputError, match="encrypted"):
        check_signing(chain[0], locked, ".mp4")
    (tmp_path / "other").mkdir()
    _, other, _ = make_chain(tmp_path / "other")
    with pytest.raises(InputError):
        check_signing(chain[0], other, ".mp4")


def test_a_certificate_that_has_ended_is_refused(tmp_path: Path) -> None:
    chain, key, _ = make_chain(tmp_path, days=-10)
    with pytest.raises(InputError, match=r"C2PA refuses|cannot sign"):
        check_signing(chain, key, ".mp4")


def test_a_missing_extra_is_named(chain: tuple[Path, Path, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "c2pa", None)
    with pytest.raises(MissingExtra) as caught:
        check_signing(chain[0], chain[1], ".mp4")
    assert caught.value.hint == "pip install 'sonorama[film]'"


def test_the_command_line_and_the_environment(
    tmp_path: Path,
    sound: Path,
    chain: tuple[Path, Path, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SONORAMA_SIGN_CERT", str(chain[0]))
    monkeypatch.setenv("SONORAMA_SIGN_KEY", str(chain[1]))
    assert main(["render", str(sound), "-o", str(tmp_path / "a.mkv")]) == 2
    assert "C2PA cannot sign .mkv" in capsys.readouterr().err
    begin = ["render", str(sound), "-o", str(tmp_path / "a.mp4"), "--duration", "0.05", "--size", "64x64"]
    assert main(begin) == 0
    told = manifest(tmp_path / "a.mp4", chain[2])
    assert told["state"] == "Trusted"
    world = assertions(told)["org.sonorama.world"]
    assert world["name"] == DEFAULT_WORLD
    assert world["licence"] == "CC BY-SA 4.0"
    assert main([*begin, "--overwrite", "--sign", "none"]) == 0
    assert b"c2pa" not in (tmp_path / "a.mp4").read_bytes()
