"""What can go wrong, and the exit code it leads to.

EarwitnessError        1  something failed while running
├── AudioError         1  a recording cannot be read, or holds no sound
├── DeviceError        1  a microphone or a stream cannot be opened, or has gone
├── ModelError         1  a model file cannot be used
├── SinkError          1  a broker or a file refuses what it should take
│   └── DamagedError   1  a file does not hold any more what was written to it
└── UsageError         2  wrong use or config: nothing was wrong with the data
    └── ConfigError    2  a key, a value or a file of the configuration
"""


class EarwitnessError(Exception):
    """One line that says what went wrong, where, and what to do."""

    exit_code = 1


class AudioError(EarwitnessError):
    """A recording cannot be read, or holds no sound."""


class DeviceError(EarwitnessError):
    """A microphone, or a stream in the network, cannot be opened, or has gone."""


class ModelError(EarwitnessError):
    """A model file cannot be used."""


class SinkError(EarwitnessError):
    """A broker or a file refuses what it should take."""


class DamagedError(SinkError):
    """A file does not hold any more what was written to it."""


class UsageError(EarwitnessError):
    """The command was called in a way that cannot work."""

    exit_code = 2


class ConfigError(UsageError):
    """A key, a value or a file of the configuration is wrong."""
