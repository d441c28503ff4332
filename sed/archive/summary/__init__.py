"""What a scan of an archive found, as a page with pictures."""

from sed.archive.summary.report import summarise

__all__ = ["summarise"]
