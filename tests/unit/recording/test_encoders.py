from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event

import av
import numpy as np
import pytest

from edge_daemon.errors import RecordingError
from edge_daemon.recording import encoders
from edge_daemon.recording.encoders import ENCODERS, X264, H264Encoder, choose_encoder, why_not
from edge_daemon.recording.video import VideoWriter

SIZE = (320, 180)


def x264(**options: str) -> H264Encoder:
    return H264Encoder("other", "libx264", {**X264.options, **options})


def test_encoder_that_works_is_found_to_work() -> None:
    assert why_not(X264, SIZE) is None


@pytest.mark.parametrize(
    ("encoder", "why"),
    [
        (H264Encoder("none", "no_such_codec", {}, absent="not there"), "not there"),
        (H264Encoder("hevc", "libx265", {}, absent="not there"), "not there"),
        (x264(bf="8", profile="no such profile"), ""),
        (x264(**{"x264-params": "crop-rect=0,0,64,0"}), "come out wrong"),
    ],
)
def test_encoder_that_is_of_no_use_is_found_out(encoder: H264Encoder, why: str) -> None:
    found = why_not(encoder, SIZE)

    assert found is not None
    assert why in found


def test_encoder_that_hangs_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoders, "_PATIENCE_S", 0.05)
    over = Event()
    monkeypatch.setattr(encoders, "_trial", lambda _encoder, _size: over.wait())

    assert why_not(X264, SIZE) == "hangs: nothing after 0.05 s"
    assert why_not(X264, SIZE) == "hangs: its last trial has not come back"
    over.set()
    encoders._left_behind[X264.name].join(10)


def test_cameras_that_begin_together_try_together(monkeypatch: pytest.MonkeyPatch) -> None:
    both = Barrier(2)
    monkeypatch.setattr(encoders, "_trial", lambda _encoder, _size: [None, both.wait(10)][0])
    with ThreadPoolExecutor(2) as cameras:
        found = list(cameras.map(lambda _: why_not(X264, SIZE), range(2)))

    assert found == [None, None]


def test_choice_says_what_was_chosen_and_why() -> None:
    choice = choose_encoder("auto", SIZE)
    before = list(ENCODERS)[: list(ENCODERS).index(choice.encoder.name)]

    assert [line.partition(":")[0] for line in choice.refused] == before
    assert str(choice).startswith(choice.encoder.name)


def test_choice_takes_the_named_one() -> None:
    assert choose_encoder("x264", SIZE).encoder is X264


@pytest.mark.parametrize("name", ["v4l2m2m", "nvenc"])
def test_encoder_that_was_named_works_or_is_told_in_one_line(name: str) -> None:
    if why_not(ENCODERS[name], SIZE) is None:
        assert choose_encoder(name, SIZE).encoder.name == name
        return
    with pytest.raises(RecordingError) as told:
        choose_encoder(name, SIZE)

    assert str(told.value) == (
        f"record.encoder {name}: does not work here: {ENCODERS[name].absent}, asked for 320x180"
        " -- use auto, or x264"
    )


def test_encoder_without_parameters_in_its_header_makes_files_that_play(tmp_path: Path) -> None:
    """As those of drivers do: SPS and PPS come with the first picture, Annex B."""
    path = tmp_path / "a.mp4"
    plain = X264.set_up

    class Bare(H264Encoder):
        def set_up(self, codec: av.VideoCodecContext, size: tuple[int, int], threads: int) -> None:
            plain(codec, size, threads)
            codec.flags &= ~0x400000  # AV_CODEC_FLAG_GLOBAL_HEADER

    bare = Bare("bare", "libx264", X264.options)
    choose_encoder.cache_clear()
    ENCODERS["bare"] = bare  # type: ignore[index]  # taken out again below
    try:
        with VideoWriter(path, encoder="bare") as writer:
            for n in range(30):
                writer.write(np.full((180, 320, 3), 5 * n, np.uint8), n / 25)
    finally:
        del ENCODERS["bare"]  # type: ignore[attr-defined]
        choose_encoder.cache_clear()
    with av.open(str(path)) as video:
        pictures = [f.to_ndarray(format="gray") for f in video.decode(video=0)]

        assert len(pictures) == 30
        assert video.streams.video[0].codec_context.extradata[:1] == b"\1"  # avcC
