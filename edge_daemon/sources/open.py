"""The right source for an address; only its own library is imported."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from edge_daemon.sources.places import is_directory, path_of
from edge_daemon.types import SourceKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from threading import Event

    from edge_daemon.config.models import CameraConfig
    from edge_daemon.packets import PacketSink
    from edge_daemon.sources.base import Source
    from edge_daemon.types import SourceAddress

_SOURCES: Final[Mapping[SourceKind, str]] = {
    SourceKind.STREAM: "edge_daemon.sources.stream:StreamSource",
    SourceKind.FILES: "edge_daemon.sources.files:FileSource",
    SourceKind.IMAGES: "edge_daemon.sources.images:ImageSource",
    SourceKind.CAMERA: "edge_daemon.sources.camera:V4l2Source",
    SourceKind.SCENE: "edge_daemon.sources.scene:SceneSource",
}


def open_source(
    settings: CameraConfig,
    stop: Event,
    *,
    on_corrupt: Callable[[], None] = lambda: None,
    on_decode_s: Callable[[float], None] = lambda _seconds: None,
    sink: PacketSink | None = None,
) -> Source:
    """Return the camera's source, to be entered.  Raises SourceError.

    on_corrupt is called for each damaged packet or picture that was left out, on_decode_s with
    the seconds of CPU that decoding one took; both from the thread that decodes.  sink gets the
    camera's own packets, where its kind of source has any: a file and a stream.
    """
    kind = _kind_of(settings.source)
    module, _, name = _SOURCES[kind].partition(":")
    make = getattr(import_module(module), name)
    if sink is not None and kind not in (SourceKind.STREAM, SourceKind.FILES):
        sink.unfit("pictures")
    packets = {"sink": sink} if kind in (SourceKind.STREAM, SourceKind.FILES) else {}
    counters = {"on_corrupt": on_corrupt, "on_decode_s": on_decode_s}
    source: Source = make(
        camera=settings.id,
        address=settings.source,
        stop=stop,
        **_own_settings(kind, settings),
        **({} if kind is SourceKind.SCENE else counters),
        **packets,
    )
    return source


def _kind_of(address: SourceAddress) -> SourceKind:
    """The kind of the address; a directory written without a slash holds pictures."""
    if address.kind is SourceKind.FILES and is_directory(path_of(address)):
        return SourceKind.IMAGES
    return address.kind


def _own_settings(kind: SourceKind, settings: CameraConfig) -> dict[str, Any]:
    finite: dict[str, Any] = {"loop": settings.loop, "pace": settings.pace}
    keyframes = {"keyframes_only": bool(settings.sample.keyframes)}
    if kind is SourceKind.STREAM:
        live = {"transport": settings.transport, "stall_after_s": settings.stall_after}
        return {**live, **keyframes}
    if kind is SourceKind.CAMERA:
        return {"stall_after_s": settings.stall_after}
    return {**finite, **keyframes} if kind is SourceKind.FILES else finite
