"""Lets peers in: so many at once, each for so long."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable

_AGAIN_S: Final = 1.0


class Conversation(H11Protocol):
    """A connection whose end can be waited for."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  passed on
        super().__init__(*args, **kwargs)
        self.over = asyncio.Event()

    def connection_lost(self, exc: Exception | None) -> None:
        """As H11Protocol does."""
        super().connection_lost(exc)
        self.over.set()


@dataclass
class Door:
    """Accepts connections; with no place left the oldest goes, and whoever dawdles goes anyway.

    So nobody takes all descriptors, and nobody keeps out who asks at once.  The listener must not
    block.
    """

    listener: socket.socket
    begin: Callable[[], Conversation]
    tls: ssl.SSLContext | None
    on_fault: Callable[[OSError], None]  # cannot accept; it is tried again
    limit_s: float  # for TLS to begin, and again for request and answer
    n_places: int = 64
    is_shut: bool = False  # whoever comes now is sent away
    _inside: dict[asyncio.Task[None], None] = field(default_factory=dict, init=False)

    async def keep(self) -> None:
        """Let in who knocks, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                peer, _ = await loop.sock_accept(self.listener)
            except OSError as exc:
                self.on_fault(exc)
                await asyncio.sleep(_AGAIN_S)
                continue
            if self.is_shut:
                peer.close()
                continue
            if len(self._inside) >= self.n_places:
                oldest = next(iter(self._inside))  # a dict keeps order
                oldest.cancel()
                await asyncio.wait([oldest])
            task = loop.create_task(self._attend(peer))
            self._inside[task] = None
            task.add_done_callback(self._inside.pop)
            await asyncio.sleep(0)  # a task that never began closes nothing when it is cancelled

    async def _attend(self, peer: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError, asyncio.TimeoutError):  # no TLS, hung up; too slow
            transport, conversation = await loop.connect_accepted_socket(
                self.begin,
                peer,
                ssl=self.tls,
                ssl_handshake_timeout=self.limit_s if self.tls else None,
            )
            try:
                await asyncio.wait_for(conversation.over.wait(), self.limit_s)
            finally:
                transport.abort()
