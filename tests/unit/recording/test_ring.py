from __future__ import annotations

from datetime import datetime, timezone
from fractions import Fraction
from itertools import count
from threading import Thread

from hypothesis import given
from hypothesis import strategies as st

from edge_daemon.packets import Epoch, Packet, Track
from edge_daemon.recording.ring import PacketRing
from tests.processes import wait_until

TRACK = Track("video", "h264", Fraction(1, 25), b"", 320, 180, None)
AT = datetime(2026, 11, 21, tzinfo=timezone.utc)
NUMBERS = count(1)


def packets(n: int, *, epoch: Epoch | None = None, gop: int = 25, size: int = 100) -> list[Packet]:
    epoch = epoch or Epoch(1, (TRACK,))
    return [
        Packet(next(NUMBERS), epoch, 0, k, k, 1, k % gop == 0, k / 25, AT, bytes(size))
        for k in range(n)
    ]


def ring_of(*given: list[Packet], keep_s: float = 3.0, max_bytes: int = 10**9) -> PacketRing:
    ring = PacketRing(keep_s=keep_s, max_bytes=max_bytes, live=True)
    for part in given:
        put_all(ring, part)
    return ring


def put_all(ring: PacketRing, given: list[Packet]) -> None:
    for packet in given:
        ring.put(packet)


def test_preroll_begins_with_a_key_frame_before_the_wanted_time() -> None:
    every = packets(200)
    found = ring_of(every).since(every[160].number, before_s=2.0)

    assert found == every[100:]  # 6.4 s - 2 s lies in the second that begins with packet 100


def test_preroll_of_the_newest_ends_with_it() -> None:
    every = packets(200)

    assert ring_of(every).since(None, before_s=0.0) == every[175:]


def test_preroll_does_not_reach_into_another_epoch() -> None:
    old, new = packets(50), packets(50, epoch=Epoch(2, (TRACK,)))

    assert ring_of(old, new).since(new[30].number, before_s=60.0) == new
    assert ring_of(old, new).since(old[30].number, before_s=0.0) == [*old[25:], *new]


def test_preroll_of_an_empty_ring_is_empty() -> None:
    assert ring_of().since(None, before_s=5.0) == []


def test_ring_keeps_the_seconds_it_was_asked_for() -> None:
    every = packets(1000)
    kept = ring_of(every, keep_s=3.0).since(None, before_s=60.0)

    assert kept == every[900:]  # key frames lie at 36 s, and at 37 s, where 3 s are not full


@given(
    n=st.integers(1, 300),
    gop=st.integers(1, 200),
    size=st.integers(0, 3000),
    max_bytes=st.integers(5000, 200_000),
)
def test_ring_never_takes_more_than_its_bytes(n: int, gop: int, size: int, max_bytes: int) -> None:
    ring = ring_of(keep_s=60.0, max_bytes=max_bytes)
    for packet in packets(n, gop=gop, size=size):
        ring.put(packet)

        assert ring.n_bytes <= max_bytes

    assert all(found.is_keyframe for found in ring.since(None, before_s=60.0)[:1])


def test_reader_gets_every_packet_once_and_in_order() -> None:
    ring, every = ring_of(keep_s=1.0), packets(300)
    reader = ring.reader()
    found: list[Packet] = []
    for n, packet in enumerate(every):
        ring.put(packet)
        if n % 20 == 0:
            found += reader.read(0.0)
    found += reader.read(0.0)

    assert found == every
    assert reader.n_missed == 0


def test_slow_reader_is_told_what_it_missed() -> None:
    ring, every = ring_of(keep_s=1.0), packets(300)
    reader = ring.reader()
    for packet in every:
        ring.put(packet)
    found = reader.read(0.0)

    assert found == every[-len(found) :]
    assert reader.n_missed == 300 - len(found) > 200


def test_file_waits_for_its_reader() -> None:
    ring, every = PacketRing(keep_s=1.0, max_bytes=10**9, live=False), packets(2000)
    reader = ring.reader()
    found: list[Packet] = []
    source = Thread(target=put_all, args=(ring, every), daemon=True)
    source.start()
    while len(found) < len(every):
        found += reader.read(5.0)
    source.join(5.0)

    assert found == every
    assert reader.n_missed == 0


def test_file_does_not_wait_for_a_reader_that_left() -> None:
    ring = PacketRing(keep_s=1.0, max_bytes=10**9, live=False)
    reader = ring.reader()
    source = Thread(target=put_all, args=(ring, packets(1000)), daemon=True)
    source.start()
    reader.close()
    wait_until(lambda: not source.is_alive())

    assert ring.since(None, before_s=0.0)


def test_late_packet_of_a_source_that_was_replaced_is_left_out() -> None:
    old, new = packets(50), packets(50, epoch=Epoch(2, (TRACK,)))

    assert ring_of(old[:30], new, old[30:]).since(None, before_s=60.0) == new


def test_closed_ring_lets_its_readers_go() -> None:
    ring = ring_of()
    reader = ring.reader()
    ring.close()

    assert reader.read(60.0) == []
