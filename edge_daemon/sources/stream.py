"""Cameras on the network: RTSP, HTTP MJPEG and HLS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import av

from edge_daemon.errors import SourceUnavailableError
from edge_daemon.sources.av_errors import source_error
from edge_daemon.sources.decoder import Decoder, open_container
from edge_daemon.sources.tap import Tap
from edge_daemon.sources.watch import ADDRESS_HINT, CONNECT_WITHIN_S, LiveSource

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping
    from threading import Event

    from edge_daemon.packets import PacketSink
    from edge_daemon.types import CameraId, Frame, SourceAddress

# RTSP says beforehand what will come, so nothing needs to be probed.  measured: first picture
# after 0.05 s (25 fps) and 1.0 s (1 fps); with fpsprobesize=0 0.3 and 4.0 s, with FFmpeg's
# defaults 1.1 s and more; x86-64, tests/integration/rtsp_server.py, PyAV 18.1.
_RTSP_OPTIONS: Final[Mapping[str, str]] = {
    "probesize": "32",
    "buffer_size": "2097152",  # UDP: a key frame comes as one burst
    "tls_verify": "0",  # rtsps: cameras sign for themselves; PyAV 19 checks unless told not to
}
# Encoders leave up to 10 s between key frames (x264: 250 pictures), some more where nothing moves.
_KEY_FRAME_WITHIN_S: Final = 30.0
_LATER_S: Final = 1.0  # a thread that was left behind wakes so long after it was given up
_HTTP_OPTIONS: Final[Mapping[str, str]] = {"fpsprobesize": "0", "analyzeduration": "500000"}


class StreamSource(LiveSource):
    """One rtsp, rtsps, http or https address.

    captured_at is the camera's own clock where it sends one over RTCP.  Packets that cannot be
    decoded are counted and left out.
    """

    def __init__(
        self,
        *,
        camera: CameraId,
        address: SourceAddress,
        stop: Event,
        stall_after_s: float,
        transport: Literal["tcp", "udp"] = "tcp",
        keyframes_only: bool = False,
        connect_within_s: float = CONNECT_WITHIN_S,
        on_corrupt: Callable[[], None] = lambda: None,
        on_decode_s: Callable[[float], None] = lambda _seconds: None,
        sink: PacketSink | None = None,
    ) -> None:
        super().__init__(
            camera=camera,
            where=repr(address),
            stop=stop,
            stall_after_s=stall_after_s,
            picture_within_s=max(stall_after_s, _KEY_FRAME_WITHIN_S) if keyframes_only else None,
            connect_within_s=connect_within_s,
        )
        self._address, self._transport, self._has_sink = address, transport, sink is not None
        self._decoder = Decoder(
            camera,
            keyframes_only=keyframes_only,
            on_corrupt=on_corrupt,
            on_decode_s=on_decode_s,
            tap=Tap(sink, self._left.is_set) if sink else None,
            is_over=self._left.is_set,
        )

    def _read(self) -> Generator[Frame | None, None, None]:
        address, connected = self._address, False
        try:
            with open_container(
                address.reveal(),
                options=self._options(),
                timeout_s=(self._connect_within_s + _LATER_S, self._stall_after_s + _LATER_S),
            ) as container:
                connected = True
                yield None
                yield from self._decoder.frames(container, where=self._where, live=True)
        except av.FFmpegError as exc:  # from None: its own text holds the password
            if isinstance(exc, av.InvalidDataError) and self._rtsp and not connected:
                raise SourceUnavailableError(
                    "what answers there is no RTSP camera", where=self._where, hint=ADDRESS_HINT
                ) from None
            raise source_error(exc, address) from None

    @property
    def _rtsp(self) -> bool:
        return self._address.reveal().lower().startswith("rtsp")

    def _options(self) -> dict[str, str]:
        if self._rtsp:
            wanted = {"allowed_media_types": "video+audio" if self._has_sink else "video"}
            return {**_RTSP_OPTIONS, **wanted, "rtsp_transport": self._transport}
        return dict(_HTTP_OPTIONS)
