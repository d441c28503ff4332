"""`earwitness scenes`: mixtures with known events, to measure on."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import cast, get_args

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from sed.errors import UsageError
from sed.train.clips import read_clips
from sed.train.duplicates import without_duplicates
from sed.train.library import Library, cache_folder
from sed.train.recipe import Split
from sed.train.scenefolder import write_scenes
from sed.train.testset import Kind, MixedScene, SceneSet

RATE = 16_000
LABELS = ("siren", "gun_shot", "glass_break")


def run(
    out: Path,
    data: Path,
    split: str,
    labels: Sequence[str],
    counts: Mapping[Kind, int],
    *,
    seconds: float,
    seed: int,
    cache: Path | None,
) -> None:
    """Write the scenes; raises EarwitnessError."""
    if split not in get_args(Split):
        raise UsageError(f"--split {split}: unknown; choose one of {', '.join(get_args(Split))}")
    console = Console(stderr=True)
    clips = read_clips(data)
    with console.status("reading the clips (decoded once, then kept in the cache)"):
        library = Library(data, clips, RATE, cache or cache_folder())
        clips = without_duplicates(clips, labels, library)
    scenes = SceneSet(library, clips, cast(Split, split), labels, seconds, seed)
    for kind, count in counts.items():
        if count:
            scenes.scene(kind, 0)  # what cannot be made is told before anything is written
    write_scenes(out, _shown(scenes, counts, console), RATE)


def _shown(scenes: SceneSet, counts: Mapping[Kind, int], console: Console) -> Iterator[MixedScene]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        for kind, count in counts.items():
            for number in progress.track(range(count), description=f"{kind} scenes"):
                yield scenes.scene(kind, number)
