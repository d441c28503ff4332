"""earwitness: real-time streaming sound event detection."""

import os
from importlib.metadata import version

# ONNX Runtime's wheels (from 1.29 on) report their use to their maker unless told otherwise before they are loaded.
# Whoever listens in a house says nothing to anybody but the broker it was given.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__version__ = version("earwitness")
