"""The model file: whether it opens, what it is, and whether its rules tell anything."""

import hashlib
from collections.abc import Iterator

from sed.config import Config, merged_rules
from sed.doctor.finding import Finding, ok, warning
from sed.metadata import alerting
from sed.model import OnnxModel
from sed.shipped import model_path

HASH_DIGITS = 12
"""Of the file's SHA-256: enough to tell two files apart; `earwitness model show` has all of them."""


def look(config: Config) -> Iterator[Finding]:
    """The file, then the rules. Raises UsageError, ModelError or ConfigError."""
    path = model_path(config.model)
    model = OnnxModel(path)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()[:HASH_DIGITS]
    metadata = model.metadata
    yield ok(f"{metadata.name} {metadata.version} opens, {len(metadata.labels)} labels, sha256 {sha256}…, {path}")
    if told := alerting(merged_rules(config, metadata)):
        yield ok(f"tells of {', '.join(told)}")
    else:
        yield warning("tells of nothing: no label alerts", "set alert = true in [rules.LABEL]")
