from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_daemon.scenes.options import parse_scene
from edge_daemon.scenes.street import Street
from edge_daemon.verdicts.sight import Blindness, Sight, share_detailed

Picture = NDArray[np.uint8]
SIZE = (320, 192)


def at_model_size(rgb: NDArray[Any]) -> Picture:
    return np.asarray(cv2.resize(rgb, SIZE, interpolation=cv2.INTER_AREA), np.uint8)


def street(**options: str) -> Picture:
    asked = "&".join(f"{key}={value}" for key, value in options.items())
    return Street(parse_scene(f"test:street?{asked}")).frame(0)[0]


def plain(level: int) -> Picture:
    return np.full((SIZE[1], SIZE[0], 3), level, np.uint8)


def dark_noise(seed: int = 0) -> Picture:
    """What a covered lens gives at high gain, 720p."""
    rng = np.random.default_rng(seed)
    return at_model_size(np.clip(rng.normal(20, 8, (720, 1280, 3)), 0, 255).astype(np.uint8))


def blurred(picture: Picture, sigma_px: float) -> Picture:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma_px), np.uint8)


def with_clock(picture: Picture, text: str = "2026-11-20 12:34:56") -> Picture:
    """A camera draws its clock and its name over whatever it sees."""
    picture = picture.copy()
    for words, at in ((text, (4, 12)), ("CAM 01", (250, 188))):
        cv2.putText(picture, words, at, cv2.FONT_HERSHEY_PLAIN, 0.8, (255,) * 3, 1, cv2.LINE_AA)
    return picture


def watching(**limits: float | None) -> Sight:
    return Sight(**{"blind_after_s": None, "frozen_after_s": None, **limits})


def seen(sight: Sight, pictures: Iterator[Picture] | list[Picture], step_s: float = 1.0) -> list:
    return [sight.look(picture, n * step_s) for n, picture in enumerate(pictures)]


def through_codec(
    pictures: list[Picture], path: Path, codec: str = "libx264", **options: str
) -> Iterator[Picture]:
    """The pictures as somebody sees them who gets them over the network."""
    height, width = pictures[0].shape[:2]
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream(codec, rate=10, options=options)
        stream.width, stream.height, stream.gop_size = width, height, 20
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for n, rgb in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            frame.pts, frame.time_base = n, Fraction(1, 10)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    with av.open(str(path)) as video:
        for decoded in video.decode(video=0):
            yield at_model_size(decoded.to_ndarray(format="rgb24"))


NOTHING = {
    "black": plain(0),
    "white": plain(255),
    "one colour": plain(90),
    "covered": dark_noise(),
    "a smooth gradient": np.asarray(np.linspace(0, 255, SIZE[0])[None, :, None]).repeat(
        SIZE[1], 0).repeat(3, 2).astype(np.uint8),
    "out of focus": blurred(at_model_size(street(seed="1")), 6.0),
    "out of focus at night": blurred(at_model_size(street(seed="1", time="night")), 6.0),
}  # fmt: skip


@pytest.mark.parametrize("clock", [False, True], ids=["", "with a clock"])
@pytest.mark.parametrize("what", NOTHING)
def test_sight_is_lost_where_nothing_is_to_be_seen(what: str, clock: bool) -> None:
    picture = with_clock(NOTHING[what]) if clock else NOTHING[what]
    found = seen(watching(blind_after_s=5.0), [picture] * 8)

    assert found == [None] * 6 + [Blindness.BLIND] * 2


@pytest.mark.parametrize("time", ["day", "dusk", "night"])
@pytest.mark.parametrize("weather", ["clear", "rain", "fog"])
@pytest.mark.parametrize("seed", ["1", "2", "3"])
def test_sight_is_kept_in_the_dark_in_rain_and_in_fog(time: str, weather: str, seed: str) -> None:
    picture = at_model_size(street(time=time, weather=weather, seed=seed, people="0", cars="0"))

    assert share_detailed(picture) > 0.4


def test_sight_is_lost_only_when_nothing_was_seen_all_the_time() -> None:
    good = at_model_size(street())
    found = seen(watching(blind_after_s=5.0), [plain(0)] * 5 + [good] + [plain(0)] * 6)

    assert found == [None] * 12


def test_sight_is_back_with_the_first_good_picture() -> None:
    good = at_model_size(street())
    found = seen(watching(blind_after_s=2.0), [plain(0)] * 4 + [good] * 2)

    assert found == [None] * 3 + [Blindness.BLIND] + [None] * 2


@pytest.mark.parametrize(
    ("codec", "options"),
    # x264 makes as many slices as there are cores, if not told.
    [("libx264", {"crf": "23", "preset": "veryfast", "slices": "2"}), ("mjpeg", {})],
    ids=["h264", "mjpeg"],
)
@pytest.mark.parametrize("time", ["day", "night"])
def test_one_picture_sent_again_and_again_is_frozen(
    tmp_path: Path, time: str, codec: str, options: dict[str, str]
) -> None:
    pictures = through_codec([street(time=time)] * 160, tmp_path / "x.mkv", codec, **options)
    endless = islice(pictures, 120)  # an encoder that sees the end coming is another one
    found = seen(watching(frozen_after_s=3.0), endless, step_s=0.1)

    assert found[:30] == [None] * 30
    assert found[90:] == [Blindness.FROZEN] * 30  # the codec settles first


def test_frozen_picture_under_a_clock_that_goes_on_is_frozen() -> None:
    picture = at_model_size(street())
    frozen = [with_clock(picture, f"2026-11-20 12:34:{n:02d}") for n in range(10)]

    assert seen(watching(frozen_after_s=5.0), frozen)[-1] is Blindness.FROZEN


def test_noise_alone_is_life_in_a_scene_where_nothing_moves(tmp_path: Path) -> None:
    still, rng = street(time="night"), np.random.default_rng(0)
    noisy = [np.clip(still + rng.normal(0, 2, still.shape), 0, 255).astype(np.uint8)
             for _ in range(50)]  # fmt: skip
    pictures = through_codec(noisy, tmp_path / "x.mkv", crf="28", preset="veryfast")
    found = seen(watching(frozen_after_s=3.0), pictures, step_s=0.1)

    assert found == [None] * 50


def test_frozen_camera_that_moves_again_sees_at_once() -> None:
    first, then = (at_model_size(street(seed=seed)) for seed in ("1", "2"))
    found = seen(watching(frozen_after_s=3.0), [first] * 5 + [then] * 2)

    assert found == [None] * 4 + [Blindness.FROZEN] + [None] * 2


def test_time_for_which_the_camera_was_away_does_not_count() -> None:
    sight, picture = watching(frozen_after_s=3.0, blind_after_s=3.0), street()
    for shown, found in ((picture, Blindness.FROZEN), (plain(0), Blindness.BLIND)):
        sight.look(shown, 100.0)
        sight.resume(200.0)

        assert [sight.look(shown, 200.0 + n) for n in range(5)] == [None] * 4 + [found]
        sight = watching(frozen_after_s=None, blind_after_s=3.0)


def test_slow_dawn_is_no_frozen_picture() -> None:
    picture = at_model_size(street()).astype(np.float32)
    dawn = [(picture * (0.5 + n / 400)).astype(np.uint8) for n in range(100)]

    assert seen(watching(frozen_after_s=10.0), dawn) == [None] * 100


def test_black_picture_is_called_blind_rather_than_frozen() -> None:
    found = seen(watching(blind_after_s=2.0, frozen_after_s=2.0), [plain(0)] * 4)

    assert found[-1] is Blindness.BLIND


def test_sight_that_is_not_watched_is_never_lost() -> None:
    assert seen(watching(), [plain(0)] * 100, step_s=60.0) == [None] * 100


@pytest.mark.parametrize("size", [(128, 72), (224, 224), (330, 195)])
def test_sight_is_watched_at_any_size_of_model(size: tuple[int, int]) -> None:
    good = np.asarray(cv2.resize(street(), size, interpolation=cv2.INTER_AREA), np.uint8)

    assert share_detailed(good) > 0.4
    assert share_detailed(np.zeros_like(good)) == 0.0


@pytest.mark.shared_data
def test_no_clip_of_a_working_camera_is_blind_or_frozen(shared_data: Path) -> None:
    """Not for a second: night, empty roads and empty rooms included."""
    lost: dict[str, int] = {}
    for path in sorted((shared_data / "videos").glob("*.[am][vp][i4]")):
        sight = Sight(1.0, 1.0)
        with av.open(str(path)) as video:
            stream = video.streams.video[0]
            every = max(1, round(float(stream.average_rate or 25) / 4))
            for n, frame in enumerate(video.decode(stream)):
                if n >= 60 * every:
                    break
                if n % every == 0:
                    picture = at_model_size(frame.to_ndarray(format="rgb24"))
                    lost[path.name] = lost.get(path.name, 0) + bool(
                        sight.look(picture, n / every / 4)
                    )

    assert len(lost) >= 9
    assert sum(lost.values()) == 0, lost
