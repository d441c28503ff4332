"""What can be opened as `mic:NAME`, and what cannot, with the reason."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sed.source.portaudio import Device, PortAudio

RATES = (8_000, 16_000, 22_050, 32_000, 44_100, 48_000, 96_000)
"""Hz, tried one after the other."""

_CAPTURE = re.compile(r"^(?P<card>\d+)-(?P<device>\d+): (?P<name>[^:]*):.*\bcapture \d+", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Input:
    """A device and what it was found to take."""

    name: str
    host_api: str
    channels: int
    rates: tuple[int, ...]  # Hz; empty if it cannot be opened
    default: bool
    trouble: str  # why it cannot be opened


def inputs(portaudio: PortAudio) -> list[Input]:
    """Every device with an input, tried out at each rate with one channel."""
    return [_tried(portaudio, device) for device in portaudio.inputs()]


def unreachable(names: Sequence[str], root: Path = Path("/")) -> list[str]:
    """One line for each sound card and audio server that PortAudio does not list among `names`, and what to do."""
    return _cards(names, root) + _server(names)


def _tried(portaudio: PortAudio, device: Device) -> Input:
    refusals = {rate: portaudio.refused(device, 1, rate) for rate in RATES}
    rates = tuple(rate for rate, refusal in refusals.items() if not refusal)
    trouble = "" if rates else refusals[RATES[-1]]
    return Input(device.name, device.host_api, device.channels, rates, device.default, trouble)


def _cards(names: Sequence[str], root: Path) -> list[str]:
    """The kernel's list of sound cards (ALSA) has those, too, that nobody may open."""
    try:
        text = (root / "proc/asound/pcm").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return [] if names else ["sound cards: the kernel knows of none (no /proc/asound/pcm)"]
    lines = []
    for found in _CAPTURE.finditer(text):
        card, device = int(found["card"]), int(found["device"])
        if not any(f"(hw:{card},{device})" in name for name in names):
            why = _why_closed(root / f"dev/snd/pcmC{card}D{device}c")
            lines.append(f"{found['name'].strip()} (hw:{card},{device}): {why}")
    return lines


def _why_closed(node: Path) -> str:
    if not node.exists():
        return f"there is no {node.name} in /dev/snd; give the container or service access to it"
    if not os.access(node, os.R_OK | os.W_OK):
        return f"this user may not open {node.name}; add it to the group audio"
    return "does not open; another program, or an audio server, may be using it"


def _server(names: Sequence[str]) -> list[str]:
    """PulseAudio, or PipeWire in its place, is reached through ALSA's plugin of that name."""
    if any("pulse" in name or "pipewire" in name for name in names):
        return []
    socket = Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}") / "pulse/native"
    server = os.environ.get("PULSE_SERVER") or str(socket)
    if not os.environ.get("PULSE_SERVER") and not socket.exists():
        return [f"audio server: none runs for this user (no {socket})"]
    return [f"audio server: {server} is not reached; see that it runs, and that libasound2-plugins is installed"]
