"""A small RTSP camera in pure Python, whose misbehaviour tests can order.

Serves H.264 and H.265 clips in a loop at their own pace, over TCP (interleaved) and UDP, with
sender reports and, where wanted, a user and a password (Basic or Digest).  By hand:
python -m tests.integration.rtsp_server CLIP... [--port 8554] [--user NAME:PASSWORD].
Source: RFC 2326 (RTSP), RFC 2617 (passwords).
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import random
import re
import socket
import struct
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from tests.integration.rtp import (
    CLOCK_HZ,
    SOUND_HZ,
    Clip,
    flipped,
    payloads,
    schedule,
    sdp,
    sender_report,
    without_keys,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from typing_extensions import Self

_STATUS = {200: "OK", 401: "Unauthorized", 404: "Not Found", 454: "Session Not Found"}


@dataclass
class RtspServer:
    """Enter to listen on a free loopback port.  Change an attribute to make it misbehave."""

    clips: Mapping[str, Path]  # path of the address, such as "gate", -> file
    credentials: tuple[str, str] | None = None
    digest: bool = False
    host: str = "127.0.0.1"
    port: int = 0
    loop: bool = True
    mute: bool = False  # accept connections, answer nothing
    silent: bool = False  # go on talking RTSP, send no picture
    lost: float = 0.0  # share of RTP packets that are never sent
    damaged: float = 0.0  # share of RTP packets in which bits are flipped
    keyless: bool = False  # send neither key frames nor parameter sets: nothing can be decoded
    reports: bool = True  # sender reports
    described: bool = True  # the description holds the H.264 parameter sets
    clock_ahead_s: float = 0.0  # how far the camera's wall clock is ahead of ours
    seen: list[str] = field(default_factory=list)  # "METHOD transport" in order

    def __enter__(self) -> Self:
        self.listen()
        return self

    def __exit__(self, *exc: object) -> None:
        self.kill()

    def listen(self) -> None:
        """Start, or start again on the same port after kill()."""
        self._closing = threading.Event()
        self._sessions: list[_Session] = []
        self._read = {name: Clip.read(path) for name, path in self.clips.items()}
        self._listener = socket.create_server((self.host, self.port), backlog=16)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def kill(self) -> None:
        """Close every socket at once, as a camera does that loses its power."""
        self._closing.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for session in self._sessions:
            with suppress(OSError):
                session.connection.shutdown(socket.SHUT_RDWR)
        for session in self._sessions:
            session.thread.join()

    def wait_for_goodbye(self) -> None:
        """Return when every client has gone by itself and is forgotten."""
        for session in self._sessions:
            session.thread.join()

    def url(self, name: str, credentials: str = "") -> str:
        """Address of a clip; credentials are 'user:password'."""
        return f"rtsp://{credentials + '@' if credentials else ''}{self.host}:{self.port}/{name}"

    def clip_at(self, url: str) -> Clip | None:
        """The clip a request is about."""
        path = re.sub(r"^rtsps?://[^/]*/", "", url)
        return self._read.get(path.split("/trackID")[0].rstrip("/"))

    def _accept(self, listener: socket.socket) -> None:
        closing = self._closing
        while not closing.is_set():
            try:
                connection, _peer = listener.accept()
            except OSError:
                return
            session = _Session(self, connection, closing)
            self._sessions.append(session)
            session.thread.start()


class _Session:
    """One client's connection."""

    def __init__(self, server: RtspServer, connection: socket.socket, closing: threading.Event):
        self.server, self.connection, self.closing = server, connection, closing
        self.ended, self.lock = threading.Event(), threading.Lock()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.player: threading.Thread | None = None
        self.udp: tuple[socket.socket, ...] = ()
        self.clip: Clip | None = None
        self.has_sound = False
        self.begun_s = self.begun_unix_s = 0.0  # of PLAY: reports are true on a busy machine, too
        self.nonce = hashlib.md5(str(id(self)).encode()).hexdigest()

    def run(self) -> None:
        with suppress(OSError, EOFError), self.connection, self.connection.makefile("rb") as asked:
            for method, url, headers in self._requests(asked):
                self.server.seen.append(f"{method} {headers.get('transport', '')}".strip())
                if not self.server.mute:
                    self._answer(method, url, headers)
        self.ended.set()
        if self.player is not None:
            self.player.join()
        for end in self.udp:
            end.close()

    def _requests(self, stream: BinaryIO) -> Iterator[tuple[str, str, dict[str, str]]]:
        while True:
            first = stream.read(1)
            if not first:
                return
            if first == b"$":  # the client's receiver reports
                _channel, length = struct.unpack(">BH", stream.read(3))
                stream.read(length)
                continue
            method, url, _version = (first + stream.readline()).decode().split()
            headers = {}
            while (line := stream.readline().decode().strip()) != "":
                name, _, value = line.partition(":")
                headers[name.lower()] = value.strip()
            stream.read(int(headers.get("content-length", "0")))
            yield method, url, headers

    def _answer(self, method: str, url: str, headers: dict[str, str]) -> None:
        if method == "OPTIONS":
            public = "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER"
            return self._reply(headers, 200, {"Public": public})
        if not self._welcome(method, headers):
            return self._reply(headers, 401, {"WWW-Authenticate": self._challenge()})
        clip = self.server.clip_at(url)
        if clip is None:
            return self._reply(headers, 404)
        if method == "DESCRIBE":
            described = {"Content-Type": "application/sdp", "Content-Base": url + "/"}
            full = self.server.described and not self.server.keyless
            return self._reply(headers, 200, described, sdp(clip, full=full))
        session = {"Session": "1;timeout=60"}
        if method == "SETUP":
            self.clip = clip
            transport = self._transport(headers, sound=url.endswith("trackID=1"))
            return self._reply(headers, 200, {**session, "Transport": transport})
        if self.clip is None:
            return self._reply(headers, 454)
        self._reply(headers, 200, session)
        if method == "PLAY":
            self.begun_s, self.begun_unix_s = time.monotonic(), time.time()
            self.player = threading.Thread(target=self._play, args=(self.clip,), daemon=True)
            self.player.start()
            if self.has_sound:
                threading.Thread(target=self._play_sound, args=(self.clip,), daemon=True).start()
        if method == "TEARDOWN":
            raise EOFError
        return None

    def _reply(
        self,
        request: dict[str, str],
        status: int,
        more: dict[str, str] | None = None,
        body: str = "",
    ) -> None:
        lines = [f"RTSP/1.0 {status} {_STATUS[status]}", f"CSeq: {request.get('cseq', '0')}"]
        lines += [f"{name}: {value}" for name, value in (more or {}).items()]
        lines += [f"Content-Length: {len(body)}"] if body else []
        with self.lock:
            self.connection.sendall("\r\n".join([*lines, "", body]).encode())

    def _challenge(self) -> str:
        if self.server.digest:
            return f'Digest realm="camera", nonce="{self.nonce}"'
        return 'Basic realm="camera"'

    def _welcome(self, method: str, headers: dict[str, str]) -> bool:
        if self.server.credentials is None:
            return True
        user, password = self.server.credentials
        kind, _, given = headers.get("authorization", "").partition(" ")
        if not self.server.digest:
            wanted = base64.b64encode(f"{user}:{password}".encode()).decode()
            return (kind, given) == ("Basic", wanted)
        fields = dict(re.findall(r'(\w+)="?([^",]*)"?', given))
        secret = _md5(f"{user}:camera:{password}")
        asked = _md5(f"{method}:{fields.get('uri', '')}")
        wanted = _md5(f"{secret}:{self.nonce}:{asked}")
        return (kind, fields.get("response")) == ("Digest", wanted)

    def _transport(self, headers: dict[str, str], *, sound: bool) -> str:
        if sound:  # over TCP only
            self.has_sound = True
            return "RTP/AVP/TCP;unicast;interleaved=2-3"
        wanted = headers["transport"]
        ports = re.search(r"client_port=(\d+)-(\d+)", wanted)
        if ports is None:
            return "RTP/AVP/TCP;unicast;interleaved=0-1"
        pair = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
        for end, port in zip(pair, ports.groups()):
            end.bind((self.connection.getsockname()[0], 0))
            end.connect((self.connection.getpeername()[0], int(port)))
        self.udp = tuple(pair)
        mine = "-".join(str(end.getsockname()[1]) for end in pair)
        return f"RTP/AVP;unicast;client_port={ports[1]}-{ports[2]};server_port={mine}"

    def _send(self, channel: int, packet: bytes) -> None:
        if self.udp:
            with suppress(ConnectionRefusedError, PermissionError):  # has gone; lost on purpose
                self.udp[channel].send(packet)
            return
        with self.lock:
            self.connection.sendall(struct.pack(">cBH", b"$", channel, len(packet)) + packet)

    def _play_sound(self, clip: Clip) -> None:
        turn = 0
        with suppress(OSError):
            while True:
                for n, (at_s, samples) in enumerate(clip.sound):
                    sent_s, number = turn * clip.seconds + at_s, turn * len(clip.sound) + n
                    wait_s = self.begun_s + sent_s - time.monotonic()
                    if self.ended.wait(max(0.0, wait_s)) or self.closing.is_set():
                        return
                    stamp = (int(sent_s * SOUND_HZ) + 12345) & 0xFFFFFFFF  # a clock of its own
                    if number % 25 == 20:
                        self._send(3, sender_report(stamp, self.begun_unix_s + sent_s, source=2))
                    header = struct.pack(">BBHII", 0x80, clip.sound_type, number & 0xFFFF, stamp, 2)
                    self._send(2, header + samples)
                turn += 1

    def _play(self, clip: Clip) -> None:
        sequence, chance = 0, random.Random(0)
        reported_s = float("-inf")
        with suppress(OSError):
            for at_s, sent_s, nals in schedule(clip, loop=self.server.loop):
                wait_s = self.begun_s + sent_s - time.monotonic()
                if self.ended.wait(max(0.0, wait_s)) or self.closing.is_set():
                    return
                if self.server.silent:
                    continue
                stamp = int(at_s * CLOCK_HZ) & 0xFFFFFFFF
                if self.server.reports and sent_s - reported_s >= 1.0:
                    reported_s = sent_s
                    unix_s = self.begun_unix_s + sent_s + self.server.clock_ahead_s
                    self._send(1, sender_report(stamp, unix_s))
                sent_nals = without_keys(clip.codec, nals) if self.server.keyless else nals
                for payload, last in payloads(clip.codec, sent_nals):
                    header = struct.pack(">BBHII", 0x80, last << 7 | 96, sequence, stamp, 1)
                    sequence = (sequence + 1) & 0xFFFF
                    is_damaged = chance.random() < self.server.damaged
                    sent = flipped(payload, chance) if is_damaged else payload
                    if chance.random() >= self.server.lost:
                        self._send(0, header + sent)
            self.connection.shutdown(socket.SHUT_RDWR)


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def main() -> None:
    """Serve the clips named on the command line, each under its name without ending."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clips", nargs="+", type=Path)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8554)
    parser.add_argument("--user", help="NAME:PASSWORD")
    given = parser.parse_args()
    user, _, password = (given.user or "").partition(":")
    server = RtspServer(
        {path.stem: path for path in given.clips},
        credentials=(user, password) if given.user else None,
        host=given.host,
        port=given.port,
    )
    with server:
        for name in server.clips:
            print(server.url(name), flush=True)
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
