"""What a camera sends to be heard, until the pictures of the same time have been recorded."""

from __future__ import annotations

from collections import OrderedDict, deque
from threading import Lock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from edge_daemon.packets import Epoch, Packet

_MOST_BYTES: Final = 2_000_000  # measured: 10 s of 48 kHz stereo as plain samples, a minute of AAC
_MOST_PLACES: Final = 4096  # pictures that may still be recorded


class Hearing:
    """Keeps the packets of a camera's sound, and when its pictures are shown, for one recorder.

    One thread puts, one takes; putting never waits, the oldest goes where there is too much.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._sound: deque[Packet] = deque()
        self._n_bytes = 0
        self._places: OrderedDict[int, tuple[Epoch, float]] = OrderedDict()

    def put(self, packet: Packet) -> None:
        """Take a packet of the source."""
        with self._lock:
            if packet.is_video:
                self._places[packet.number] = packet.epoch, packet.time_s
                if len(self._places) > _MOST_PLACES:
                    self._places.popitem(last=False)
                return
            self._sound.append(packet)
            self._n_bytes += packet.held_bytes
            while self._n_bytes > _MOST_BYTES:
                self._drop()

    def unfit(self, codec: str) -> None:
        """Be told that there will be no packets: what is recorded has no sound."""

    def close(self) -> None:
        """No packet comes any more; what is here can still be taken."""

    def place_of(self, number: int | None) -> tuple[Epoch, float] | None:
        """Return where the picture of a packet is: (its epoch, seconds since that began).

        None: not known.
        """
        with self._lock:
            return self._places.get(number or 0)

    def take(self, epoch: Epoch, upto_s: float) -> list[Packet]:
        """Return what is heard up to a time of an epoch, once; what was before it is dropped."""
        taken: list[Packet] = []
        with self._lock:
            while self._sound and self._sound[0].epoch.id <= epoch.id:
                packet = self._sound[0]
                if packet.epoch is epoch:
                    if packet.time_s > upto_s:
                        break
                    taken.append(packet)
                self._drop()
        return taken

    def _drop(self) -> None:
        self._n_bytes -= self._sound.popleft().held_bytes
