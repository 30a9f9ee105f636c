"""Signed provenance (C2PA): a manifest in the file that says who signed it, and that a trained model made the picture.

Nothing is asked of any server: no time stamp, no revocation, no remote manifest. Needs the extra `film`.
"""

from __future__ import annotations

import base64
import binascii
import io
import json
import re
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO

import av
import numpy as np

from ..engine.errors import InputError, OutputError, ValueRefused, needing_extra, one_line
from ..engine.files.encode import SYNTHETIC
from ..engine.files.fingerprint import sha256
from ..engine.files.still import encode_still

TYPES = MappingProxyType({".mp4": "video/mp4", ".mov": "video/quicktime", ".png": "image/png", ".tif": "image/tiff"})
"""Suffix -> media type of the files that can hold a manifest."""
WORLD = "org.sonorama.world"
"""Label of our own assertion: name, version, sha256 and licence of the world."""
_SOURCE_TYPE = f"http://cv.iptc.org/newscodes/digitalsourcetype/{SYNTHETIC}"
_OFFLINE = {
    "version": 1,
    "core": {"backing_store_memory_threshold_in_mb": 32},  # larger copies of the file go to the temporary folder
    "builder": {"thumbnail": {"enabled": False}},
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
}
# What a key says of itself, as DER object identifiers (RFC 8410, RFC 5480, RFC 8017) -> the algorithm of C2PA.
_ALGORITHMS = (
    (bytes.fromhex("06032b6570"), "ed25519"),
    (bytes.fromhex("06082a8648ce3d030107"), "es256"),
    (bytes.fromhex("06052b81040022"), "es384"),
    (bytes.fromhex("06052b81040023"), "es512"),
    (bytes.fromhex("06092a864886f70d010101"), "ps256"),
)
_BLOCK = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----.+?-----END [A-Z ]*PRIVATE KEY-----", re.DOTALL)
_PEM = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----(.+?)-----END", re.DOTALL)
_REWRITE = "openssl pkcs8 -topk8 -nocrypt -in KEY.pem -out NEW.pem makes one that can be used."


@dataclass(frozen=True)
class Claim:
    """What is said of a film or picture: its title, the version of sonorama, and the world's facts."""

    title: str
    made_with: str
    world: str
    version: str
    sha256: str
    licence: str

    def manifest(self) -> dict[str, Any]:
        """As C2PA's builder takes it."""
        agent = {"name": "sonorama", "version": self.made_with}
        created = {"action": "c2pa.created", "digitalSourceType": _SOURCE_TYPE, "softwareAgent": agent}
        world = {"name": self.world, "version": self.version, "sha256": self.sha256, "licence": self.licence}
        return {
            "claim_generator_info": [agent],
            "title": self.title,
            "assertions": [
                {"label": "c2pa.actions.v2", "data": {"actions": [created]}},
                {"label": WORLD, "data": world},
            ],
        }


class Signer:
    """Signs files with a certificate and its key.

    Args:
        certificate: PEM file: the signer's own first, then the chain up to the authority's.
        key: PEM file of the private key, not encrypted.

    Raises:
        InputError: one cannot be read, or C2PA takes no such certificate; tried on a small picture.
        MissingExtra: c2pa-python is not installed.

    """

    def __init__(self, certificate: Path, key: Path) -> None:
        with needing_extra():
            import c2pa
        self._c2pa = c2pa
        self._certificate, self._key = _read("certificate", certificate), _pkcs8(_read("key", key))
        self._algorithm = _algorithm(key, self._key)
        self.facts = {"certificate_sha256": sha256(certificate)}
        """For the sidecar."""
        self._context = c2pa.Context.from_dict(_OFFLINE)
        self._try(certificate)

    def sign(self, source: BinaryIO, out: BinaryIO, suffix: str, claim: Claim) -> None:
        """Copy a file and add the manifest.

        Args:
            source: open for reading.
            out: open for writing and reading.
            suffix: a key of TYPES.
            claim: what is said.

        Raises:
            OutputError: it cannot be signed.

        """
        try:
            _interruptibly(lambda: self._sign(source, out, TYPES[suffix], claim))
        except self._c2pa.C2paError as error:
            message = f"The film could not be signed: {one_line(error)}"
            raise OutputError(message, "Check the certificate, or render without --sign.") from error

    def _sign(self, source: BinaryIO, out: BinaryIO, kind: str, claim: Claim) -> None:
        info = self._c2pa.C2paSignerInfo(self._algorithm, self._certificate, self._key, None)
        with self._c2pa.Signer.from_info(info) as signer, self._c2pa.Builder(claim.manifest(), self._context) as built:
            built.sign(signer, kind, source, out)

    def _try(self, certificate: Path) -> None:
        signed = io.BytesIO()
        try:
            self._sign(io.BytesIO(_small_picture()), signed, TYPES[".png"], Claim("test", "", "", "", "", ""))
            told = read_manifest(signed, ".png")
        except self._c2pa.C2paError as error:
            message = f"{certificate} cannot sign with this key: {one_line(error)}"
            raise InputError(message, "Give the chain of certificates and the key of its first one, as PEM.") from error
        faults = [fault for fault in told["faults"] if fault != "signingCredential.untrusted"]
        if faults:
            message = f"C2PA refuses signatures of {certificate}: {', '.join(faults)}"
            raise InputError(
                message, "It takes valid ones for signing: digitalSignature, emailProtection, authority key id."
            )


@dataclass(frozen=True)
class Signing:
    """A signer, and what it signs for."""

    signer: Signer
    claim: Claim

    def file(self, source: Path, out: Path, suffix: str) -> None:
        """Write `source` with a manifest into `out`. Raises OutputError, OSError."""
        with source.open("rb") as unsigned, out.open("w+b") as signed:
            self.signer.sign(unsigned, signed, suffix, self.claim)

    def picture(self, data: bytes, suffix: str) -> bytes:
        """The same picture with a manifest. Raises OutputError."""
        signed = io.BytesIO()
        self.signer.sign(io.BytesIO(data), signed, suffix, self.claim)
        return signed.getvalue()


def read_manifest(file: BinaryIO, suffix: str, anchors: str | None = None) -> dict[str, Any]:
    """What the manifest of a file says, checked against the file without a network.

    Args:
        file: open for reading.
        suffix: a key of TYPES.
        anchors: PEM of authorities to trust; None: none.

    Returns:
        state: Invalid (changed since, or badly signed), Valid, or Trusted (and of a trusted authority); faults: their
        codes; manifest: title, assertions and signer of the newest one.

    Raises:
        C2paError: there is none, or the file is damaged.

    """
    with needing_extra():
        import c2pa
    settings = _OFFLINE if anchors is None else {**_OFFLINE, "trust": {"trust_anchors": anchors}}
    file.seek(0)
    with c2pa.Reader(TYPES[suffix], file, context=c2pa.Context.from_dict(settings)) as reader:
        told = json.loads(reader.json())
        state = reader.get_validation_state()
    faults = [fault["code"] for fault in told.get("validation_status", [])]
    return {"state": state, "faults": faults, "manifest": told["manifests"][told["active_manifest"]]}


def check_signing(certificate: Path | None, key: Path | None, suffix: str) -> Signer | None:
    """The signer for OUT; None where none is asked for.

    Raises:
        ValueRefused: one of the two files is missing.
        OutputError: this kind of file holds no manifest.
        InputError, MissingExtra: see Signer.

    """
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        lacks = "--sign CERT.pem" if certificate is None else "--key KEY.pem"
        raise ValueRefused(f"To sign, {lacks} is missing", "Give both, or neither.")
    if suffix not in TYPES:
        kind = suffix or "a stream"
        raise OutputError(f"C2PA cannot sign {kind}", f"Sign {', '.join(TYPES)}, or leave --sign out.")
    return Signer(certificate, key)


def _read(what: str, path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"The {what} {path} cannot be read: {error.strerror}", "Name a PEM file.") from error
    if not _PEM.search(data):
        raise InputError(f"The {what} {path} is no PEM file", "It must begin with -----BEGIN.")
    return data


def _pkcs8(key: bytes) -> bytes:
    """The key in the form that C2PA reads, from those that OpenSSL writes; as it is, where it is none of them."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization as form

    for block in _BLOCK.findall(key):
        with suppress(ValueError, TypeError, UnsupportedAlgorithm):
            private = form.load_pem_private_key(block, None)
            return private.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    return key


def _algorithm(path: Path, key: bytes) -> str:
    for label, body in _PEM.findall(key):
        if b"ENCRYPTED" in label or b"ENCRYPTED" in body:
            raise InputError(f"The key {path} is encrypted", _REWRITE)
        if label == b"RSA PRIVATE KEY":
            return "ps256"
        try:
            der = base64.b64decode(body)
        except binascii.Error:
            continue
        for identifier, name in _ALGORITHMS:
            if b"PRIVATE KEY" in label and identifier in der:
                return name
    raise InputError(f"{path} holds no private key that C2PA signs with", "Use ECDSA (P-256 to P-521), Ed25519 or RSA.")


def _small_picture() -> bytes:
    frame = av.VideoFrame.from_ndarray(np.zeros((8, 8, 3), np.uint8), "rgb24")
    return encode_still(frame, "png", {})


def _interruptibly(work: Callable[[], None]) -> None:
    """Run native work that takes long in a thread, so that a signal ends the program at once."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 (raised in the caller's thread)
            failed.append(error)

    thread = threading.Thread(target=run, name="signing", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(0.2)
    if failed:
        raise failed[0]
