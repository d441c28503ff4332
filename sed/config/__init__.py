"""What can be set: one TOML file, a file here for each of its tables."""

from sed.config.file import load, merged_rules, overridden
from sed.config.journal import JournalConfig, default_journal
from sed.config.mqtt import MqttConfig
from sed.config.rules import RuleChange
from sed.config.source import SourceConfig
from sed.config.whole import Config, default_node

__all__ = [
    "Config",
    "JournalConfig",
    "MqttConfig",
    "RuleChange",
    "SourceConfig",
    "default_journal",
    "default_node",
    "load",
    "merged_rules",
    "overridden",
]
