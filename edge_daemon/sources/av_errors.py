"""What FFmpeg's errors mean to somebody who can act on them.  The only place that maps them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from av import error

from edge_daemon.errors import (
    SourceError,
    SourceFormatError,
    SourceRefusedError,
    SourceUnavailableError,
)
from edge_daemon.sources.watch import ADDRESS_HINT, LOST_HINT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_daemon.types import SourceAddress


class _Meaning(NamedTuple):
    """what may hold {text}, FFmpeg's own words."""

    kind: type[SourceError]
    what: str
    hint: str


_CREDENTIALS: Final = "check user and password of its source, percent-encode special characters"
_NOT_VIDEO: Final = "check that it plays elsewhere; name a video file or a camera's stream"
_READABLE: Final = "let the user that runs the daemon read it"

_NO_PICTURE = _Meaning(SourceFormatError, "is no video that can be read ({text})", _NOT_VIDEO)
_ANSWERED = _Meaning(SourceUnavailableError, "the camera answered: {text}", LOST_HINT)
_LOST = _Meaning(SourceUnavailableError, "connection lost ({text})", LOST_HINT)
_ABSENT = _Meaning(SourceUnavailableError, "no such file", "check the path")
_FAILED = _Meaning(SourceUnavailableError, "cannot be read ({text})", LOST_HINT)
_SILENT = _Meaning(SourceUnavailableError, "no answer in time", ADDRESS_HINT)

_MEANINGS: Final[Mapping[type[Exception], _Meaning]] = {
    error.HTTPUnauthorizedError: _Meaning(
        SourceRefusedError, "wrong or missing user or password", _CREDENTIALS
    ),
    error.HTTPForbiddenError: _Meaning(
        SourceRefusedError, "this user may not see it", "allow the user to see this stream"
    ),
    error.HTTPNotFoundError: _Meaning(
        SourceUnavailableError,
        "the camera knows no such stream",
        "check what comes after the host in its source; the camera's manual names its streams",
    ),
    error.HTTPError: _ANSWERED,
    error.HTTPClientError: _ANSWERED,
    error.ConnectionRefusedError: _Meaning(
        SourceUnavailableError, "connection refused", ADDRESS_HINT
    ),
    error.ConnectionResetError: _LOST,
    error.ConnectionAbortedError: _LOST,
    error.BrokenPipeError: _LOST,
    error.EOFError: _Meaning(SourceUnavailableError, "connection closed by the camera", LOST_HINT),
    error.TimeoutError: _SILENT,
    error.ExitError: _SILENT,  # our own time limit ended the call
    error.OSError: _Meaning(SourceUnavailableError, "connection failed ({text})", ADDRESS_HINT),
    error.FileNotFoundError: _ABSENT,
    error.NotADirectoryError: _ABSENT,
    error.IsADirectoryError: _Meaning(
        SourceFormatError, "is a directory", "name the files: directory/*.mp4"
    ),
    error.PermissionError: _Meaning(SourceUnavailableError, "may not be read", _READABLE),
    error.InvalidDataError: _NO_PICTURE,
    error.PatchWelcomeError: _NO_PICTURE,
    error.NotImplementedError: _NO_PICTURE,
    error.LookupError: _NO_PICTURE,  # no demuxer, decoder, protocol, filter of that name
    error.ArgumentError: _NO_PICTURE,
    error.BufferTooSmallError: _NO_PICTURE,
    error.OverflowError: _NO_PICTURE,
    error.MemoryError: _Meaning(
        SourceUnavailableError, "not enough memory to read it", "use a smaller stream of the camera"
    ),
    error.BlockingIOError: _FAILED,
    error.InterruptedError: _FAILED,
    error.ChildProcessError: _FAILED,
    error.ProcessLookupError: _FAILED,
    error.FileExistsError: _FAILED,
    error.UndefinedError: _FAILED,
    error.UnknownError: _FAILED,
    error.ExternalError: _FAILED,
    error.ExperimentalError: _FAILED,
    error.InputChangedError: _FAILED,
    error.OutputChangedError: _FAILED,
    error.BugError: _FAILED,
    error.PyAVCallbackError: _FAILED,
}


def source_error(exc: error.FFmpegError, address: SourceAddress, *, where: str = "") -> SourceError:
    """Return what to raise; no password of the address is in it.  where: default the address.

    Raise it ``from None`` for a stream: FFmpeg's own message, which a traceback would show, quotes
    the whole address.
    """
    meaning = meaning_of(type(exc)) or _FAILED
    text = address.redact(exc.strerror or type(exc).__name__)
    return meaning.kind(
        meaning.what.format(text=text), where=where or repr(address), hint=meaning.hint
    )


def meaning_of(kind: type[Exception]) -> _Meaning | None:
    """Return the nearest entry of the table; None where only FFmpegError itself would fit."""
    return next((_MEANINGS[base] for base in kind.__mro__ if base in _MEANINGS), None)
