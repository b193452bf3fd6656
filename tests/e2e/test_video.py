"""``edge-daemon video`` as a user runs it: recorded files in, annotated files out."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_daemon.recording.encoders import ENCODERS, why_not
from tests.data.colours import BLUE, GREEN, RED, lined, write_colours, write_pictures
from tests.data.flashes import beeps, flashes, write_flashes
from tests.data.make_data import garbage, number_in, write_clip
from tests.e2e.daemon import edge_daemon, write_config
from tests.processes import wait_until


class Video:
    """The command with the tiny bundle and a directory for the results."""

    def __init__(self, bundle: Path, out: Path) -> None:
        self.bundle, self.out = bundle, out

    def args(self, *sources: Path | str, asked: str = "Is it red?") -> list[str]:
        files = [str(source) for source in sources]
        out = ["--out", str(self.out), "--bundle", str(self.bundle), "--threads", "1"]
        return ["video", *files, "-q", asked, *out]

    def __call__(
        self, *sources: Path | str, more: tuple[str, ...] = (), code: int = 0, **options: Any
    ) -> list[dict[str, Any]]:
        """Run it; return the objects it prints."""
        done = edge_daemon(*self.args(*sources, **options), "--json", *more)
        self.told = done.stderr
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def rows(self, name: str) -> list[dict[str, Any]]:
        lines = (self.out / f"{name}.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def names(self) -> set[str]:
        return {p.relative_to(self.out).as_posix() for p in self.out.rglob("*") if p.is_file()}


@pytest.fixture
def video(tmp_path: Path, tiny_bundle: Path) -> Video:
    return Video(tiny_bundle, tmp_path / "out")


def pictures(path: Path) -> tuple[list[float], list[NDArray[np.uint8]]]:
    with av.open(str(path)) as file:
        frames = list(file.decode(video=0))
        return [float(f.time) for f in frames], [f.to_ndarray(format="rgb24") for f in frames]


def test_video_answers_in_rows_and_in_pictures(tmp_path: Path, video: Video) -> None:
    clip = write_colours(tmp_path / "a.mp4", [(RED, 3.0), (BLUE, 3.0)], size=(640, 360))
    (told,) = video(clip, more=("--every", "2"))
    rows = video.rows("a")
    times, shown = pictures(video.out / "a.mp4")

    assert video.names() == {"a.mp4", "a.jsonl", "a.run.json"}
    assert (told["frames"], told["asked"], told["done_before"]) == (60, 30, False)
    assert [row["frame"] for row in rows] == list(range(0, 60, 2))
    assert rows[10]["answers"][0] == {
        "question": "Is it red?", "p_yes": rows[10]["answers"][0]["p_yes"], "verdict": "YES",
        "reason": None,
    }  # fmt: skip
    assert rows[-1]["answers"][0]["verdict"] == "NO"
    assert times == pytest.approx([n / 10 for n in range(60)], abs=1e-4)
    assert shown[0].shape == (360, 640, 3)
    assert np.ptp(shown[30][:80, :200].astype(int), axis=(0, 1)).max() > 150  # the panel


def test_video_keeps_frames_in_order_and_their_uneven_times(tmp_path: Path, video: Video) -> None:
    times = [0.0, 0.1, 0.15, 0.9, 1.0, 2.75, 2.8, 3.0]
    clip = write_flashes(tmp_path / "a.mp4", seconds=3.0, times=times)
    numbered = write_clip(tmp_path / "b.mp4", n_frames=40, b_frames=2, size=(640, 360))
    video(clip, numbered, more=("--jobs", "2"))
    _times, shown = pictures(video.out / "b.mp4")

    assert pictures(video.out / "a.mp4")[0] == pytest.approx(times, abs=1e-4)
    assert [number_in(p) for p in shown] == list(range(40))


@pytest.mark.parametrize(
    ("name", "sound", "rate", "later_s"),
    [
        ("a.mp4", "aac", 48_000, 0.0),
        ("a.mov", "pcm_s16le", 8_000, 0.0),
        ("a.ts", "aac", 48_000, 7.3),
        ("a.mkv", "mp3", 48_000, 0.0),
    ],
)
def test_video_keeps_sound_in_step(
    tmp_path: Path, video: Video, name: str, sound: str, rate: int, later_s: float
) -> None:
    clip = write_flashes(
        tmp_path / name, seconds=9.0, sound=sound, sound_rate=rate, later_s=later_s
    )
    video(clip)
    made = video.out / "a.mp4"
    with av.open(str(made)) as file:
        codec = file.streams.audio[0].codec_context.name
    heard, seen = np.array(beeps(made)), np.array(flashes(made))
    begun = np.array(beeps(clip)) - np.array(flashes(clip))

    assert codec.removesuffix("float") == ("aac" if sound.startswith("pcm") else sound)
    assert len(heard) == len(seen) == 4
    assert seen == pytest.approx([1.0, 3.0, 5.0, 7.0], abs=0.001)
    assert np.abs((heard - seen) - begun).max() < 0.025  # AAC answers to 21 ms at once


def test_video_goes_on_where_it_was_killed(tmp_path: Path, video: Video) -> None:
    quick, slow = write_colours(tmp_path / "quick.mp4", [(RED, 1.0)]), "test:street?seconds=12"
    command = [sys.executable, "-m", "edge_daemon", *video.args(quick, slow), "--jobs", "1"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        wait_until((video.out / "quick.mp4").exists, 30)
        wait_until(lambda: list(video.out.glob("*.part.mp4")), 30)
        process.kill()
    left, before = video.names(), (video.out / "quick.mp4").stat()
    told = video(quick, slow)
    after = (video.out / "quick.mp4").stat()
    rows, made = Path(told[1]["rows"]), Path(told[1]["video"])

    assert {"quick.mp4", "quick.jsonl"} <= left
    assert not {made.name, rows.name} & left
    assert [t["done_before"] for t in told] == [True, False]
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert told[1]["frames"] == 120 == len(pictures(made)[0])
    assert len(rows.read_text().splitlines()) == 24
    assert not [name for name in video.names() if ".part" in name]


def test_video_stops_at_a_signal_and_leaves_nothing_half_done(tmp_path: Path, video: Video) -> None:
    command = [sys.executable, "-m", "edge_daemon", *video.args("test:street?seconds=600")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        wait_until(lambda: list(video.out.glob("*.part.mp4")), 30)
        process.send_signal(signal.SIGINT)
        _out, told = process.communicate(timeout=20)

    assert process.returncode == 130
    assert "Traceback" not in told
    assert len(video.names()) == 1
    assert video.names().pop().endswith(".run.json")


_SIGNAL_IN_ANOTHER_THREAD = """
import signal, sys, threading, time
from pathlib import Path
from edge_daemon.cli import main

def interrupt(out):
    while not list(out.glob("*.part.mp4")):
        time.sleep(0.02)
    signal.pthread_kill(threading.get_ident(), signal.SIGINT)

threading.Thread(target=interrupt, args=(Path(sys.argv[1]),), daemon=True).start()
raise SystemExit(main(sys.argv[2:]))
"""


def test_video_hears_a_signal_that_does_not_end_its_wait(tmp_path: Path, video: Video) -> None:
    """As one in the instants between looking for signals and going to sleep."""
    args = video.args("test:street?seconds=600")
    command = [sys.executable, "-c", _SIGNAL_IN_ANOTHER_THREAD, str(video.out), *args]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, timeout=60, check=False)

    assert done.returncode == 130, done.stderr
    assert len(video.names()) == 1


def test_video_does_again_what_changed(tmp_path: Path, video: Video) -> None:
    clip = write_colours(tmp_path / "a.mp4", [(RED, 1.0)])

    def is_old(**options: Any) -> bool:
        return bool(video(clip, **options)[0]["done_before"])

    assert not is_old()
    assert is_old()
    assert not is_old(asked="Is it blue?")
    assert is_old(asked="Is it blue?")
    assert not is_old(asked="Is it blue?", more=("--every", "1"))
    (video.out / "a.mp4").unlink()
    assert not is_old(asked="Is it blue?", more=("--every", "1"))
    write_colours(clip, [(BLUE, 1.0)])
    assert not is_old(asked="Is it blue?", more=("--every", "1"))
    assert video.rows("a")[-1]["answers"][0]["p_yes"] > 0.9


def test_video_never_writes_one_result_over_another(tmp_path: Path, video: Video) -> None:
    (tmp_path / "east").mkdir()
    (tmp_path / "west").mkdir()
    sources = [
        write_colours(tmp_path / "east" / "a.mp4", [(RED, 1.0)]),
        write_colours(tmp_path / "west" / "a.mp4", [(BLUE, 1.0)]),
        write_colours(tmp_path / "west" / "a.mkv", [(GREEN, 1.0)]),
    ]
    told = video(*sources)
    kept = [json.loads(Path(t["rows"]).read_text().splitlines()[0]) for t in told]

    assert len({t["video"] for t in told}) == len({t["rows"] for t in told}) == 3
    assert [row["answers"][0]["p_yes"] > 0.5 for row in kept] == [True, False, False]
    other = write_colours(tmp_path / "a.mp4", [(RED, 1.0)])
    video(other)
    video(sources[1], code=2)
    assert f"was made of {other}" in video.told


def test_video_never_replaces_its_input_or_what_it_did_not_make(
    tmp_path: Path, video: Video
) -> None:
    clip = write_colours(tmp_path / "a.mp4", [(RED, 1.0)])
    before = clip.read_bytes()
    video.out = tmp_path
    video(clip, code=2)

    assert clip.read_bytes() == before
    assert video.told.strip() == (
        f"{clip}: is in the way: this command did not make it"
        " -- name another --out, or move it away"
    )


def test_video_never_replaces_its_input_after_rows_were_made_beside_it(
    tmp_path: Path, video: Video
) -> None:
    clip = write_colours(tmp_path / "a.mp4", [(RED, 1.0)])
    before = clip.read_bytes()
    video.out = tmp_path
    video(clip, more=("--no-video",))
    video(clip, code=2)

    assert clip.read_bytes() == before
    assert video.told.startswith(f"{clip}: is in the way: ")


def test_video_replaces_only_what_its_note_names(tmp_path: Path, video: Video) -> None:
    clip = write_colours(tmp_path / "a.mp4", [(RED, 1.0)])
    made = video.out / "a.mp4"
    video(clip)
    video(clip, more=("--no-video",))
    (again,) = video(clip)
    made.unlink()
    video(clip, more=("--no-video",))
    made.write_bytes(b"somebody's own")
    video(clip, code=2)

    assert not again["done_before"]
    assert made.read_bytes() == b"somebody's own"
    assert video.told.startswith(f"{made}: is in the way: ")


def test_video_tells_of_a_damaged_file_in_one_line_and_does_the_others(
    tmp_path: Path, video: Video
) -> None:
    bad = garbage(tmp_path / "bad.mp4")
    good = [write_colours(tmp_path / f"good{n}.mp4", [(RED, 1.0)]) for n in range(3)]
    told = video(good[0], bad, tmp_path / "none.mp4", *good[1:], more=("--jobs", "2"), code=69)

    assert [Path(t["source"]).name for t in told] == ["good0.mp4", "good1.mp4", "good2.mp4"]
    assert sorted(line.partition(":")[0] for line in video.told.splitlines()) == sorted(
        [str(bad), str(tmp_path / "none.mp4")]
    )
    assert not {"bad.mp4", "bad.jsonl", "none.mp4"} & video.names()


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_video_of_a_turned_phone_is_upright_in_picture_and_zone(
    tmp_path: Path, video: Video, degrees: int
) -> None:
    clip = write_clip(tmp_path / "a.mp4", n_frames=20, size=(640, 352), rotation=degrees)
    corners = [(0.1, 0.05), (0.4, 0.05), (0.4, 0.2), (0.1, 0.2)]  # red, as it was stored
    for _ in range(degrees // 90):
        corners = [(y, 1 - x) for x, y in corners]
    zone = " ".join(f"{x:.2f},{y:.2f}" for x, y in corners)
    video(clip, more=("--zone", zone))
    _times, shown = pictures(video.out / "a.mp4")

    assert shown[0].shape == ((640, 352, 3) if degrees % 180 else (352, 640, 3))
    assert video.rows("a")[-1]["answers"][0]["p_yes"] > 0.9


def test_video_keeps_the_shape_of_wide_pixels(tmp_path: Path, video: Video) -> None:
    plain = write_colours(tmp_path / "plain.mp4", [(RED, 1.0)], size=(352, 288))
    clip = tmp_path / "a.mp4"
    with av.open(str(plain)) as of, av.open(str(clip), "w") as to:
        track: Any = to.add_stream_from_template(of.streams.video[0])
        track.sample_aspect_ratio = Fraction(12, 11)
        for packet in of.demux(video=0):
            if packet.dts is not None:
                packet.stream = track
                to.mux(packet)
    video(clip)
    with av.open(str(video.out / "a.mp4")) as file:
        assert str(file.streams.video[0].sample_aspect_ratio) == "12/11"


def test_video_shows_nothing_that_is_masked(tmp_path: Path, video: Video) -> None:
    clip = write_pictures(tmp_path / "a.mp4", [(lined(RED, size=(640, 352)), 1.0)])
    video(clip, more=("--mask", "0.5,0 1,0 1,1 0.5,1", "--evidence", "1"))
    _times, shown = pictures(video.out / "a.mp4")

    assert max(int(p[:, 336:].max()) for p in shown) < 24  # black, but for the codec
    assert min(int(p[180:, :300, 0].max()) for p in shown) > 150


def test_video_shows_a_bar_on_a_terminal_and_lines_elsewhere(tmp_path: Path, video: Video) -> None:
    clips = [write_colours(tmp_path / f"{n}.mp4", [(RED, 1.0)]) for n in range(2)]
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "edge_daemon", *video.args(*clips)]
    with subprocess.Popen(command, stderr=theirs, stdout=subprocess.DEVNULL) as process:
        os.close(theirs)
        seen = b""
        while True:
            try:
                chunk = os.read(ours, 4096)
            except OSError:
                break
            seen += chunk
    os.close(ours)
    video(*clips)

    assert process.returncode == 0
    assert b"2 of 2 files" in seen
    assert b"100%" in seen
    assert video.told == ""


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--every", "0"), "--every: input should be greater than or equal to 1"),
        (("--jobs", "0"), "--jobs: must be 1 or more -- leave it out: half the cores"),
        (("--encoder", "best"), "--encoder: input should be 'auto', 'x264', 'v4l2m2m' or 'nvenc'"),
        (("--hold", "soon"), "--hold: "),
        (("--evidence", "2"), "--evidence: there is no question 2 -- 1 to 1"),
        (("--mask", "0.1,0.2"), "--mask: needs three corners or more within 0..1"),
    ],
)
def test_video_tells_of_a_bad_option_in_one_line(
    tmp_path: Path, video: Video, more: tuple[str, ...], told: str
) -> None:
    video(write_colours(tmp_path / "a.mp4", [(RED, 0.2)]), more=more, code=2)

    assert video.told.startswith(told)
    assert video.told.count("\n") == 1


def test_video_does_not_wait_for_live_sources(video: Video) -> None:
    video("rtsp://camera/stream1", code=2)

    assert video.told == (
        "rtsp://camera/stream1: is a live source -- record it with 'run', or name a file\n"
    )


def test_check_tells_of_an_encoder_that_does_not_work(tmp_path: Path, tiny_bundle: Path) -> None:
    names = [name for name in ("v4l2m2m", "nvenc") if why_not(ENCODERS[name], (1280, 720))]
    if not names:
        pytest.skip("every encoder works here")
    camera = {
        "id": "gate",
        "source": "test:street",
        "record": {"mode": "burned", "encoder": names[0]},
        "questions": [{"id": "red", "ask": "Is it red?"}],
    }
    data = {"version": 1, "engine": {"bundle": str(tiny_bundle)}, "cameras": [camera]}
    file = write_config(tmp_path / "c.yaml", data)
    done = edge_daemon("check", "--config", str(file))

    assert done.returncode == 78
    assert done.stderr.strip() == (
        f"{file}: cameras.0.record.encoder: {names[0]} does not work here:"
        f" {ENCODERS[names[0]].absent}, asked for 1280x720 -- use auto, or x264"
    )
