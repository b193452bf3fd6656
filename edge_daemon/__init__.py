"""Standing questions to video: YES, NO or UNKNOWN, over MQTT."""

import os
import sys

__version__ = "0.1.0"

# ONNX Runtime reports its use to its maker unless this is there before it is imported; what it
# offers for that afterwards, disable_telemetry_events(), comes too late (measured: 1.31.1, Linux).
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
# OpenVINO imports its telemetry with itself, and does without where that is not installed.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type] # how one is hidden
