"""A picture of what bench engine measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from edge_daemon.errors import EngineMissingError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

_SIZE_IN: Final = (11.0, 4.6)
_FONT: Final = 9


def draw(figures: dict[str, Any], out: Path) -> None:
    """Draw pictures a second by batch, and a frame's time by questions, both of processor time.

    Raises EngineMissingError without matplotlib, UsageError when out cannot be written.
    """
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415  heavy, and of an extra
    except ModuleNotFoundError as exc:
        hint = "pip install 'edge-daemon[plot]'"
        raise EngineMissingError(f"needs {exc.name!r}", where="--plot", hint=hint) from exc
    figure = Figure(figsize=_SIZE_IN, layout="constrained")
    looks, frames = figure.subplots(1, 2)
    for what in _kinds(figures["look"]):
        rows = [row for row in figures["look"] if _kind(row) == what]
        rates = [1000 * row["batch"] / row["busy_ms"] for row in rows]
        looks.plot([row["batch"] for row in rows], rates, marker="o", label=what)
    for what in _kinds(figures["frame"]):
        rows = [row for row in figures["frame"] if _kind(row) == what]
        times = [row["busy_ms"] for row in rows]
        frames.plot([row["questions"] for row in rows], times, marker="o", label=what)
    _dress(looks, "pictures looked at together", "pictures a second", figures["look"], "batch")
    frames.set_yscale("log")
    _dress(frames, "questions", "ms a frame", figures["frame"], "questions")
    frames.yaxis.set_major_formatter("{x:g}")
    frames.yaxis.set_minor_formatter("{x:g}")
    machine = figures["machine"]
    title = f"{figures['bundle']} {figures['version']}: {machine['processor']}"
    threads = f"{figures['threads']} thread{'s' * (figures['threads'] > 1)}"
    figure.suptitle(f"{title}, {threads}, processor time", fontsize=_FONT + 1)
    try:
        figure.savefig(out, dpi=120)
    except (OSError, ValueError) as exc:
        hint = "name a .png, .svg or .pdf that can be written"
        raise UsageError(str(exc).splitlines()[0], where=f"--plot {out}", hint=hint) from exc


def _kind(row: dict[str, Any]) -> str:
    return f"{row['backend']}, {row['precision']}"


def _kinds(rows: list[dict[str, Any]]) -> list[str]:
    return sorted({_kind(row) for row in rows})


def _dress(axes: Any, x: str, y: str, rows: list[dict[str, Any]], key: str) -> None:  # noqa: ANN401  untyped library
    ticks = sorted({row[key] for row in rows})
    axes.set_xscale("log", base=2)
    axes.set_xticks(ticks, [str(n) for n in ticks])
    axes.set_xlabel(x, fontsize=_FONT)
    axes.set_ylabel(y, fontsize=_FONT)
    axes.set_ylim(bottom=0 if key == "batch" else None)
    axes.grid(visible=True, alpha=0.3)
    axes.legend(fontsize=_FONT - 1)
