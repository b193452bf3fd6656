from __future__ import annotations

from pathlib import Path

import pytest

from edge_daemon.cli.progress import file_progress
from edge_daemon.cli.video_jobs import expanded, result_names
from edge_daemon.errors import UsageError


@pytest.mark.parametrize(
    ("sources", "names"),
    [
        (["/a/x.mp4", "/b/y.avi"], ["x", "y"]),
        (["/a/x.mp4", "/b/x.mp4", "/b/y.mp4"], ["a/x", "b/x", "y"]),
        (["/a/x.mp4", "/a/x.avi"], ["x.mp4", "x.avi"]),
        (["/a/x.mp4", "/a/x.avi", "/b/x.avi"], ["a/x.mp4", "a/x.avi", "b/x.avi"]),
        (["/a/b/x.mp4", "/a/x.mp4"], ["b/x", "x"]),
        (["test:street?seed=7&fps=5"], ["test_street_seed_7_fps_5"]),
    ],
)
def test_results_have_names_of_their_own(sources: list[str], names: list[str]) -> None:
    assert result_names(sources) == names
    assert len(set(names)) == len(names)


def test_sources_are_expanded_and_each_taken_once(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a.mp4", "b.mp4", "[c].mp4")]
    for file in files:
        file.touch()
    a, b, c = map(str, files)

    assert expanded([f"{tmp_path}/*.mp4", a]) == sorted([a, b, c])
    assert expanded([c, "none.mp4"]) == [c, "none.mp4"]
    with pytest.raises(UsageError, match="is a live source"):
        expanded(["rtsp://user:secret@camera/1"])


def test_progress_without_a_terminal_is_quiet_for_ten_seconds(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with file_progress({"a": 10.0, "b": None}) as progress:
        progress.tell("a", 5.0)
        progress.end("a")
        progress.end("b")

    assert capsys.readouterr().err == ""
