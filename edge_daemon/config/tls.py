"""Certificates and their keys, from files; nobody is asked for a passphrase."""

from __future__ import annotations

import contextlib
import ssl
from typing import TYPE_CHECKING

from edge_daemon.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from edge_daemon.config.models import HttpConfig


def https_context(config: HttpConfig) -> ssl.SSLContext | None:
    """Return what HTTPS is to show, None for plain HTTP.  Raises ConfigError naming the files."""
    if config.tls_cert_file is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    where = "http.tls_cert_file, http.tls_key_file"
    load_certificate(context, config.tls_cert_file, config.tls_key_file, where=where)
    return context


def load_certificate(
    context: ssl.SSLContext, certificate: Path, key: Path | None, *, where: str
) -> None:
    """Have the context show a certificate.  Raises ConfigError, also when the key is another's."""
    with readable(where):
        context.load_cert_chain(certificate, key, password=_no_passphrase)


@contextlib.contextmanager
def readable(where: str) -> Iterator[None]:
    """Turn what goes wrong in reading certificates and keys into a ConfigError."""
    hint = "name PEM files that the daemon's user may read; the key without a passphrase"
    try:
        yield
    except ssl.SSLError as exc:
        why = f" ({exc.reason})" if exc.reason else ""
        what = f"no certificate, or not the key to it{why}"
        raise ConfigError(what, where=where, hint=hint) from exc
    except OSError as exc:
        raise ConfigError(f"cannot be read: {exc.strerror}", where=where, hint=hint) from exc
    except ValueError as exc:
        raise ConfigError("the key has a passphrase", where=where, hint=hint) from exc


def _no_passphrase() -> str:
    raise ValueError  # else OpenSSL would ask on the terminal
