"""Kill a daemon that records, again and again: python benchmarks/soak/recordings.py.

A camera that counts its pictures is recorded in segments of two seconds; at a random moment the
daemon is killed with SIGKILL, --kills times.  Then every segment must decode without a complaint,
and go on with the picture after the last one of the segment before; the last may only be short.
Burned, pictures may be missing where the machine is too slow, but none comes twice or too early.
Ends with 1 where one is not.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.data.make_data import write_clip
from tests.data.tiny_bundle import write_tiny_bundle
from tests.faults.recordings import survive
from tests.integration.rtsp_server import RtspServer

N_FRAMES = 2000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50, help="how many (50)")
    parser.add_argument("--mode", choices=("soft", "burned"), default="soft", help="(soft)")
    parser.add_argument("--captions", choices=("vtt", "mkv"), default="vtt", help="(vtt)")
    parser.add_argument("--b-frames", type=int, default=0, help="of the camera (0)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (0)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        clip = write_clip(root / "clip.mp4", n_frames=N_FRAMES, gop=50, b_frames=args.b_frames)
        with RtspServer({"gate": clip}) as server:
            camera = {
                "id": "gate",
                "source": server.url("gate"),
                "questions": [{"id": "red", "ask": "Is it red?"}],
                "record": {"mode": args.mode, "segment": "2s", "captions": args.captions},
            }
            config = {
                "version": 1,
                "data_dir": str(root / "data"),
                "engine": {"bundle": str(write_tiny_bundle(root / "tiny")), "threads": 1},
                "http": None,
                "cameras": [camera],
            }
            toll = survive(
                config,
                root / "c.yaml",
                root / "data",
                n=args.kills,
                n_numbers=N_FRAMES,
                seed=args.seed,
                may_drop=args.mode == "burned",
                on_kill=lambda toll: print(toll, flush=True),
            )
    print(*toll.faults, sep="\n")
    sys.exit(bool(toll.faults))


if __name__ == "__main__":
    main()
