"""Cameras that speak HTTP, for the tests: MJPEG (multipart) and HLS."""

from __future__ import annotations

import base64
import threading
from contextlib import contextmanager, suppress
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import cv2

from tests.data.make_data import numbered

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class HttpCamera:
    """/mjpeg streams numbered pictures at fps for as long as it may; other paths are files.

    drip_s: files come ten packets of MPEG-TS at a time, with so long between them.
    """

    def __init__(self, folder: Path, *, fps: float = 25.0, credentials: str | None = None) -> None:
        self.fps, self.credentials = fps, credentials  # "user:password"
        self.drip_s = 0.0
        self.silent = threading.Event()
        self.ended = threading.Event()
        camera = self

        class Handler(SimpleHTTPRequestHandler):
            def __init__(self, *args: object) -> None:
                super().__init__(*args, directory=str(folder))

            def log_message(self, *args: object) -> None:
                pass

            def do_GET(self) -> None:
                if not camera.welcomes(self.headers.get("Authorization")):
                    self.send_response(401)
                    self.send_header("WWW-Authenticate", 'Basic realm="camera"')
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                elif self.path.startswith("/mjpeg"):
                    with suppress(OSError):
                        self._stream()
                else:
                    super().do_GET()

            def copyfile(self, source: Any, outputfile: Any) -> None:
                with suppress(OSError):
                    while (part := source.read(1880)) and not camera.ended.wait(camera.drip_s):
                        outputfile.write(part)

            def _stream(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                self.end_headers()
                number = 0
                while not camera.ended.wait(1 / camera.fps):
                    if camera.silent.is_set():
                        continue
                    bgr = numbered(number)[:, :, ::-1]
                    jpeg = cv2.imencode(".jpg", bgr)[1].tobytes()
                    head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}"
                    self.wfile.write(head.encode() + b"\r\n\r\n" + jpeg + b"\r\n")
                    number += 1
                self.close_connection = True

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    def welcomes(self, authorization: str | None) -> bool:
        if self.credentials is None:
            return True
        return authorization == "Basic " + base64.b64encode(self.credentials.encode()).decode()

    def url(self, path: str, credentials: str = "") -> str:
        at = credentials + "@" if credentials else ""
        return f"http://{at}127.0.0.1:{self._server.server_port}/{path}"

    @contextmanager
    def serving(self) -> Iterator[HttpCamera]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.ended.set()
            self._server.shutdown()
            self._server.server_close()
            thread.join()
