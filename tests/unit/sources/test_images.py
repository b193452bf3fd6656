from __future__ import annotations

import logging
import shutil
import threading
import time
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from edge_daemon.errors import SourceFormatError, SourceUnavailableError
from edge_daemon.sources.images import ImageSource, read_picture, write_picture
from edge_daemon.types import SourceAddress
from tests.data.make_data import number_in, numbered

if TYPE_CHECKING:
    from pathlib import Path


def source(address: Path | str, **more: Any) -> ImageSource:
    stop = more.pop("stop", threading.Event())
    return ImageSource(camera="gate", address=SourceAddress(str(address)), stop=stop, **more)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pictures of three kinds, and something that is none."""
    for number, name in enumerate(("a.jpg", "b.PNG", "c.webp")):
        write_picture(tmp_path / name, numbered(number))
    (tmp_path / "notes.txt").write_text("not a picture")
    return tmp_path


def test_pictures_come_sorted_one_a_second(folder: Path) -> None:
    with source(folder) as opened:
        frames = list(opened)

    assert [number_in(frame.picture.rgb()) for frame in frames] == [0, 1, 2]
    assert [(frame.index, frame.pts_s) for frame in frames] == [(0, 0.0), (1, 1.0), (2, 2.0)]


def test_a_glob_takes_what_it_matches(folder: Path) -> None:
    with source(folder / "[ab].*") as opened:
        found = [number_in(frame.picture.rgb()) for frame in opened]

    assert found == [0, 1]


def test_one_picture_is_a_source(folder: Path) -> None:
    with source(folder / "b.PNG") as opened:
        found = [number_in(frame.picture.rgb()) for frame in opened]

    assert found == [1]


def test_loop_begins_again_and_time_goes_on(folder: Path) -> None:
    stop, found = threading.Event(), []
    with source(folder, loop=True, stop=stop) as opened:
        for frame in opened:
            found.append((number_in(frame.picture.rgb()), frame.pts_s))
            if len(found) == 5:
                stop.set()

    assert found == [(0, 0.0), (1, 1.0), (2, 2.0), (0, 3.0), (1, 4.0)]


def test_stop_ends_the_wait_for_the_next_picture(folder: Path) -> None:
    stop = threading.Event()
    begun_s = time.monotonic()
    with source(folder, pace="realtime", stop=stop) as opened:
        for _ in opened:
            threading.Timer(0.05, stop.set).start()

    assert time.monotonic() - begun_s < 0.9


def test_a_damaged_picture_is_counted_told_and_left_out(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "b.PNG").write_bytes(b"\x89PNG but not really")
    counted = []
    with (
        caplog.at_level(logging.WARNING),
        source(folder, on_corrupt=lambda: counted.append(1)) as opened,
    ):
        found = [number_in(frame.picture.rgb()) for frame in opened]

    assert found == [0, 2]
    assert len(counted) == 1
    assert "b.PNG: is no picture that can be read" in caplog.text


def test_a_damaged_picture_takes_its_second_and_is_told_once_while_it_is_damaged(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = (folder / "a.jpg").read_bytes()
    (folder / "a.jpg").write_bytes(b"")
    stop, counted, found = threading.Event(), [], []
    with source(folder, loop=True, stop=stop, on_corrupt=lambda: counted.append(1)) as opened:
        for frame in opened:
            found.append((number_in(frame.picture.rgb()), frame.index, frame.pts_s))
            if frame.pts_s == 8:
                (folder / "a.jpg").write_bytes(whole)
            if frame.pts_s == 9:
                (folder / "a.jpg").write_bytes(b"")
            if frame.pts_s == 16:
                stop.set()

    assert found[:5] == [(1, 0, 1.0), (2, 1, 2.0), (1, 2, 4.0), (2, 3, 5.0), (1, 4, 7.0)]
    assert len(counted) == 5
    assert [text.count("a.jpg: is no picture") for text in caplog.messages] == [1, 1]


def test_realtime_waits_for_the_second_of_a_damaged_picture(folder: Path) -> None:
    (folder / "b.PNG").write_bytes(b"")
    with source(folder, pace="realtime") as opened:
        begun_s = time.monotonic()
        frames = list(opened)

    assert [frame.mono_s - begun_s for frame in frames] == pytest.approx([0.0, 2.0], abs=0.3)


@pytest.mark.parametrize("loop", [False, True])
def test_nothing_but_damaged_pictures_is_a_failure_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, loop: bool
) -> None:
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(b"")

    with source(tmp_path, loop=loop) as opened, pytest.raises(SourceFormatError, match=r"b\.jpg"):
        list(opened)
    assert caplog.messages == []


def test_a_directory_that_vanishes_ends_in_a_failure_within_a_round(folder: Path) -> None:
    counted = []
    with source(folder, loop=True, on_corrupt=lambda: counted.append(1)) as opened:
        frames = iter(opened)
        for _ in range(4):
            next(frames)
        shutil.rmtree(folder)
        with pytest.raises(SourceUnavailableError, match="no such file"):
            next(frames)

    assert len(counted) == 3


def test_a_glob_that_matches_twice_gives_each_picture_once(folder: Path) -> None:
    (folder / "a").mkdir()
    (folder / "a.jpg").rename(folder / "a" / "a.jpg")
    with source(f"{folder}/**/**/*.jpg") as opened:
        assert len(list(opened)) == 1


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        (
            "empty",
            SourceFormatError,
            "a directory without pictures (JPEG, PNG, BMP or WebP)"
            " -- put some into it; for videos name them: {path}/*.mp4",
        ),
        ("nowhere/", SourceUnavailableError, "no such directory -- check the path"),
        ("nope.jpg", SourceUnavailableError, "no such file -- check the path"),
        ("*.bmp", SourceUnavailableError, "no such file -- check the path"),
    ],
)
def test_nothing_to_read_is_said_in_one_line(
    tmp_path: Path, name: str, kind: type[Exception], said: str
) -> None:
    (tmp_path / "empty").mkdir()
    path = tmp_path / name

    with pytest.raises(kind) as caught, source(f"{tmp_path}/{name}"):
        pass

    assert str(caught.value) == f"{path}: {said.format(path=path)}"


def test_read_picture_gives_rgb_without_transparency(tmp_path: Path) -> None:
    path = tmp_path / "red.png"
    cv2.imwrite(str(path), np.full((4, 6, 4), (10, 20, 200, 128), np.uint8))

    picture = read_picture(path)

    assert (picture.width, picture.height) == (6, 4)
    assert picture.rgb()[0, 0].tolist() == [200, 20, 10]


def test_read_picture_reads_grey_and_sixteen_bits(tmp_path: Path) -> None:
    path = tmp_path / "grey.png"
    cv2.imwrite(str(path), np.full((4, 6), 0x8000, np.uint16))

    assert read_picture(path).rgb()[0, 0].tolist() == [128, 128, 128]


def test_read_picture_turns_it_as_the_camera_was_held(tmp_path: Path) -> None:
    path = tmp_path / "turned.jpg"
    write_picture(path, numbered(5, 64, 32))
    jpeg = path.read_bytes()
    orientation_6 = bytes.fromhex(
        "ffe1002245786966000049492a00080000000100120103000100000006000000000000000000"
    )
    path.write_bytes(jpeg[:2] + orientation_6[:36] + jpeg[2:])

    picture = read_picture(path)

    assert (picture.width, picture.height) == (32, 64)


@pytest.mark.parametrize(
    ("name", "content", "kind", "said"),
    [
        ("no.jpg", None, SourceUnavailableError, "no such file -- check the path"),
        (
            "cut.jpg",
            b"\xff\xd8\xff\xe0",
            SourceFormatError,
            "is no picture that can be read -- use whole files, JPEG, PNG, BMP or WebP",
        ),
        (
            "empty.png",
            b"",
            SourceFormatError,
            "is no picture that can be read -- use whole files, JPEG, PNG, BMP or WebP",
        ),
    ],
)
def test_read_picture_says_what_is_wrong(
    tmp_path: Path, name: str, content: bytes | None, kind: type[Exception], said: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(kind) as caught:
        read_picture(path)

    assert str(caught.value) == f"{path}: {said}"


def test_read_picture_of_a_directory_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(SourceFormatError) as caught:
        read_picture(tmp_path)

    assert str(caught.value) == f"{tmp_path}: is a directory -- name the pictures: {tmp_path}/*.jpg"


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        (
            "out.xyz",
            SourceFormatError,
            "unknown kind of picture -- use one of .jpg .jpeg .png .bmp .webp",
        ),
        (
            "nowhere/out.png",
            SourceUnavailableError,
            "cannot be written (No such file or directory) -- name a place that can be written to",
        ),
    ],
)
def test_write_picture_says_what_is_wrong(
    tmp_path: Path, name: str, kind: type[Exception], said: str
) -> None:
    path = tmp_path / name

    with pytest.raises(kind) as caught:
        write_picture(path, numbered(1))

    assert str(caught.value) == f"{path}: {said}"
