"""Whether this user can get at a sound card at all: groups, /dev/snd, containers, systemd, audio servers."""

import grp
import os
import pwd
from collections.abc import Iterator
from pathlib import Path

from sed.doctor.finding import Finding, failed, ok

ROOT = Path("/")


def look(root: Path = ROOT) -> Iterator[Finding]:
    """Sound cards first; where none is open to us, an audio server will do."""
    nodes = sorted((root / "dev/snd").glob("pcmC*c"))
    opened = [node for node in nodes if os.access(node, os.R_OK | os.W_OK)]
    server = audio_server()
    if opened:
        yield ok(f"{user()} may open {len(opened)} of {len(nodes)} inputs in /dev/snd")
    elif server:
        yield ok(f"{user()} reaches sound through the audio server at {server}")
    elif nodes:
        yield failed(f"{user()} may not open {nodes[0].name} in /dev/snd", f"{_let_in(root)}, then log in again")
    else:
        yield failed(f"there is no input in /dev/snd{_inside(root)}", _bring(root))


def audio_server() -> str:
    """Where PulseAudio, or PipeWire in its place, is reached; empty if nowhere."""
    named = os.environ.get("PULSE_SERVER", "")
    socket = Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}") / "pulse/native"
    return named or (str(socket) if socket.exists() else "")


def user() -> str:
    """Who asks, and whether the group that may use sound cards is theirs."""
    try:
        name = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        name = str(os.geteuid())
    groups = {group.gr_name for group in grp.getgrall() if group.gr_gid in {*os.getgroups(), os.getegid()}}
    membership = "in" if "audio" in groups else "not in"
    return f"user {name}" if os.geteuid() == 0 else f"user {name} ({membership} group audio)"


def container(root: Path = ROOT) -> bool:
    """Whether this looks like the inside of one."""
    marks = (root / ".dockerenv", root / "run/.containerenv", root / "run/systemd/container")
    return any(mark.exists() for mark in marks) or "container" in os.environ


def service(root: Path = ROOT) -> bool:
    """Whether this process belongs to a system service of systemd, with the limits of its unit."""
    try:
        group = (root / "proc/self/cgroup").read_text().strip()
    except OSError:
        return False
    return "/system.slice/" in group and group.endswith(".service")


def users_of_inputs(root: Path = ROOT) -> list[str]:
    """Who has a sound card's input open: `earwitness (process 812)`, as the kernel tells."""
    found = []
    for status in sorted((root / "proc/asound").glob("card*/pcm*c/sub*/status")):
        for line in status.read_text(errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "owner_pid" and value.strip() != str(os.getpid()):
                found.append(f"{_name(root, value.strip())} (process {value.strip()})")
    return found


def _name(root: Path, pid: str) -> str:
    try:
        return (root / "proc" / pid / "comm").read_text(errors="replace").strip()
    except OSError:
        return "another program"


def _let_in(root: Path) -> str:
    if service(root):
        return "in the unit: SupplementaryGroups=audio and DeviceAllow=char-alsa rw"
    if container(root):
        return "start the container with --device /dev/snd --group-add audio"
    return "sudo usermod -aG audio $USER"


def _inside(root: Path) -> str:
    return " of this container" if container(root) else " of this service" if service(root) else ""


def _bring(root: Path) -> str:
    if container(root):
        return "start the container with --device /dev/snd --group-add audio"
    if service(root):
        return "in the unit: DeviceAllow=char-alsa rw, and no PrivateDevices"
    return "plug a microphone in, and see whether 'arecord -l' lists it"
