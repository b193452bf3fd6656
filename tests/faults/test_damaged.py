"""Videos with flipped bits, holes and missing ends: what is whole is read, the rest is counted."""

from __future__ import annotations

from pathlib import Path
from threading import Event as Flag

import av
import pytest

from edge_daemon.sources.files import FileSource
from edge_daemon.types import SourceAddress
from tests.data.make_data import write_clip
from tests.faults.damage import examine, read


def test_no_damage_to_a_video_crashes_leaks_or_goes_uncounted(tmp_path: Path) -> None:
    found = examine(tmp_path, 800)

    assert found.n == 800
    assert (found.crashed, found.bugs, found.silent) == ([], [], [])
    assert set(found.outcomes) == {"frames", "SourceFormatError", "SourceUnavailableError"}
    assert found.n_frames > 5000  # what is whole is not thrown away
    assert found.n_counted > 500
    assert found.grown_kib < 8 * 1024
    assert found.slowest[0] < 10.0


@pytest.mark.parametrize("gop", ["open-gop=1", "open-gop=0"])
def test_whole_h265_counts_no_damage_wherever_it_begins(tmp_path: Path, gop: str) -> None:
    """Pictures that are shown before the first key frame are left out, and are no damage."""
    params = f"log-level=none:bframes=3:{gop}:keyint=10:min-keyint=10:scenecut=0"
    whole = write_clip(tmp_path / "whole.ts", codec="libx265", **{"x265-params": params})
    later = tmp_path / "later.mkv"
    with av.open(str(whole)) as of, av.open(str(later), "w") as to:
        video = to.add_stream_from_template(of.streams.video[0])
        keys = 0
        for packet in of.demux(of.streams.video[0]):
            keys += packet.is_keyframe
            if packet.size and keys >= 2:
                packet.stream = video
                to.mux(packet)

    assert read(whole) == ("frames", 50, 0)
    outcome, n_frames, n_counted = read(later)
    assert (outcome, n_counted) == ("frames", 0)
    assert n_frames in (37, 40)  # three were shown before


def test_pictures_that_vanish_in_the_decoder_are_counted(tmp_path: Path) -> None:
    """FFmpeg leaves H.265 pictures out without an error when their parameters are missing."""
    clip = write_clip(tmp_path / "clip.mp4", codec="libx265", n_frames=20)
    content = bytearray(clip.read_bytes())
    first = content.index(b"mdat") + 4
    content[first + 2400 : first + 2440] = bytes(40)
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(content)
    counted: list[None] = []
    with FileSource(
        camera="gate",
        address=SourceAddress(str(damaged)),
        stop=Flag(),
        on_corrupt=lambda: counted.append(None),
    ) as source:
        n_frames = sum(1 for _ in source)

    assert 0 < n_frames < 20
    assert len(counted) >= 20 - n_frames
