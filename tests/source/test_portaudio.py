"""Devices by name, and never another one."""

from pathlib import Path

import pytest

from sed.errors import DeviceError
from sed.source.portaudio import portaudio
from tests.microphone import VirtualMicrophone


def test_devices_are_found_by_name_or_by_a_part_of_one(tmp_path: Path) -> None:
    with VirtualMicrophone(tmp_path, "back_yard") as first, VirtualMicrophone(tmp_path, "back_yard_2") as second:
        first.plug()
        second.plug()
        audio = portaudio()
        audio.look_again("")
        assert audio.find("back_yard").name == "back_yard"  # the whole name goes before a part
        assert audio.find("YARD_2").name == "back_yard_2"
        with pytest.raises(DeviceError, match="'back' is the name of several: 'back_yard', 'back_yard_2'; give one"):
            audio.find("back")
        with pytest.raises(DeviceError, match=r"no microphone 'cellar' \(there are: .*'back_yard'"):
            audio.find("cellar")


def test_a_device_of_an_old_list_is_not_opened(tmp_path: Path) -> None:
    """Its index may belong to another device by now."""
    with VirtualMicrophone(tmp_path) as yard:
        yard.plug()
        audio = portaudio()
        audio.look_again("")
        device = audio.find("yard")
        audio.look_again("")
        with pytest.raises(DeviceError, match="'yard': devices have changed while it was opened"):
            audio.open(device, 1, 16_000, lambda *_: None, lambda: None)


def test_without_a_server_there_is_nothing(tmp_path: Path) -> None:
    with VirtualMicrophone(tmp_path):
        audio = portaudio()
        audio.look_again("")
        with pytest.raises(DeviceError, match="no microphone 'yard'"):
            audio.find("yard")


def test_an_open_stream_is_not_disturbed_for_a_device_that_is_not_there(tmp_path: Path) -> None:
    with VirtualMicrophone(tmp_path) as yard:
        yard.plug()
        audio = portaudio()
        audio.look_again("")
        stream = audio.open(audio.find("yard"), 1, 16_000, lambda *_: None, lambda: None)
        try:
            audio.look_again("cellar")
            assert not audio.stale
            assert stream.active
        finally:
            audio.close(stream)


def test_it_is_the_only_module_that_knows_sounddevice() -> None:
    files = (Path(__file__).parents[2] / "sed").rglob("*.py")
    assert [file.name for file in files if "import sounddevice" in file.read_text()] == ["portaudio.py"]
