"""What the connection to the broker trusts, and what it shows."""

from __future__ import annotations

import contextlib
import ssl
from typing import TYPE_CHECKING, Any

from edge_daemon.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_daemon.config.models import MqttConfig


class TlsContext(ssl.SSLContext):
    """Knows the socket it wrapped last: paho leaves it open when the handshake fails."""

    wrapped: ssl.SSLSocket | None = None

    def wrap_socket(self, *args: Any, **kwargs: Any) -> ssl.SSLSocket:  # noqa: ANN401  passed on
        """As ssl.SSLContext does."""
        self.wrapped = super().wrap_socket(*args, **kwargs)
        return self.wrapped


def tls_context(config: MqttConfig) -> TlsContext:
    """Return what TLS is to trust and to show.  Raises ConfigError naming the file at fault."""
    context = TlsContext(ssl.PROTOCOL_TLS_CLIENT)  # verifies certificate and host name
    if config.ca_file is None:
        context.load_default_certs()
    else:
        with _readable("mqtt.ca_file"):
            context.load_verify_locations(config.ca_file)
    if config.cert_file is not None:
        with _readable("mqtt.cert_file, mqtt.key_file"):
            context.load_cert_chain(config.cert_file, config.key_file, password=_no_passphrase)
    return context


@contextlib.contextmanager
def _readable(where: str) -> Iterator[None]:
    hint = "name PEM files that the daemon's user may read; the key without a passphrase"
    try:
        yield
    except ssl.SSLError as exc:
        what = f"no certificate, or not the key to it ({exc.reason})"
        raise ConfigError(what, where=where, hint=hint) from exc
    except OSError as exc:
        raise ConfigError(f"cannot be read: {exc.strerror}", where=where, hint=hint) from exc
    except ValueError as exc:
        raise ConfigError("the key has a passphrase", where=where, hint=hint) from exc


def _no_passphrase() -> str:
    raise ValueError  # else OpenSSL would ask on the terminal
