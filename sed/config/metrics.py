"""`[metrics]`: where Prometheus may ask how things are."""

from pydantic import Field

from sed.config.place import Place


class MetricsConfig(Place):
    """Where Prometheus may ask; nobody but this computer can, unless `address` says so."""

    port: int = Field(9464, ge=1, le=65_535)
