"""A broker that refuses single messages, which mosquitto does for nothing but its access list."""

from __future__ import annotations

import contextlib
import socket
import struct
from typing import TYPE_CHECKING, BinaryIO, Final

from edge_daemon.publish.broker import REFUSED_FROM
from tests.integration.tcp_server import TcpServer

if TYPE_CHECKING:
    from collections.abc import Callable

QUOTA_EXCEEDED: Final = 0x97
NOT_AUTHORIZED: Final = 0x87


class RefusingBroker:
    """Speaks as much MQTT 5 as a daemon that publishes needs, to one client at a time.

    judge gets topic and payload of each message and returns the reason code of its PUBACK; None:
    none is sent.  window: the ReceiveMaximum that it names.
    """

    def __init__(self, judge: Callable[[str, bytes], int | None], *, window: int = 20) -> None:
        self.taken: list[tuple[str, bytes]] = []
        self._judge, self._window = judge, window
        self._server = TcpServer(self._serve)
        self.url = f"mqtt://127.0.0.1:{self._server.port}"
        self.close = self._server.close

    def _serve(self, client: socket.socket) -> None:
        with client.makefile("rb") as stream, contextlib.suppress(OSError, EOFError):
            while True:
                client.sendall(self._answer(*_packet(stream)))

    def _answer(self, kind: int, body: bytes) -> bytes:
        if kind == 1:  # CONNECT
            return b"\x20\x06\x00\x00\x03\x21" + struct.pack(">H", self._window)
        if kind == 8:  # SUBSCRIBE, of up to four filters
            return b"\x90\x07" + body[:2] + b"\x00\x01\x01\x01\x01"
        if kind == 12:  # PINGREQ
            return b"\xd0\x00"
        if kind != 3:
            return b""
        (n,) = struct.unpack(">H", body[:2])
        topic, number = body[2 : 2 + n].decode(), body[2 + n : 4 + n]
        payload = body[5 + n :]  # behind the length of the properties, of which there are none
        if (code := self._judge(topic, payload)) is None:
            return b""
        if code < REFUSED_FROM:
            self.taken.append((topic, payload))
        return b"\x40\x03" + number + bytes([code])


def _packet(stream: BinaryIO) -> tuple[int, bytes]:
    """Return kind and body of the next packet.  Raises EOFError at the end."""
    head = stream.read(1)
    length = shift = 0
    while True:
        if not (digit := stream.read(1)):
            raise EOFError
        length |= (digit[0] & 0x7F) << shift
        shift += 7
        if digit[0] < 0x80:
            return head[0] >> 4, stream.read(length)
