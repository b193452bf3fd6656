"""Configurations and messages that nobody sane would send, drawn by hypothesis."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import strategies as st

ODD: list[Any] = [
    None, True, False, 0, -1, 1e308, float("nan"), float("inf"), 2**70, "", " ", "\0", "\n",
    "${", "${}", "${HOME}", "a" * 300, "10s", "-1s", "1e9d", "0MB", "٣s", "rtsp://", "rtsp://[::1",
    "http://u:p@h/\ud800"[:-1], "test:street?fps=0", "test:", "/dev/null", "../..", "*", "mqtt://:x",
    "~nosuchuser/x", "a\0b", "/a\0b/*.mp4", "a..b:8471", "\ud800",
    [], {}, [[]], [{}], {"": None}, {"id": "a"}, [[0, 0], [1, 1], [2, 2]], "Ω",
]  # fmt: skip
_leaf = st.sampled_from(ODD) | st.integers() | st.floats() | st.text(max_size=40)
json_values = st.recursive(
    _leaf, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)  # fmt: skip

GOOD: dict[str, Any] = {
    "version": 1,
    "device": {"id": "box", "name": "Box"},
    "data_dir": "/tmp/nowhere",
    "engine": {"bundle": "street", "backend": "auto", "precision": "auto", "threads": 1},
    "mqtt": {
        "url": "mqtts://broker:8883", "username": "u", "password_file": "/p", "ca_file": "/c",
        "cert_file": "/c", "key_file": "/k", "base_topic": "edge", "discovery_prefix": "ha",
        "outbox": {"max_events": 10, "max_age": "7d"},
    },
    "http": {"listen": "127.0.0.1:8471", "token_file": "/t"},
    "log": {"level": "info", "format": "text"},
    "defaults": {"question": {"yes_above": 0.7, "no_below": 0.3, "hold": "1s"}},
    "cameras": [
        {
            "id": "gate", "source": "rtsp://u:${HOME}@camera/1", "transport": "tcp",
            "stall_after": "10s", "sample": {"every": 5},
            "zones": {"door": [[0, 0], [1, 0], [1, 1]]},
            "privacy_masks": [[[0, 0], [1, 0], [1, 1]]],
            "questions": [{"id": "red", "ask": "Is it red?", "zone": "door", "hold": None}],
            "record": {"mode": "burned", "segment": "5m", "keep": "7d", "max_size": "20GB"},
        },
        {"id": "yard", "source": "test:street?fps=5", "loop": True, "pace": "realtime",
         "sample": {"keyframes": True}, "questions": [{"id": "red", "ask": "Is it red?"}]},
    ],
}  # fmt: skip


@st.composite
def configurations(draw: st.DrawFn) -> Any:
    """Return a good configuration with one to four places changed, dropped or added."""
    data = copy.deepcopy(GOOD)
    for _ in range(draw(st.integers(1, 4))):
        at: Any = data
        while draw(st.booleans()) or at is data:
            inner = list(at.values()) if isinstance(at, dict) else at
            inner = [one for one in inner if isinstance(one, (dict, list)) and one]
            if not inner:
                break
            at = draw(st.sampled_from(inner))
        _change(draw, at)
    return data


def _change(draw: st.DrawFn, at: Any) -> None:
    keys = list(at) if isinstance(at, dict) else list(range(len(at)))
    if isinstance(at, dict):
        keys.append(draw(st.text(max_size=8)))
    if not keys:
        return
    key = draw(st.sampled_from(keys))
    if draw(st.integers(0, 4)) == 0 and isinstance(at, dict):
        at.pop(key, None)
    else:
        at[key] = copy.deepcopy(draw(json_values))


_asked = st.fixed_dictionaries(
    {}, optional={"question": json_values | st.just("Is it red?"), "zone": json_values}
)
payloads = (
    st.binary(max_size=200)
    | st.sampled_from([b"", b"ON", b"off", b"{", b"[]" * 4000, b"[" * 3000, b"\xff\xfe", b"1e999"])
    | _asked.map(lambda asked: json.dumps(asked).encode("utf-8", "replace"))
)
"""For .../set and .../ask."""
