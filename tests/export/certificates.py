"""A chain of test certificates: an authority and a signer, fresh for each run."""

import datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PEM = serialization.Encoding.PEM
KEYS = {
    "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
}


def _name(text: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, text), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Sonorama tests")]
    )


def _certificate(subject: str, key: Any, issuer: str, signer: Any, *, authority: bool, days: int) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    usage = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only"), False
    )
    built = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=20))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.BasicConstraints(authority, None), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.KeyUsage(
                digital_signature=not authority,
                key_cert_sign=authority,
                crl_sign=authority,
                decipher_only=False,
                **usage,
            ),
            critical=True,
        )
    )
    if not authority:
        built = built.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
    return built.sign(signer, None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256())


def make_chain(folder: Path, kind: str = "p256", days: int = 30) -> tuple[Path, Path, str]:
    """(chain.pem, key.pem, PEM of the authority); the signer's certificate is valid for so many more days."""
    root, key = KEYS["p256"](), KEYS[kind]()
    authority = _certificate("Test authority", root, "Test authority", root, authority=True, days=30)
    signer = _certificate("Test studio", key, "Test authority", root, authority=False, days=days)
    anchor = authority.public_bytes(PEM)
    chain, secret = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(signer.public_bytes(PEM) + anchor)
    no_password = serialization.NoEncryption()
    secret.write_bytes(key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, no_password))
    return chain, secret, anchor.decode()
