"""A small RTSP camera in pure Python, whose misbehaviour tests can order.

Serves H.264 and H.265 clips in a loop at their own pace, over TCP (interleaved) and UDP, with
sender reports and, where wanted, a user and a password (Basic or Digest).  By hand:
python -m tests.integration.rtsp_server CLIP... [--port 8554] [--user NAME:PASSWORD].
Source: RFC 2326 (RTSP), RFC 3550 (RTP), RFC 6184 and 7798 (H.264, H.265), RFC 2617 (passwords).
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

import av
from av.bitstream import BitStreamFilterContext

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from typing_extensions import Self

_CLOCK_HZ = 90_000
_PAYLOAD_BYTES = 1400
_SOUND_HZ, _SOUND_S = 8_000, 0.04  # of a packet
_SOUNDS = {"pcm_alaw": (8, 8), "g726": (97, 4)}  # payload type, bits of a sample
_NTP_FROM_UNIX_S = 2_208_988_800  # RFC 868: 1900 to 1970
_STATUS = {200: "OK", 401: "Unauthorized", 404: "Not Found", 454: "Session Not Found"}


@dataclass(frozen=True)
class Clip:
    """A video as its access units: (seconds from the start, NAL units).

    codec is h264 or hevc.  sound is G.711, A-law, or G.726, 32 kbit/s, of 8 kHz: (seconds from the
    start, samples).
    """

    codec: str
    units: tuple[tuple[float, tuple[bytes, ...]], ...]
    seconds: float
    sound: tuple[tuple[float, bytes], ...] = ()
    sound_type: int = 8  # of its payload

    @classmethod
    def read(cls, path: Path) -> Clip:
        """Read a file."""
        units = []
        with av.open(str(path)) as file:
            video = file.streams.video[0]
            codec = video.codec_context.name
            annex_b = BitStreamFilterContext(f"{codec}_mp4toannexb", video)
            for packet in file.demux(video):
                if packet.pts is not None:
                    start_s = float(packet.pts * video.time_base)
                    body = b"".join(bytes(part) for part in annex_b.filter(packet))
                    nals = (nal.rstrip(b"\0") for nal in re.split(b"\0\0\1", body))
                    units.append((start_s, tuple(nal for nal in nals if nal)))
            seconds = len(units) / float(video.average_rate or 25)
            sound, kind = [], 8
            of_sound = file.streams.audio[0].codec_context.name if file.streams.audio else ""
            if of_sound in _SOUNDS:
                file.seek(0)
                samples = b"".join(bytes(packet) for packet in file.demux(audio=0))
                kind, bits = _SOUNDS[of_sound]
                if of_sound == "g726":  # of RTP the first sample is the low one (RFC 3551, 4.5.4)
                    samples = bytes((two << 4 | two >> 4) & 0xFF for two in samples)
                size = round(_SOUND_HZ * _SOUND_S * bits / 8)
                sound = [
                    (n * _SOUND_S, samples[n * size : (n + 1) * size])
                    for n in range(round(seconds / _SOUND_S))
                ]
        return cls(codec, tuple(units), seconds, tuple(sound), kind)


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
            return self._reply(headers, 200, described, _sdp(clip, full=full))
        session = {"Session": "1;timeout=60"}
        if method == "SETUP":
            self.clip = clip
            transport = self._transport(headers, sound=url.endswith("trackID=1"))
            return self._reply(headers, 200, {**session, "Transport": transport})
        if self.clip is None:
            return self._reply(headers, 454)
        self._reply(headers, 200, session)
        if method == "PLAY":
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
        begun_s, turn = time.monotonic(), 0
        with suppress(OSError):
            while True:
                for n, (at_s, samples) in enumerate(clip.sound):
                    sent_s, number = turn * clip.seconds + at_s, turn * len(clip.sound) + n
                    wait_s = begun_s + sent_s - time.monotonic()
                    if self.ended.wait(max(0.0, wait_s)) or self.closing.is_set():
                        return
                    stamp = (int(sent_s * _SOUND_HZ) + 12345) & 0xFFFFFFFF  # a clock of its own
                    if number % 25 == 20:
                        self._send(3, _sender_report(stamp, time.time(), source=2))
                    header = struct.pack(">BBHII", 0x80, clip.sound_type, number & 0xFFFF, stamp, 2)
                    self._send(2, header + samples)
                turn += 1

    def _play(self, clip: Clip) -> None:
        begun_s, sequence, chance = time.monotonic(), 0, random.Random(0)
        reported_s = float("-inf")
        with suppress(OSError):
            for at_s, sent_s, nals in _schedule(clip, loop=self.server.loop):
                wait_s = begun_s + sent_s - time.monotonic()
                if self.ended.wait(max(0.0, wait_s)) or self.closing.is_set():
                    return
                if self.server.silent:
                    continue
                stamp = int(at_s * _CLOCK_HZ) & 0xFFFFFFFF
                if self.server.reports and sent_s - reported_s >= 1.0:
                    reported_s = sent_s
                    self._send(1, _sender_report(stamp, time.time() + self.server.clock_ahead_s))
                sent_nals = _without_keys(clip.codec, nals) if self.server.keyless else nals
                for payload, last in _payloads(clip.codec, sent_nals):
                    header = struct.pack(">BBHII", 0x80, last << 7 | 96, sequence, stamp, 1)
                    sequence = (sequence + 1) & 0xFFFF
                    is_damaged = chance.random() < self.server.damaged
                    sent = _flipped(payload, chance) if is_damaged else payload
                    if chance.random() >= self.server.lost:
                        self._send(0, header + sent)
            self.connection.shutdown(socket.SHUT_RDWR)


def _without_keys(codec: str, nals: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Leave out what decoding can begin at: key frames, and sets of parameters."""
    if codec == "h264":
        return tuple(nal for nal in nals if nal[0] & 0x1F not in (5, 7, 8))
    return tuple(nal for nal in nals if nal[0] >> 1 & 0x3F not in (*range(16, 24), 32, 33, 34))


def _flipped(payload: bytes, chance: random.Random) -> bytes:
    """Flip a bit in a hundred bytes, at least one."""
    damaged = bytearray(payload)
    for _ in range(1 + len(damaged) // 100):
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def _schedule(clip: Clip, *, loop: bool) -> Iterator[tuple[float, float, tuple[bytes, ...]]]:
    """Yield (presentation second, second to send, NAL units), again and again."""
    turn = 0
    while turn == 0 or loop:
        for number, (at_s, nals) in enumerate(clip.units):
            start_s = turn * clip.seconds
            yield start_s + at_s, start_s + number * clip.seconds / len(clip.units), nals
        turn += 1


def _payloads(codec: str, nals: tuple[bytes, ...]) -> Iterator[tuple[bytes, bool]]:
    """Yield (RTP payload, is the last of the picture); large NAL units in fragments."""
    for nal in nals:
        final = nal is nals[-1]
        if len(nal) <= _PAYLOAD_BYTES:
            yield nal, final
            continue
        if codec == "h264":
            indicator, kind, body = bytes((nal[0] & 0xE0 | 28,)), nal[0] & 0x1F, nal[1:]
        else:
            indicator = bytes((nal[0] & 0x81 | 49 << 1, nal[1]))
            kind, body = nal[0] >> 1 & 0x3F, nal[2:]
        for start in range(0, len(body), _PAYLOAD_BYTES):
            ends = start + _PAYLOAD_BYTES >= len(body)
            marks = bytes(((start == 0) << 7 | ends << 6 | kind,))
            yield indicator + marks + body[start : start + _PAYLOAD_BYTES], final and ends


def _sender_report(stamp: int, unix_s: float, *, source: int = 1) -> bytes:
    ntp_s = unix_s + _NTP_FROM_UNIX_S
    fraction = int(ntp_s % 1 * 2**32)
    return struct.pack(">BBHIIIIII", 0x80, 200, 6, source, int(ntp_s), fraction, stamp, 0, 0)


def _sdp(clip: Clip, *, full: bool) -> str:
    form = "packetization-mode=1"
    if clip.codec == "h264" and full:
        sets = [nal for _at_s, nals in clip.units for nal in nals if nal[0] & 0x1F in (7, 8)][:2]
        form += ";sprop-parameter-sets=" + ",".join(base64.b64encode(nal).decode() for nal in sets)
    lines = [
        "v=0",
        "o=- 0 0 IN IP4 127.0.0.1",
        "s=camera",
        "c=IN IP4 0.0.0.0",
        "t=0 0",
        "m=video 0 RTP/AVP 96",
        f"a=rtpmap:96 {'H264' if clip.codec == 'h264' else 'H265'}/90000",
        *([f"a=fmtp:96 {form}"] if clip.codec == "h264" else []),
        "a=control:trackID=0",
        *([f"m=audio 0 RTP/AVP {clip.sound_type}"] if clip.sound else []),
        *(["a=rtpmap:97 G726-32/8000"] if clip.sound_type == 97 else []),
        *(["a=control:trackID=1"] if clip.sound else []),
        "",
    ]
    return "\r\n".join(lines)


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
