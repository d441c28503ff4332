"""A loudspeaker and a microphone in the same air, without hardware: PulseAudio's null sink, and its monitor."""

import subprocess

from tests.broker import eventually
from tests.microphone import START_SECONDS, VirtualMicrophone


class VirtualAir(VirtualMicrophone):
    """PortAudio knows both by `name`: what is played there is heard there."""

    def plug(self) -> None:
        """Start the audio server, and return when it has its sink."""
        self._socket.unlink(missing_ok=True)
        modules = [f"module-native-protocol-unix auth-anonymous=1 socket={self._socket}"]
        modules.append("module-null-sink sink_name=air rate=48000")
        command = ["pulseaudio", "-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1"]
        self._server = subprocess.Popen(
            [*command, *(f"--load={module}" for module in modules)], env=self._environment(), stderr=subprocess.DEVNULL
        )
        eventually(self._listed, START_SECONDS)

    def _listed(self) -> bool:
        done = subprocess.run(
            ["pactl", "list", "short", "sources"], capture_output=True, text=True, env=self._environment(), check=False
        )
        return "air.monitor" in done.stdout
