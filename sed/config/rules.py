"""`[rules.LABEL]`: what of a label's rule shall not be as the model says."""

from pydantic import Field

from sed.metadata import Score, Seconds, Settings


class RuleChange(Settings):
    """What of a label's rule shall not be as the model says."""

    on: Score | None = None
    off: Score | None = None
    min_duration: Seconds | None = None
    max_gap: Seconds | None = None
    max_rise: Seconds | None = None
    cooldown: Seconds | None = None
    median: int | None = Field(None, ge=1, le=999)
    alert: bool | None = None
