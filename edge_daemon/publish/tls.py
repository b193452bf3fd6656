"""What the connection to the broker trusts, and what it shows."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

from edge_daemon.config.tls import load_certificate, readable
from edge_daemon.errors import BrokerRefusedError

if TYPE_CHECKING:
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
        with readable("mqtt.ca_file"):
            context.load_verify_locations(config.ca_file)
    if config.cert_file is not None:
        where = "mqtt.cert_file, mqtt.key_file"
        load_certificate(context, config.cert_file, config.key_file, where=where)
    return context


def tls_fault(reason: str, where: str) -> BrokerRefusedError:
    """Return what TLS could not agree on with a broker, and what to do."""
    if "WRONG_VERSION" in reason.upper() or "RECORD_LAYER" in reason.upper():
        hint = "use the TLS port, or mqtt:// for a broker without TLS"
        return BrokerRefusedError("does not speak TLS", where=where, hint=hint)
    hint = "does it want another client certificate (mqtt.cert_file, mqtt.key_file)?"
    return BrokerRefusedError(f"TLS failed: {reason}", where=where, hint=hint)
