from __future__ import annotations

import logging
import os
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from edge_daemon.recording.index import Indexed, SegmentIndex
from edge_daemon.recording.limits import Limits
from edge_daemon.recording.retention import Archive

AT = datetime(2026, 11, 21, 8, 0, 0, tzinfo=timezone.utc)
NO_LIMITS = Limits(None, None)
DAY = (AT - timedelta(days=1), AT + timedelta(days=1))


def s(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def segment(archive: Archive, started_at: datetime, *, size: int = 1000) -> Path:
    name, _most = archive.begin("gate", started_at, NO_LIMITS, 1000, recorded="soft", epoch=7)
    path = Path(name)
    path.write_bytes(bytes(size))
    path.with_suffix(".vtt").write_bytes(bytes(50))
    archive.end(name, started_at + s(60))
    return path


def found(archive: Archive, since: datetime = DAY[0], until: datetime = DAY[1]) -> list[str]:
    return [row.path for row in archive.index.find("gate", since, until)]


def test_index_knows_what_is_written_and_what_was(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    segment(archive, AT)
    archive.begin("gate", AT + s(60), NO_LIMITS, 1000, recorded="soft", epoch=7)

    assert archive.index.find("gate", *DAY) == [
        Indexed("gate/2026-11-21/08-00-00Z.mp4", "gate", "soft", 7, AT, AT + s(60), 1050),
        Indexed("gate/2026-11-21/08-01-00Z.mp4", "gate", "soft", 7, AT + s(60), None, 0),
    ]
    assert archive.index.find("door", *DAY) == []


@pytest.mark.parametrize(
    ("since_s", "until_s", "names"),
    [
        (-60, 0, []),
        (0, 1, ["08-00-00Z"]),
        (59, 61, ["08-00-00Z", "08-01-00Z"]),
        (60, 120, ["08-01-00Z"]),
        (120, 180, []),
    ],
)
def test_index_finds_the_segments_of_a_time(
    tmp_path: Path, since_s: float, until_s: float, names: list[str]
) -> None:
    archive = Archive(tmp_path)
    segment(archive, AT)
    segment(archive, AT + s(60))

    assert [Path(p).stem for p in found(archive, AT + s(since_s), AT + s(until_s))] == names


def test_what_is_removed_leaves_the_index(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    for n in range(3):
        path = segment(archive, AT + s(60 * n))
        os.utime(path, (n, n))
    archive.begin("gate", AT + s(300), Limits(None, 3000), 1000)
    paths = sorted(tmp_path.rglob("*.mp4"))

    assert [p.name for p in paths] == ["08-02-00Z.mp4"]
    assert sorted(tmp_path.rglob("*.vtt")) == [paths[0].with_suffix(".vtt")]
    assert found(archive) == ["gate/2026-11-21/08-02-00Z.mp4", "gate/2026-11-21/08-05-00Z.mp4"]


def test_index_follows_the_files_at_a_start(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    gone, kept = segment(archive, AT), segment(archive, AT + s(60))
    killed, _most = archive.begin("gate", AT + s(120), NO_LIMITS, 1000, recorded="soft", epoch=7)
    Path(killed).write_bytes(bytes(700))
    os.utime(killed, (AT.timestamp() + 150,) * 2)
    gone.unlink()
    gone.with_suffix(".vtt").unlink()
    other = kept.with_name("09-00-00Z.mov")
    other.write_bytes(bytes(400))
    os.utime(other, (AT.timestamp() + 3700,) * 2)
    again = Archive(tmp_path)
    again.size_bytes("gate")

    assert again.index.find("gate", *DAY) == [
        Indexed("gate/2026-11-21/08-01-00Z.mp4", "gate", "soft", 7, AT + s(60), AT + s(120), 1050),
        Indexed("gate/2026-11-21/08-02-00Z.mp4", "gate", "soft", 7, AT + s(120), AT + s(150), 700),
        Indexed(
            "gate/2026-11-21/09-00-00Z.mov",
            "gate",
            "unknown",
            None,
            AT + s(3600),
            AT + s(3700),
            400,
        ),
    ]


@pytest.mark.parametrize("content", [b"no database" * 1000, b"SQLite format 3\0" + bytes(9000)])
def test_damaged_index_is_made_anew(tmp_path: Path, content: bytes) -> None:
    segment(Archive(tmp_path), AT)
    (tmp_path / "index.sqlite").write_bytes(content)
    archive = Archive(tmp_path)
    archive.size_bytes("gate")

    assert found(archive) == ["gate/2026-11-21/08-00-00Z.mp4"]


def test_recording_goes_on_where_no_index_can_be_written(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "index.sqlite").mkdir()
    caplog.set_level(logging.WARNING)
    archive = Archive(tmp_path)
    path = segment(archive, AT)
    segment(archive, AT + s(60))

    assert path.exists()
    assert found(archive) == []
    assert len(caplog.records) == 1
    assert "recording goes on" in caplog.text


def test_segment_that_was_never_made_leaves_no_trace(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    path, _most = archive.begin("gate", AT, NO_LIMITS, 1000)
    archive.end(path)

    assert SegmentIndex(tmp_path).find("gate", *DAY) == []
