"""An MQTT broker inside the process: for the demo only, nothing is kept."""

from __future__ import annotations

import asyncio
import logging
import socket
from threading import Event as Flag
from threading import Thread
from typing import TYPE_CHECKING, Final

from edge_daemon.errors import EngineMissingError

if TYPE_CHECKING:
    from typing_extensions import Self

_START_S: Final = 10.0


class EmbeddedBroker:
    """A loopback broker on a free port, up while the context lasts."""

    def __init__(self) -> None:
        self.port = _free_port()
        self._up, self._down = Flag(), asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._serve, name="broker", daemon=True)

    def __enter__(self) -> Self:
        try:
            import amqtt.broker  # noqa: F401, PLC0415  only the demo needs it
        except ModuleNotFoundError as exc:
            hint = "pip install 'edge-daemon[demo]'"
            raise EngineMissingError("needs amqtt", where="demo", hint=hint) from exc
        logging.getLogger("amqtt").setLevel(logging.CRITICAL)
        logging.getLogger("transitions").setLevel(logging.CRITICAL)
        self._thread.start()
        if not self._up.wait(_START_S):
            raise RuntimeError("the embedded broker did not start")
        return self

    def __exit__(self, *exc: object) -> None:
        self._loop.call_soon_threadsafe(self._down.set)
        self._thread.join(_START_S)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._live())
        self._loop.close()

    async def _live(self) -> None:
        from amqtt.broker import Broker  # noqa: PLC0415  only the demo needs it

        anonymous = "amqtt.plugins.authentication.AnonymousAuthPlugin"
        broker = Broker(
            {
                "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{self.port}"}},
                "plugins": {anonymous: {"allow_anonymous": True}},
            }
        )
        await broker.start()
        self._up.set()
        await self._down.wait()
        await broker.shutdown()


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
