"""A street drawn from nothing, with the truth about it."""

from __future__ import annotations

from edge_daemon.scenes.snapshot import random_scene
from edge_daemon.scenes.truth import Box, Truth

__all__ = ["Box", "Truth", "random_scene"]
