from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from edge_daemon.packets import Epoch, Packet, Track
from edge_daemon.recording.hearing import Hearing
from tests.unit.recording.test_ring import TRACK, packets

SOUND = Track("audio", "aac", Fraction(1, 10), b"", 0, 0, None)
FIRST, SECOND = Epoch(1, (TRACK, SOUND)), Epoch(2, (TRACK, SOUND))


def sound(epoch: Epoch, n: int, size: int = 10) -> list[Packet]:
    """n packets of a tenth of a second each."""
    some = packets(n, epoch=epoch)
    return [
        replace(p, track=1, pts=k, dts=k, is_keyframe=False, data=bytes(size))
        for k, p in enumerate(some)
    ]


def heard(hearing: Hearing, epoch: Epoch, upto_s: float) -> list[float]:
    return [packet.time_s for packet in hearing.take(epoch, upto_s)]


def test_sound_is_taken_once_up_to_a_time() -> None:
    hearing = Hearing()
    for packet in sound(FIRST, 5):
        hearing.put(packet)

    assert heard(hearing, FIRST, 0.2) == [0.0, 0.1, 0.2]
    assert heard(hearing, FIRST, 0.2) == []
    assert heard(hearing, FIRST, 9.0) == [0.3, 0.4]


def test_sound_of_an_epoch_before_goes_and_that_of_the_next_waits() -> None:
    hearing = Hearing()
    for packet in (*sound(FIRST, 2), *sound(SECOND, 2)):
        hearing.put(packet)

    assert heard(hearing, FIRST, 0.0) == [0.0]
    assert heard(hearing, SECOND, 9.0) == [0.0, 0.1]
    assert heard(hearing, FIRST, 9.0) == []


def test_sound_that_nobody_takes_is_bounded() -> None:
    hearing = Hearing()
    for packet in sound(FIRST, 30, size=100_000):
        hearing.put(packet)

    assert heard(hearing, FIRST, 9.0) == [n / 10 for n in range(11, 30)]


def test_pictures_are_known_by_the_number_of_their_packet() -> None:
    hearing, (first, second) = Hearing(), packets(2, epoch=FIRST)
    hearing.put(first)

    assert hearing.place_of(first.number) == (FIRST, first.time_s)
    assert hearing.place_of(second.number) is None
    assert hearing.place_of(None) is None
