"""Failures an operator can act on.

EdgeError                       exit  retry
  ConfigError                     78          the configuration file, or a value in it
  UsageError                       2          the command line
  SourceError                     69          a camera, stream, file or directory
    SourceUnavailableError        69    x     away: network, host, device, file
    SourceStalledError            69    x     connected, but silent
    SourceRefusedError            69    x     wrong user or password: retried at the cap only
    SourceFormatError             69          what came is not a picture or a video
  EngineError                     69          a bundle or the runtime that opens it
    BundleError                   69          damaged, incomplete or for another version
    PlanError                     69          a plan damaged, or made for another GPU or runtime
    EngineMissingError            69          the runtime is not installed
    EngineRunError                69    x     the runtime failed on a frame
  RecordingError                  69    x     a recording could not be written
    StorageFullError              69    x     no room left: judging goes on
  PublishError                    69    x     MQTT
    BrokerUnavailableError        69    x     the broker is away
    BrokerRefusedError            69    x     the broker says no: user, password, topic

Everything else (ValueError, KeyError, AssertionError) is a bug and ends the process with 70.
"""

from __future__ import annotations

from typing import ClassVar


class EdgeError(Exception):
    """A failure an operator can act on, said in one line: ``where: what -- what to do``."""

    retryable: ClassVar[bool] = False
    exit_code: ClassVar[int] = 69  # sysexits.h EX_UNAVAILABLE: something outside is not there

    def __init__(self, what: str, *, where: str, hint: str = "") -> None:
        line = f"{where}: {what}" + (f" -- {hint}" if hint else "")
        super().__init__(" ".join(line.split()))
        self.what, self.where, self.hint = what, where, hint


class ConfigError(EdgeError):
    """The configuration is wrong.  Carries every fault found, one line each."""

    exit_code = 78  # sysexits.h EX_CONFIG; the unit lists it in RestartPreventExitStatus=

    def __init__(
        self, what: str, *, where: str, hint: str = "", faults: tuple[str, ...] = ()
    ) -> None:
        super().__init__(what, where=where, hint=hint)
        self.faults = faults or (str(self),)


class UsageError(EdgeError):
    """The command line is wrong."""

    exit_code = 2


class SourceError(EdgeError):
    """A camera, stream, file or directory."""


class SourceUnavailableError(SourceError):
    """The source is away: network, host, device or file."""

    retryable = True


class SourceStalledError(SourceError):
    """The source is connected, but sends nothing."""

    retryable = True


class SourceRefusedError(SourceError):
    """The source wants another user or password; retried at the longest wait only."""

    retryable = True


class SourceFormatError(SourceError):
    """What came from the source is not a picture or a video."""


class EngineError(EdgeError):
    """A bundle, or the runtime that opens it."""


class BundleError(EngineError):
    """The bundle is damaged, incomplete, or made for another version."""


class PlanError(EngineError):
    """A TensorRT plan is damaged, cannot be built, or was made for something else."""


class EngineMissingError(EngineError):
    """The runtime that was asked for is not installed."""


class EngineRunError(EngineError):
    """The runtime failed on a frame."""

    retryable = True


class RecordingError(EdgeError):
    """A recording could not be written."""

    retryable = True


class StorageFullError(RecordingError):
    """No room left on the disk; judging goes on."""


class PublishError(EdgeError):
    """MQTT delivery."""

    retryable = True


class BrokerUnavailableError(PublishError):
    """The broker is away; events wait."""


class BrokerRefusedError(PublishError):
    """The broker says no: user, password, certificate or topic."""
