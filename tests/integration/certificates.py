"""An authority and what it signs, made with the openssl command."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.conftest import missing

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Authority:
    """A certificate authority in a directory of its own."""

    directory: Path

    @classmethod
    def make(cls, directory: Path) -> Authority:
        """Make one that is good for a day."""
        if shutil.which("openssl") is None:
            missing("no openssl: apt install openssl", "REQUIRE_BROKER")
        directory.mkdir()
        self = cls(directory)
        self._openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-days", "1", "-subj", f"/CN=authority {directory.name}",
            "-keyout", str(self.key), "-out", str(self.certificate),
        )  # fmt: skip
        return self

    @property
    def certificate(self) -> Path:
        """What those who trust it know."""
        return self.directory / "ca.pem"

    @property
    def key(self) -> Path:
        """What it signs with."""
        return self.directory / "ca.key"

    def sign(self, name: str, *alternatives: str) -> tuple[Path, Path]:
        """Make a key and its certificate for a name, such as IP:127.0.0.1; return both paths."""
        key, request = self.directory / f"{name}.key", self.directory / f"{name}.csr"
        certificate, extra = self.directory / f"{name}.pem", self.directory / f"{name}.ext"
        extra.write_text(f"subjectAltName={','.join(alternatives or ('DNS:' + name,))}\n")
        self._openssl(
            "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", f"/CN={name}", "-keyout", str(key), "-out", str(request),
        )  # fmt: skip
        self._openssl(
            "x509", "-req", "-in", str(request), "-CA", str(self.certificate),
            "-CAkey", str(self.key), "-CAcreateserial", "-days", "1",
            "-extfile", str(extra), "-out", str(certificate),
        )  # fmt: skip
        return certificate, key

    @staticmethod
    def _openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)
