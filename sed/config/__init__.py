"""What can be set: one TOML file, a file here for each of its tables."""

from sed.config.clips import ClipsConfig
from sed.config.file import load, merged_rules, overridden
from sed.config.fleet import FleetConfig
from sed.config.http import HttpConfig
from sed.config.journal import JournalConfig, default_journal
from sed.config.metrics import MetricsConfig
from sed.config.mqtt import MqttConfig
from sed.config.privacy import PrivacyConfig
from sed.config.rules import RuleChange
from sed.config.source import SourceConfig
from sed.config.whole import Config, default_node
from sed.config.zmq import ZmqConfig

__all__ = [
    "ClipsConfig",
    "Config",
    "FleetConfig",
    "HttpConfig",
    "JournalConfig",
    "MetricsConfig",
    "MqttConfig",
    "PrivacyConfig",
    "RuleChange",
    "SourceConfig",
    "ZmqConfig",
    "default_journal",
    "default_node",
    "load",
    "merged_rules",
    "overridden",
]
