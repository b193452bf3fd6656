"""Progress bars on standard error, where that is a terminal."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def file_progress(
    names: list[str], lengths_s: list[float | None]
) -> Iterator[Callable[[str, float], None]]:
    """Show a bar per file; yield tell(name, seconds of it that are done)."""
    from rich.console import Console  # noqa: PLC0415  keeps --help light
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bars = {n: progress.add_task(n, total=s) for n, s in zip(names, lengths_s)}
        yield lambda name, done_s: progress.update(bars[name], completed=done_s)
