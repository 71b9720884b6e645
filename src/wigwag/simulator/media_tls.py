# SPDX-License-Identifier: Apache-2.0
"""The certificate of the media server: clients speak TLS to it, and no public authority vouches for a loopback address.

It signs itself, so whoever trusts it trusts this one server and nothing else. The private key never leaves the process
but for the moment in which OpenSSL, which reads files only, is given it.
"""

import ipaddress
import ssl
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

_SINCE, _UNTIL = datetime(2020, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)  # whatever the simulated time is


class Certificate:
    """A fresh key and a certificate for `host`, an IP address or a name. `pem` is what clients must trust."""

    def __init__(self, host: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.pem = _sign(self._key, host).public_bytes(Encoding.PEM).decode()

    def context(self) -> ssl.SSLContext:
        """What a TLS server needs to prove that it is this host."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        key = self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        with tempfile.TemporaryDirectory() as folder:  # readable by its owner alone
            both = Path(folder) / "both.pem"
            both.write_bytes(key + self.pem.encode())
            context.load_cert_chain(both)
        return context


def _sign(key: ec.EllipticCurvePrivateKey, host: str) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "wigwag simulator")])
    builder = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_SINCE)
        .not_valid_after(_UNTIL)
        .add_extension(x509.SubjectAlternativeName([_general_name(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    )
    return builder.sign(key, hashes.SHA256())


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
