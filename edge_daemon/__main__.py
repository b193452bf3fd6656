"""``python -m edge_daemon`` is the same as ``edge-daemon``."""

from edge_daemon.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
