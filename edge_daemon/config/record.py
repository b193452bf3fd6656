"""The configuration of recordings: segments, clips, and what is kept of events."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from edge_daemon.config.section import Section
from edge_daemon.config.units import Duration, Size  # noqa: TC001  read at run time


class ClipsConfig(Section):
    """Short recordings around events."""

    before: Annotated[Duration, Field(le=60)] = Field(
        5.0, description="Pre-roll, from the key frame before it on; at most 60s, in memory."
    )
    after: Annotated[Duration, Field(le=300)] = Field(
        10.0, description="Post-roll; events that come meanwhile prolong it.  At most 5m."
    )
    on: tuple[Literal["YES", "NO", "UNKNOWN"], ...] = Field(
        ("YES",), min_length=1, description="Verdicts."
    )


class EventFilesConfig(Section):
    """What is kept of each event, besides clips."""

    snapshots: bool = Field(
        True,  # noqa: FBT003
        description="JPEG of the picture behind it, with the answer drawn in; sent over MQTT too.",
    )
    evidence: bool = Field(
        True,  # noqa: FBT003
        description="What the model saw and said, for `edge-daemon replay`.",
    )
    keep: Duration | None = Field(
        30 * 86400.0, description="Older ones go, clips too; null: no limit."
    )
    max_size: Size | None = Field(
        2 * 10**9, description="Oldest go beyond, evidence last; clips count; null: no limit."
    )


class BurnedConfig(Section):
    """How recordings with the overlay drawn in are made smaller, and what else they show."""

    fps: float | None = Field(
        None, gt=0, le=1000, description="At most so many pictures a second; null: every one."
    )
    height: int | None = Field(
        None, ge=64, le=4320, description="Larger pictures are scaled down to it; null: never."
    )
    evidence: str | None = Field(
        None, description="Question whose evidence tints the picture; null: none."
    )


class RecordConfig(Section):
    """What is kept of the video."""

    mode: Literal["off", "soft", "burned"] = Field(
        "off",
        description="soft: the camera's own H.264 or H.265, answers beside it; burned: drawn in.",
    )
    captions: Literal["vtt", "mkv"] = Field(
        "vtt",
        description="Of soft recordings.  vtt: a WebVTT file beside each MP4; mkv: a track inside.",
    )
    segment: Duration = Field(300.0, description="Length of one file.")
    keep: Duration | None = Field(7 * 86400.0, description="Older segments go; null: no limit.")
    max_size: Size | None = Field(20 * 10**9, description="Oldest go beyond; null: no limit.")
    encoder: Literal["auto", "x264", "v4l2m2m", "nvenc"] = Field(
        "auto", description="H.264 of burned recordings; auto: the first that works here."
    )
    burned: BurnedConfig = Field(default_factory=BurnedConfig, description="Burned recordings.")
    events: EventFilesConfig = Field(
        default_factory=EventFilesConfig, description="What is kept of events."
    )
    clips: ClipsConfig | None = Field(
        None,
        description="Video around events: the camera's own, of masked and USB cameras the burned"
        " one; null: none.",
    )
