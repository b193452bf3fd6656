"""A real Chromium that plays files and tells what it saw: no driver, a page that asks for work."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any, Final

from tests.conftest import missing

_CHROMIUM: Final = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--autoplay-policy=no-user-gesture-required", "--mute-audio", "--disable-dev-shm-usage",
)  # fmt: skip
_PAGE: Final = """<!doctype html><meta charset="utf-8"><video muted playsinline></video><script>
const once = (on, name) => new Promise((done, fail) => {
  on.addEventListener(name, done, {once: true});
  on.addEventListener('error', () => fail(new Error('' + (on.error && on.error.message || name))),
    {once: true});
});
async function look(work) {
  document.querySelector('video').remove();
  const video = document.body.appendChild(document.createElement('video'));
  const said = [], at = [];
  video.muted = true; video.width = 640; video.src = work.video;
  await once(video, 'loadedmetadata');
  const found = {duration: Number.isFinite(video.duration) ? video.duration : null,
    width: video.videoWidth, height: video.videoHeight};
  if (work.captions) {
    const track = video.appendChild(document.createElement('track'));
    track.kind = 'captions'; track.src = work.captions; track.default = true;
    track.track.mode = 'showing';
    track.track.addEventListener('cuechange', () => {
      for (const cue of track.track.activeCues || []) said.push([video.currentTime, cue.text]);
    });
    await once(track, 'load');
    found.cues = [...track.track.cues].map(c => [c.startTime, c.endTime, c.text]);
  }
  if (work.from) { video.currentTime = work.from; await once(video, 'seeked'); }
  video.addEventListener('timeupdate', () => at.push(video.currentTime));
  await video.play();
  const until = performance.now() + 1000 * work.play_s;
  while (!video.ended && !video.error && performance.now() < until)
    await new Promise(done => setTimeout(done, 30));
  video.pause(); at.push(video.currentTime);
  const canvas = document.createElement('canvas');
  canvas.width = video.videoWidth; canvas.height = video.videoHeight;
  const context = canvas.getContext('2d');
  context.drawImage(video, 0, 0);
  const [x, y] = [work.pixel[0] * canvas.width, work.pixel[1] * canvas.height].map(Math.floor);
  const quality = video.getVideoPlaybackQuality();
  return {...found, ended: video.ended, error: video.error && video.error.message, at, said,
    pixel: [...context.getImageData(x, y, 1, 1).data].slice(0, 3),
    n_shown: quality.totalVideoFrames, heard_bytes: video.webkitAudioDecodedByteCount,
    picture: work.picture ? canvas.toDataURL('image/png') : null};
}
(async () => {
  for (;;) {
    const work = await (await fetch('/next')).json();
    if (work === null) continue;
    let told;
    try { told = await look(work); } catch (fault) { told = {error: '' + fault}; }
    await fetch('/told', {method: 'POST', body: JSON.stringify(told)});
  }
})();
</script>"""


@dataclass(frozen=True)
class Played:
    """What the browser tells of a file it played.

    at are the times of the playing, said the captions with the time at which each appeared.
    """

    duration: float | None = None
    width: int = 0
    height: int = 0
    ended: bool = False
    error: str | None = None
    at: tuple[float, ...] = ()
    said: tuple[tuple[float, str], ...] = ()
    cues: tuple[tuple[float, float, str], ...] = ()
    pixel: tuple[int, ...] = ()
    n_shown: int = 0
    heard_bytes: int = 0
    picture: str | None = None


class Browser:
    """Chromium with one page that plays what it is given."""

    def __init__(self, port: int, served: dict[str, Path], work: Queue[Any], told: Queue[Any]):
        self._port, self._served, self._work, self._told = port, served, work, told

    def play(
        self,
        video: Path,
        captions: Path | None = None,
        *,
        play_s: float = 30.0,
        pixel: tuple[float, float] = (0.5, 0.8),
        from_s: float = 0.0,
        picture: bool = False,
    ) -> Played:
        """Play a file to its end, or for play_s at most, and return what was seen.

        pixel is looked at in the last picture, fractions of width and height.
        """
        self._work.put(
            {
                "video": self._name(video),
                "captions": self._name(captions) if captions else None,
                "play_s": play_s,
                "pixel": pixel,
                "from": from_s,
                "picture": picture,
            }
        )
        found = self._told.get(timeout=play_s + 60)
        return Played(**{k: _frozen(v) for k, v in found.items()})

    def _name(self, path: Path) -> str:
        name = f"/file/{len(self._served)}{path.suffix}"
        self._served[name] = path
        return name


@contextmanager
def chromium(profile: Path) -> Iterator[Browser]:
    """Start Chromium on a page of ours."""
    exe = shutil.which("chromium") or shutil.which("chromium-browser")
    if exe is None:
        missing("no chromium: apt-get install chromium", "REQUIRE_BROWSER")
    served: dict[str, Path] = {}
    work: Queue[Any] = Queue()
    told: Queue[Any] = Queue()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(served, work, told))
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    page = f"http://127.0.0.1:{server.server_port}/"
    command = [exe, *_CHROMIUM, f"--user-data-dir={profile}", page]
    with (profile.parent / "chromium.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield Browser(server.server_port, served, work, told)
    finally:
        process.terminate()
        process.wait(20)
        server.shutdown()
        server.server_close()


def _handler(
    served: dict[str, Path], work: Queue[Any], told: Queue[Any]
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle(self) -> None:
            with suppress(ConnectionError):  # it ends, or has seen enough of a file
                super().handle()

        def do_GET(self) -> None:
            if self.path == "/":
                self._send(_PAGE.encode(), "text/html")
            elif self.path == "/next":
                try:
                    self._send(json.dumps(work.get(timeout=1)).encode(), "application/json")
                except Empty:
                    self._send(b"null", "application/json")
            elif self.path in served:
                self._send_part(served[self.path])
            else:
                self.send_error(404)

        def do_POST(self) -> None:
            told.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self._send(b"", "text/plain")

        def _send(self, body: bytes, kind: str, code: int = 200, **more: str) -> None:
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            for name, value in more.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(body)

        def _send_part(self, path: Path) -> None:
            """Answer a request for some bytes, as web servers do."""
            body = path.read_bytes()
            kinds = {".mp4": "video/mp4", ".vtt": "text/vtt", ".mkv": "video/x-matroska"}
            kind = kinds.get(path.suffix, "application/octet-stream")
            asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
            if asked is None:
                self._send(body, kind, Accept_Ranges="bytes")
                return
            first, last = int(asked[1]), min(int(asked[2] or len(body)), len(body) - 1)
            span = f"bytes {first}-{last}/{len(body)}"
            self._send(body[first : last + 1], kind, 206, Content_Range=span, Accept_Ranges="bytes")

        def log_message(self, *args: Any) -> None:
            pass

    return Handler


def _frozen(found: Any) -> Any:
    return tuple(_frozen(item) for item in found) if isinstance(found, list) else found
