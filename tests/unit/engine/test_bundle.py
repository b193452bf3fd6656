from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_daemon.engine import bundle as bundle_module
from edge_daemon.engine.bundle import bundle_dir, load_bundle, shipped_bundles, unsupported_words
from edge_daemon.errors import BundleError
from tests.data.tiny_bundle import edit_manifest, replace_graph, write_tiny_bundle

AGAIN = " -- export or copy the bundle again"
PINNED = (
    "tokenizer.json",
    "image.fp32.onnx",
    "question.fp32.onnx",
    "answer.fp32.onnx",
    "goldens/goldens.json",
)


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_bundle(tmp_path_factory.mktemp("bundles") / "tiny")


@pytest.fixture
def tiny(pristine: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(pristine, tmp_path / "tiny"))


def fault(directory: Path) -> str:
    with pytest.raises(BundleError) as caught:
        load_bundle(directory)
    said = str(caught.value)
    assert "\n" not in said
    return said


def flip_a_bit(path: Path, at: int) -> None:
    raw = bytearray(path.read_bytes())
    raw[at] ^= 1
    path.write_bytes(raw)


def test_a_bundle_says_what_its_manifest_says(pristine: Path) -> None:
    bundle = load_bundle(pristine)

    assert (bundle.name, bundle.path) == ("tiny", pristine)
    assert bundle.input_size == (128, 72)
    assert bundle.grid == (16, 9)
    assert bundle.precisions == ("fp32",)
    assert bundle.concepts[:2] == ("red", "green")
    assert bundle.sha256 == hashlib.sha256((pristine / "manifest.yaml").read_bytes()).hexdigest()
    assert len(bundle.goldens().rows) == 3


def test_a_bundle_may_have_no_goldens(tmp_path: Path) -> None:
    bundle = load_bundle(write_tiny_bundle(tmp_path / "tiny", with_goldens=False))

    assert bundle.goldens() is None


@pytest.mark.parametrize("name", PINNED)
@pytest.mark.parametrize("at", [0, -1])
def test_one_damaged_byte_is_refused_and_the_file_named(tiny: Path, name: str, at: int) -> None:
    flip_a_bit(tiny / name, at)

    assert fault(tiny) == f"{tiny / name}: does not match its hash -- copy the bundle again"


@pytest.mark.parametrize("name", [*PINNED, "manifest.yaml"])
def test_a_missing_file_is_named(tiny: Path, name: str) -> None:
    (tiny / name).unlink()

    assert fault(tiny) == f"{tiny / name}: is missing -- copy the bundle again"


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_damaged_manifest_is_refused_or_another_bundle(
    pristine: Path, data: st.DataObject
) -> None:
    whole = (pristine / "manifest.yaml").read_bytes()
    raw = bytearray(whole)
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    sound = hashlib.sha256(whole).hexdigest()
    (pristine / "manifest.yaml").write_bytes(raw)

    try:
        assert load_bundle(pristine).sha256 != sound
    except BundleError as exc:
        assert str(exc).startswith(str(pristine))  # noqa: PT017  either end is fine
    finally:
        (pristine / "manifest.yaml").write_bytes(whole)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"schema": None}, f"schema is not edge-daemon/bundle/1{AGAIN}"),
        ({"schema": "somebody/else/1"}, f"schema is not edge-daemon/bundle/1{AGAIN}"),
        (
            {"schema": "edge-daemon/bundle/2", "kind": "woven"},
            "made for a newer version (edge-daemon/bundle/2) -- upgrade edge-daemon",
        ),
        (
            {"kind": "single"},
            f"input.mean: Field required{AGAIN}",
        ),
        ({"kind": "woven"}, f"kind: Input should be 'grounded' or 'single'{AGAIN}"),
        ({"grid": None}, f"grid: Field required{AGAIN}"),
        ({"grid": {"columns": 16}}, f"grid.rows: Field required{AGAIN}"),
        ({"graphs": {}}, f"graphs: no fp32{AGAIN}"),
        ({"graphs": {"fp32": {}}}, f"graphs.fp32.image: Field required{AGAIN}"),
        ({"temperature": 0}, f"temperature: Input should be greater than 0{AGAIN}"),
        ({"temperature": float("nan")}, f"temperature: Input should be a finite number{AGAIN}"),
        ({"version": 1.0}, f"version: Input should be a valid string{AGAIN}"),
        ({"colour": "red"}, f"colour: Extra inputs are not permitted{AGAIN}"),
        (
            {"input": {"width": 128, "height": 72, "fit": "letterbox"}},
            f"input.fit: Input should be 'stretch'{AGAIN}",
        ),
    ],
)
def test_a_wrong_manifest_is_one_clear_line(
    tiny: Path, changes: dict[str, object], said: str
) -> None:
    edit_manifest(tiny, **changes)

    assert fault(tiny) == f"{tiny}/manifest.yaml: {said}"


@pytest.mark.parametrize(
    "raw",
    [
        b"schema: [unclosed",
        b"\xff\xfe\x00",
        b"a: !!python/object/apply:os.system [id]",
        b"day: 2024-13-45",
        b"[" * 600,
    ],
)
def test_a_manifest_that_is_not_plain_yaml_is_refused(tiny: Path, raw: bytes) -> None:
    (tiny / "manifest.yaml").write_bytes(raw)

    assert fault(tiny) == f"{tiny}/manifest.yaml: is not YAML{AGAIN}"


@pytest.mark.parametrize("raw", [b"", b"- a\n- b\n", b"just words"])
def test_a_manifest_of_another_shape_is_refused(tiny: Path, raw: bytes) -> None:
    (tiny / "manifest.yaml").write_bytes(raw)

    assert fault(tiny) == f"{tiny}/manifest.yaml: is not a bundle's manifest{AGAIN}"


def test_a_huge_manifest_is_not_read(tiny: Path) -> None:
    (tiny / "manifest.yaml").write_bytes(b"#" * (1 << 20) + b"\n")

    assert fault(tiny) == f"{tiny}/manifest.yaml: is larger than 1 MiB -- copy the bundle again"


@pytest.mark.parametrize(
    "name", ["../tokenizer.json", "/etc/hostname", "a/../../b", "a//b", "", "a\0b", "\u00e4"]
)
def test_a_file_name_that_could_leave_the_bundle_is_refused(tiny: Path, name: str) -> None:
    edit_manifest(tiny, tokenizer={"file": name, "sha256": "0" * 64})

    assert fault(tiny).startswith(f"{tiny}/manifest.yaml: tokenizer.file: ")


def test_a_link_out_of_the_bundle_is_refused(tiny: Path) -> None:
    outside = tiny.parent / "tokenizer.json"
    (tiny / "tokenizer.json").rename(outside)
    (tiny / "tokenizer.json").symlink_to(outside)

    assert fault(tiny) == (
        f"{tiny}/tokenizer.json: leads out of the bundle's directory -- copy the bundle again"
    )


def test_a_pipe_in_place_of_a_file_does_not_block(tiny: Path) -> None:
    (tiny / "tokenizer.json").unlink()
    os.mkfifo(tiny / "tokenizer.json")

    assert fault(tiny) == f"{tiny}/tokenizer.json: is missing -- copy the bundle again"


@pytest.mark.parametrize("raw", [b"{", b"\xff", b"[" * 100_000])
def test_a_tokenizer_that_is_not_json_is_refused_even_with_its_hash(tiny: Path, raw: bytes) -> None:
    (tiny / "tokenizer.json").write_bytes(raw)
    sha256 = hashlib.sha256(raw).hexdigest()
    edit_manifest(tiny, tokenizer={"file": "tokenizer.json", "sha256": sha256})

    assert fault(tiny) == f"{tiny}/tokenizer.json: is not JSON{AGAIN}"


def test_a_graph_is_hashed_again_when_it_is_read(tiny: Path) -> None:
    bundle = load_bundle(tiny)
    flip_a_bit(tiny / "image.fp32.onnx", 100)

    with pytest.raises(BundleError, match=r"image\.fp32\.onnx: does not match its hash"):
        bundle.graph("fp32", "image")


def test_a_changed_graph_with_a_changed_manifest_is_another_bundle(tiny: Path) -> None:
    before = load_bundle(tiny).sha256
    replace_graph(tiny, "image", b"anything")

    assert load_bundle(tiny).sha256 != before


def test_an_unknown_bundle_is_told_from_a_path_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(BundleError, match=r"^bundle nowhere: no such bundle -- give the path of a"):
        bundle_dir("nowhere")
    with pytest.raises(BundleError, match=r"/file: is not a directory -- give the path of a"):
        bundle_dir(tmp_path / "file")
    with pytest.raises(BundleError, match=r"^bundle ~nosuchuser/b: ~ stands for no home known"):
        bundle_dir("~nosuchuser/b")
    with pytest.raises(BundleError, match=r"a: cannot be looked at: File name too long -- check"):
        bundle_dir("a" * 300)


def test_a_bundle_that_may_not_be_looked_into_is_told() -> None:
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o600)
        me = os.geteuid()
        if me == 0:
            os.seteuid(65534)
        try:
            with pytest.raises(BundleError, match=r"cannot be read: Permission denied -- check"):
                load_bundle(name)
        finally:
            os.seteuid(me)


def test_a_directory_without_manifest_is_no_bundle(tmp_path: Path) -> None:
    assert fault(tmp_path) == f"{tmp_path}/manifest.yaml: is missing -- copy the bundle again"


def test_every_shipped_bundle_is_found_by_its_name() -> None:
    engines = Path(bundle_module.__file__).parents[2] / "engines"

    assert shipped_bundles() == tuple(
        sorted(m.parent.name for m in engines.glob("*/manifest.yaml"))
    )
    for name in shipped_bundles():
        assert bundle_dir(name) == engines / name


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Is it red?", ()),
        ("Is the zebra red?", ("zebra",)),
        ("?!", ("?!",)),
        ("", ("",)),
        ("Is it " + "a " * 20 + "red?", ("Is it " + "a " * 20 + "red?",)),
    ],
)
def test_what_keeps_a_bundle_from_answering_is_named(
    pristine: Path, text: str, words: tuple[str, ...]
) -> None:
    assert unsupported_words(load_bundle(pristine), text) == words


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"image": "../x.png"}, "rows.0.image: Value error, leaves the bundle's directory"),
        ({"p_yes": 2}, "rows.0.p_yes: Input should be less than or equal to 1"),
        ({"zone": [[0, 0]]}, "rows.0.zone: Tuple should have at least 3 items"),
        ({"question": ""}, "rows.0.question: String should have at least 1 character"),
    ],
)
def test_wrong_goldens_are_one_clear_line(tiny: Path, row: dict[str, object], said: str) -> None:
    sound = {"image": "goldens/red.png", "question": "Is it red?", "zone": None, "p_yes": 1}
    raw = json.dumps({"tolerance": 0.01, "rows": [sound | row]}).encode()
    (tiny / "goldens/goldens.json").write_bytes(raw)
    sha256 = hashlib.sha256(raw).hexdigest()
    edit_manifest(tiny, goldens={"file": "goldens/goldens.json", "sha256": sha256})

    with pytest.raises(BundleError) as caught:
        load_bundle(tiny).goldens()

    assert str(caught.value).startswith(f"{tiny}/goldens/goldens.json: {said}")
