"""Every fault of a configuration, word for word: this is what its owner reads."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from edge_daemon.config.load import load_settings, parse_settings, read_secret
from edge_daemon.config.models import Settings
from edge_daemon.errors import ConfigError

GOOD = """
version: 1
cameras:
  - id: gate
    source: rtsp://viewer:${GATE_PASSWORD}@camera/stream1
    zones: {crossing: [[0.1, 0.5], [0.9, 0.5], [0.9, 0.9]]}
    questions:
      - {id: pedestrian, ask: "Is there a pedestrian?", zone: crossing}
      - {id: car, ask: "Is there a car?", hold: null}
"""


def good(**changes: Any) -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load(GOOD)
    data["cameras"][0] |= changes.pop("camera", {})
    if question := changes.pop("question", {}):
        data["cameras"][0]["questions"][0] |= question
    return {**data, **changes}


def faults(data: object) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_settings(data, where="f.yaml", environ={"GATE_PASSWORD": "hunter2"})
    return [line.removeprefix("f.yaml: ") for line in caught.value.faults]


def test_configuration_that_is_good_is_taken_over_whole() -> None:
    settings = parse_settings(good(), where="f.yaml", environ={"GATE_PASSWORD": "hunter2"})

    (camera,) = settings.cameras
    assert camera.source.reveal() == "rtsp://viewer:hunter2@camera/stream1"
    assert "hunter2" not in repr(settings)
    assert [q.hold_s for q in camera.questions] == [1.0, 0.0]


def test_configuration_defaults_reach_every_question_that_gives_no_value() -> None:
    data = good(
        defaults={"question": {"hold": "3s", "yes_above": 0.9}}, question={"yes_above": 0.8}
    )

    asked = parse_settings(data, where="f", environ={"GATE_PASSWORD": "x"}).cameras[0].questions
    assert [q.yes_above for q in asked] == [0.8, 0.9]
    assert [q.hold for q in asked] == [3.0, None]


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "unknown key": (
        {"devise": {}},
        "devise: unknown key -- did you mean 'device'?",
    ),
    "unknown key far from any": (
        {"log": {"zzz": 1}},
        "log.zzz: unknown key -- use one of: level, format",
    ),
    "unknown key of a question": (
        {"question": {"treshold": 1}},
        "cameras.0.questions.0.treshold: unknown key -- use one of: id, ask, zone, yes_above,"
        " no_below, hold, unknown_after, unsure_after, schedule",
    ),
    "version": ({"version": 2}, "version: input should be 1 -- correct this value"),
    "zone that does not exist": (
        {"question": {"zone": "crosing"}},
        "cameras.0.questions.0.zone: no zone is called 'crosing' -- name one of: crossing",
    ),
    "evidence of a question that does not exist": (
        {"camera": {"record": {"mode": "burned", "burned": {"evidence": "pedestrain"}}}},
        "cameras.0.record.burned.evidence: no question is called 'pedestrain'"
        " -- name one of: pedestrian, car",
    ),
    "zone without any": (
        {"camera": {"zones": {}}},
        "cameras.0.questions.0.zone: no zone is called 'crossing' -- add it under zones",
    ),
    "zone outside the picture": (
        {"camera": {"zones": {"crossing": [[0.1, 1.5], [0.9, 0.5], [0.9, 0.9]]}}},
        "cameras.0.zones.crossing.0.1: input should be less than or equal to 1"
        " -- corners are fractions of width and height, 0 to 1",
    ),
    "zone of two corners": (
        {"camera": {"zones": {"crossing": [[0.1, 0.5], [0.9, 0.5]]}}},
        "cameras.0.zones.crossing: tuple should have at least 3 items after validation, not 2"
        " -- add what is missing",
    ),
    "question over 200 characters": (
        {"question": {"ask": "x" * 201}},
        "cameras.0.questions.0.ask: string should have at most 200 characters -- shorten it",
    ),
    "question id": (
        {"question": {"id": "A b"}},
        "cameras.0.questions.0.id: string should match pattern '^[a-z][a-z0-9_-]{0,31}$'"
        " -- use up to 32 lower-case letters, digits, _ and -, beginning with a letter",
    ),
    "question id twice": (
        {"question": {"id": "car"}},
        "cameras.0.questions.1.id: 'car' is taken by cameras.0.questions.0 -- choose another id",
    ),
    "thresholds exchanged": (
        {"question": {"yes_above": 0.3, "no_below": 0.5}},
        "cameras.0.questions.0: no_below 0.5 is above yes_above 0.3"
        " -- exchange them, or make them equal",
    ),
    "duration without unit": (
        {"question": {"hold": 2}},
        "cameras.0.questions.0.hold: write a duration such as 500ms, 10s, 5m, 12h or 7d"
        " -- correct this value",
    ),
    "duration of nothing": (
        {"question": {"unknown_after": "0s"}},
        "cameras.0.questions.0.unknown_after: out of range"
        " -- write a duration such as 500ms, 10s, 5m, 12h or 7d; to switch it off, write null",
    ),
    "sampling both ways": (
        {"camera": {"sample": {"every": 5, "fps": 2}}},
        "cameras.0.sample: name exactly one way -- {every: 5}, {fps: 2} or {keyframes: true}",
    ),
    "source of an unknown kind": (
        {"camera": {"source": "ftp://host/x"}},
        "cameras.0.source: unknown kind of address"
        " -- use rtsp://, rtsps://, http://, https://, /dev/videoN, a path or test:SCENE",
    ),
    "source with a stray at": (
        {"camera": {"source": "rtsp://u:p/@ss@host/x"}},
        "cameras.0.source: stray '@' -- percent-encode '/', '?', '#' and '@' in the password",
    ),
    "loop of a live source": (
        {"camera": {"loop": True}},
        "cameras.0: loop and pace are for files -- leave them out for a live source",
    ),
    "broker with a password in its address": (
        {"mqtt": {"url": "mqtt://u:p@broker"}},
        "mqtt.url: no user or password here -- use username and password_file",
    ),
    "broker of another kind": (
        {"mqtt": {"url": "http://broker"}},
        "mqtt.url: write mqtt://host:1883 or mqtts://host:8883 -- correct this value",
    ),
    "open door": (
        {"http": {"listen": "0.0.0.0:8471"}},
        "http: listens beyond this machine without a token"
        " -- give token_file, or listen on 127.0.0.1",
    ),
    "listening on what is no name": (
        {"http": {"listen": "a..b:8471", "token_file": "t"}},
        "http.listen: not a name of a host -- write 127.0.0.1:8471 or the like",
    ),
    "data of somebody unknown": (
        {"data_dir": "~nosuchuser/data"},
        "data_dir: ~ stands for no home known here -- write the whole path",
    ),
    "bundle of somebody unknown": (
        {"engine": {"bundle": "~nosuchuser/b"}},
        "engine.bundle: ~ stands for no home known here -- write the whole path",
    ),
    "source of somebody unknown": (
        {"camera": {"source": "~nosuchuser/x.mp4"}},
        "cameras.0.source: ~ stands for no home known here -- write the whole path",
    ),
    "source with half a character": (
        {"camera": {"source": "a\ud800.mp4"}},
        "cameras.0.source: holds half a character (a lone surrogate) -- leave it out",
    ),
    **{
        f"NUL in {section}.{key}": (
            {section: {**more, key: "a\0b"}},
            f"{section}.{key}: holds a NUL -- leave it out",
        )
        for section, key, more in (
            ("engine", "bundle", {}),
            ("engine", "weights", {"backend": "torch"}),
            ("mqtt", "password_file", {"url": "mqtt://broker", "username": "u"}),
            ("mqtt", "ca_file", {"url": "mqtts://broker"}),
            ("http", "token_file", {}),
        )
    },
    "NUL in data_dir": ({"data_dir": "a\0b"}, "data_dir: holds a NUL -- leave it out"),
    "NUL in a source": (
        {"camera": {"source": "/a\0b/*.mp4"}},
        "cameras.0.source: holds a NUL -- leave it out",
    ),
    "variable that is not set": (
        {"device": {"name": "${NOBODY}"}},
        "device.name: environment variable NOBODY is not set"
        " -- set it, for a service in EnvironmentFile=",
    ),
    "credential outside a service": (
        {"device": {"name": "${CREDENTIALS_DIRECTORY}/name"}},
        "device.name: environment variable CREDENTIALS_DIRECTORY is not set"
        " -- systemd does where a service has LoadCredential=; to check the file by hand:"
        " systemd-run --pipe -p LoadCredential=NAME:PATH edge-daemon check --config FILE",
    ),
    "default that is none": (
        {"defaults": {"question": {"id": "x"}}},
        "defaults.question: 'id' has no default"
        " -- use: hold, no_below, schedule, unknown_after, unsure_after, yes_above",
    ),
    "no questions": (
        {"camera": {"questions": []}},
        "cameras.0.questions: tuple should have at least 1 item after validation, not 0"
        " -- add what is missing",
    ),
    "no cameras": (
        {"cameras": []},
        "cameras: tuple should have at least 1 item after validation, not 0 -- add what is missing",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_configuration_fault_is_told_in_one_line(name: str) -> None:
    changes, line = BAD[name]

    assert faults(good(**changes)) == [line]


def test_configuration_faults_are_told_all_at_once() -> None:
    data = good(devise={}, question={"zone": "x", "hold": 0}, camera={"sample": {"every": 0}})

    assert len(faults(data)) == 4


def test_every_path_has_its_home_directory_put_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    mqtt = {"url": "mqtt://broker", "username": "u", "password_file": "~/password"}
    settings = parsed(good(data_dir="~", mqtt=mqtt))

    assert settings.data_dir == Path("/home/somebody")
    assert settings.mqtt is not None
    assert settings.mqtt.password_file == Path("/home/somebody/password")


@pytest.mark.parametrize("url", ["MQTTS://broker", "mqtts://broker"])
def test_tls_is_used_however_its_name_is_written(url: str) -> None:
    mqtt = parsed(good(mqtt={"url": url})).mqtt

    assert mqtt is not None
    assert (mqtt.tls, mqtt.port) == (True, 8883)


def test_configuration_missing_key_is_named() -> None:
    data = good()
    del data["cameras"][0]["source"]

    assert faults(data) == ["cameras.0.source: is missing -- add it"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("version: [1", "line 1, column 12: expected ',' or ']', but got '<stream end>'"),
        ("version: 1\nversion: 1", "line 2, column 1: key given twice"),
        ("- 1", "is not a mapping of keys"),
        ("\x00", "is not YAML text"),
        ("? [a]\n: b", "line 1, column 3: found unhashable key"),
        ("version: 1\ncameras: &a [*a]", "line 2, column 10: contains itself"),
        ("&a version: 1\ndevice: &b {id: {name: *b}}", "line 2, column 9: contains itself"),
    ],
)
def test_configuration_that_is_no_yaml_mapping_is_told_so(
    tmp_path: Path, text: str, line: str
) -> None:
    file = tmp_path / "f.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_settings(file)

    assert str(caught.value).startswith(f"{file}: {line}")


def test_configuration_that_is_not_there_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load_settings(tmp_path / "none.yaml")


def test_configuration_over_a_megabyte_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "f.yaml"
    file.write_bytes(b"#" * ((1 << 20) + 1))
    with pytest.raises(ConfigError, match="is over 1 MB"):
        load_settings(file)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner),
    max_leaves=8,
)
KEYS = st.sampled_from([*Settings.model_fields, "id", "source", "questions", "zones"])


@given(st.dictionaries(KEYS, JSON, max_size=6), st.dictionaries(KEYS, JSON, max_size=6))
@example({"engine": {"\n": None}}, {})
def test_configuration_of_any_shape_is_taken_or_refused_in_lines(
    top: dict[str, Any], camera: dict[str, Any]
) -> None:
    told: tuple[str, ...] = ("f: taken",)
    try:
        parse_settings({**good(camera=camera), **top}, where="f", environ={"GATE_PASSWORD": "x"})
    except ConfigError as exc:
        told = exc.faults

    assert told
    assert all(line.startswith("f: ") and "\n" not in line for line in told)


def test_secret_is_the_first_line_of_its_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("hunter2\nmore\n")

    assert read_secret(file, where="x").reveal() == "hunter2"
    assert "hunter2" not in repr(read_secret(file, where="x"))


def test_secret_that_is_missing_or_empty_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")

    with pytest.raises(ConfigError, match=r"^mqtt: .*empty is empty -- put the secret alone"):
        read_secret(tmp_path / "empty", where="mqtt")
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        read_secret(tmp_path / "none", where="mqtt")


def parsed(data: dict[str, Any]) -> Settings:
    return parse_settings(data, where="f", environ={**os.environ, "GATE_PASSWORD": "x"})


def test_words_that_older_yaml_takes_for_true_and_false_stay_words(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(
        """
version: 1
cameras:
  - {id: gate, source: a.mp4, loop: yes, questions: [{id: q, ask: "Is it on?"}], record:
      {mode: off, events: {snapshots: false}, clips: {before: 5s, after: 10s, on: [YES, NO]}}}
"""
    )
    (camera,) = load_settings(path).cameras

    assert camera.record.clips is not None
    assert camera.record.clips.on == ("YES", "NO")
    assert (camera.record.mode, camera.loop) == ("off", True)
    assert camera.record.events.snapshots is False


@pytest.mark.parametrize(
    ("camera", "line"),
    [
        (
            {"source": "/dev/video0", "record": {"clips": {}}},
            "record.clips are cut from its burned recording, as this source has no H.264 or H.265"
            " -- set record.mode: burned, or leave them out",
        ),
        (
            {"privacy_masks": [[[0, 0], [1, 0], [1, 1]]], "record": {"clips": {}}},
            "record.clips are cut from its burned recording, as its packets show what"
            " privacy_masks hide -- set record.mode: burned, or leave them out",
        ),
    ],
)
def test_clips_that_cannot_be_are_refused(camera: dict[str, Any], line: str) -> None:
    cameras = [
        {"id": "gate", "source": "a.mp4", "questions": [{"id": "q", "ask": "Is it?"}], **camera}
    ]
    with pytest.raises(ConfigError) as refused:
        parse_settings({"version": 1, "cameras": cameras}, where="c")
    cameras[0]["record"] = {"mode": "burned", "clips": {}}
    (remedied,) = parse_settings({"version": 1, "cameras": cameras}, where="c").cameras

    assert refused.value.faults == (f"c: cameras.0: {line}",)
    assert remedied.has_drawn_clips
