from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_daemon.types import Secret, SourceAddress, SourceKind, polygon_mask


@pytest.mark.parametrize(
    ("raw", "kind", "shown"),
    [
        ("rtsp://u:p%40ss@cam:554/s?token=x", SourceKind.STREAM, "rtsp://cam:554/s"),
        ("rtsp://cam/s", SourceKind.STREAM, "rtsp://cam/s"),
        ("https://u@cam/video.m3u8", SourceKind.STREAM, "https://cam/video.m3u8"),
        (
            "rtsp://cam:554/user=admin&password=S3CRET&channel=1&stream=0.sdp",
            SourceKind.STREAM,
            "rtsp://cam:554/user=admin&password=***&channel=1&stream=0.sdp",
        ),
        ("/dev/video0", SourceKind.CAMERA, "/dev/video0"),
        ("clips/*.mp4", SourceKind.FILES, "clips/*.mp4"),
        ("pictures/", SourceKind.IMAGES, "pictures/"),
        ("a/b.JPG", SourceKind.IMAGES, "a/b.JPG"),
        ("test:street?seed=1", SourceKind.SCENE, "test:street?seed=1"),
    ],
)
def test_address_tells_its_kind_and_hides_its_secrets(
    raw: str, kind: SourceKind, shown: str
) -> None:
    address = SourceAddress(raw)

    assert (address.kind, repr(address), str(address)) == (kind, shown, shown)
    assert address.reveal() == raw


@pytest.mark.parametrize(
    "raw",
    [
        "rtsp://",
        "rtsp://u:hunter2/x@h/s",
        "rtsp://u:hunter2?@h",
        "ftp://x",
        "gst:src",
        "rtsp://h:x/",
    ],
)
def test_address_that_cannot_be_understood_is_refused_without_quoting_it(raw: str) -> None:
    with pytest.raises(ValueError, match=" -- ") as caught:
        SourceAddress(raw)

    assert "hunter2" not in str(caught.value)


PASSWORDS = st.text("abcXYZ019-._~!$&'()*+,;=%40", min_size=4, max_size=12)


@given(PASSWORDS, st.sampled_from(["{}", "rtsp://u:{}@h/s", "got {} twice: {}"]))
def test_address_redacts_its_password_from_foreign_messages(password: str, text: str) -> None:
    address = SourceAddress(f"rtsp://u:{password}@h/s")

    assert password not in address.redact(text.format(password, password)).replace("***", "")


@pytest.mark.parametrize(
    "path",
    [
        "user=admin&password=S3CRET&channel=1&stream=0.sdp",
        "user=admin_password=S3CRET_channel=1_stream=0.sdp?real_stream",
        "user=admin%26Password%3DS3CRET%26channel=1",
        "live/PASSWD=S3CRET/1",
        "live;pwd=S3CRET",
        "live?user=admin&pass=S3CRET",
        "stream1;token=S3CRET?x=1",
        "my_password=S%33CRET&channel=1",
    ],
)
def test_password_in_the_path_or_query_is_hidden(path: str) -> None:
    raw = f"rtsp://cam:554/{path}"
    address = SourceAddress(raw)
    shown = [repr(address), *map(address.redact, (raw, f"no answer from '{raw}'", f"/{path}: no"))]

    assert not any("CRET" in one for one in shown), shown
    assert address.reveal() == raw


@pytest.mark.parametrize("password", ["S3CRET", "S%33CRET"])
@pytest.mark.parametrize("begin", ["user=admin&", "live?user=admin&"])
def test_password_of_the_path_or_query_is_redacted_by_itself(begin: str, password: str) -> None:
    address = SourceAddress(f"rtsp://cam:554/{begin}password={password}&channel=1")

    assert address.redact(f"'{password}' or 'S3CRET'? ") == "'***' or '***'? "


def test_short_values_spoil_no_foreign_message() -> None:
    address = SourceAddress("http://cam/x.mjpg?pwd=1&fps=5")

    assert address.redact("error 401 after 1.5 s") == "error 401 after 1.5 s"


def test_secret_shows_itself_to_nobody() -> None:
    secret = Secret("hunter2")

    assert "hunter2" not in f"{secret} {secret!r} {[secret]}"
    assert secret.reveal() == "hunter2"


def test_polygon_mask_covers_what_the_polygon_covers() -> None:
    left = polygon_mask(((0, 0), (0.5, 0), (0.5, 1), (0, 1)), 20, 12)

    assert left[:, :10].all()
    assert not left[:, 10:].any()


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=3, max_size=8),
    st.integers(1, 40),
    st.integers(1, 40),
)
def test_polygon_mask_is_never_empty(
    polygon: list[tuple[float, float]], width: int, height: int
) -> None:
    mask = polygon_mask(polygon, width, height)

    assert mask.shape == (height, width)
    assert mask.dtype == np.bool_
    assert mask.any()
