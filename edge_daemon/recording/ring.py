"""The last seconds of a camera's packets in memory: pre-roll of clips, and slack for slow disks."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from dataclasses import dataclass, field
from itertools import chain, takewhile
from threading import Condition
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge_daemon.packets import Epoch, Packet
    from edge_daemon.recording.hearing import Hearing

_MOST_UNREAD: Final = 256  # packets; the source of a file waits for its readers then
_LONGEST_WAIT_S: Final = 10.0  # for readers; then the disk hangs, and they miss some


@dataclass(slots=True)
class _Run:
    """A key frame and what follows it, up to the next one."""

    epoch: Epoch
    begun_s: float  # by the ring's clock
    first: int  # of its packets, in all that were ever put
    packets: list[Packet] = field(default_factory=list)
    n_bytes: int = 0
    has_key: bool = True


class PacketRing:
    """Keeps at least keep_s seconds of packets, from a key frame on, in at most max_bytes.

    One thread puts, any may read.  For a live camera putting never waits, and a reader that is too
    slow misses packets; for a file it waits for its readers.
    """

    def __init__(self, *, keep_s: float, max_bytes: int, live: bool) -> None:
        self._keep_s, self._max_bytes, self._live = keep_s, max_bytes, live
        self._runs: deque[_Run] = deque()
        self._n = 0  # packets ever put
        self._n_bytes = self._last_number = 0
        self._now_s = self._ahead_s = 0.0  # the ring's clock: an epoch's time and this
        self._readers: list[RingReader] = []
        self._changed = Condition()
        self._closed = False
        self.unfit_codec: str | None = None

    @property
    def n_bytes(self) -> int:
        """Bytes of memory that it takes."""
        return self._n_bytes

    def put(self, packet: Packet) -> None:
        """Add a packet; one that a source brings late, after it was replaced, is left out."""
        with self._changed:
            if not self._live:
                self._changed.wait_for(
                    lambda: self._closed or not self._has_slow_reader(), _LONGEST_WAIT_S
                )
            if self._closed or packet.number < self._last_number:
                return
            self._last_number = packet.number
            self._append(packet)
            self._forget()
            self._changed.notify_all()

    def unfit(self, codec: str) -> None:
        """Remember that there will be no packets, and why."""
        with self._changed:
            self.unfit_codec = codec
            self._changed.notify_all()

    @property
    def is_closed(self) -> bool:
        """Whether nothing is put any more."""
        return self._closed

    def close(self) -> None:
        """Let readers come to an end."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def reader(self) -> RingReader:
        """Return a reader of what is put from now on."""
        with self._changed:
            reader = RingReader(self, self._n)
            self._readers.append(reader)
            return reader

    def since(self, number: int | None, before_s: float) -> list[Packet]:
        """Return the packets from before_s before a packet, None: the newest, up to the newest.

        They begin with a key frame, at or before that time where the ring reaches back so far, and
        never in an epoch before the packet's; later ones may follow.  Empty: no key frame yet.
        """
        with self._changed:
            runs = [run for run in self._runs if run.has_key]
            upto = [run for run in runs if number is None or run.packets[0].number <= number]
            upto = upto or runs[:1]
            if not upto:
                return []
            epoch, begin = upto[-1].epoch, len(upto) - 1
            wanted_s = self._time_of(upto[-1], number) - before_s
            while begin and upto[begin - 1].epoch is epoch and upto[begin].begun_s > wanted_s:
                begin -= 1
            return list(chain.from_iterable(run.packets for run in runs[begin:]))

    def epoch_of(self, number: int | None) -> int | None:
        """Return the epoch that a packet belongs to, None: the newest; None: it is not here."""
        with self._changed:
            for run in reversed(self._runs):
                if run.packets and (number is None or run.packets[0].number <= number):
                    return run.epoch.id
        return None

    def _time_of(self, run: _Run, number: int | None) -> float:
        """Return when a packet of a run is shown, by the ring's clock."""
        if number is None:
            return self._now_s
        upto = list(takewhile(lambda p: p.number <= number, run.packets))
        shown = next((p for p in reversed(upto) if p.is_video), run.packets[0])
        return run.begun_s + shown.time_s - run.packets[0].time_s

    def _append(self, packet: Packet) -> None:
        if packet.is_keyframe or not self._runs:
            if not self._runs or packet.epoch is not self._runs[-1].epoch:
                self._ahead_s = self._now_s - packet.time_s
            begun_s = packet.time_s + self._ahead_s
            run = _Run(packet.epoch, begun_s, self._n, has_key=packet.is_keyframe)
            self._runs.append(run)
        run = self._runs[-1]
        run.packets.append(packet)
        run.n_bytes += packet.held_bytes
        self._n_bytes += packet.held_bytes
        self._n += 1
        self._now_s = max(self._now_s, packet.time_s + self._ahead_s)

    def _forget(self) -> None:
        """Drop the oldest runs that are not needed, and what does not fit."""
        read = self._n if self._live else min((r.next for r in self._readers), default=self._n)
        while len(self._runs) > 1 and self._runs[1].first <= read:
            is_needed = self._runs[1].begun_s > self._now_s - self._keep_s
            if is_needed and self._n_bytes <= self._max_bytes:
                break
            self._n_bytes -= self._runs.popleft().n_bytes
        run = self._runs[0]
        while self._n_bytes > self._max_bytes:  # a run of no use for pre-roll any more
            n_gone = min(-(-len(run.packets) // 2), max(0, read - run.first))
            if not n_gone:
                return
            gone_bytes = sum(p.held_bytes for p in run.packets[:n_gone])
            del run.packets[:n_gone]
            run.first, run.has_key = run.first + n_gone, False
            run.n_bytes -= gone_bytes
            self._n_bytes -= gone_bytes

    def _has_slow_reader(self) -> bool:
        most = 1 if self._n_bytes > self._max_bytes else _MOST_UNREAD
        return any(self._n - reader.next >= most for reader in self._readers)

    # For its readers.

    def _read(self, reader: RingReader, timeout_s: float) -> list[Packet]:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._is_due(reader), timeout_s)
            first = self._runs[0].first if self._runs else self._n
            reader.n_missed += max(0, first - reader.next)
            packets = list(self._from(max(reader.next, first)))
            reader.next = self._n
            self._changed.notify_all()
            return packets

    def _is_due(self, reader: RingReader) -> bool:
        """Whether it is worth to wake a reader: for a key frame, or many packets."""
        unread = self._n - reader.next
        return unread > 0 and (
            self._runs[-1].first >= reader.next
            or unread >= _MOST_UNREAD // 2
            or self.unfit_codec is not None
        )

    def _from(self, index: int) -> Iterable[Packet]:
        runs = list(self._runs)
        begin = max(0, bisect_left([run.first for run in runs], index + 1) - 1)
        for run in runs[begin:]:
            yield from run.packets[max(0, index - run.first) :]

    def _leave(self, reader: RingReader) -> None:
        with self._changed:
            self._readers.remove(reader)
            self._changed.notify_all()


class RingReader:
    """One reader's place in a ring.  Used by one thread."""

    def __init__(self, ring: PacketRing, first: int) -> None:
        self._ring, self.next = ring, first
        self.n_missed = 0  # packets that were gone before they were read

    def read(self, timeout_s: float) -> list[Packet]:
        """Return the packets that came since, at a key frame or timeout_s later; maybe none."""
        return self._ring._read(self, timeout_s)  # noqa: SLF001  two halves of one thing

    def close(self) -> None:
        """Read no more, and hold up nobody."""
        self._ring._leave(self)  # noqa: SLF001


class PacketSplit:
    """Gives the packets of one camera to several."""

    def __init__(self, *sinks: PacketRing | Hearing) -> None:
        self._sinks = sinks

    def put(self, packet: Packet) -> None:
        """Add a packet to each."""
        for sink in self._sinks:
            sink.put(packet)

    def unfit(self, codec: str) -> None:
        """Tell each that there will be no packets."""
        for sink in self._sinks:
            sink.unfit(codec)

    def close(self) -> None:
        """Put nothing any more."""
        for sink in self._sinks:
            sink.close()
