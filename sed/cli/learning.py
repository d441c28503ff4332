"""Commands that learn: data sets, training, the search for settings."""

from pathlib import Path
from typing import Annotated

import typer

from sed.cli.app import app, data_sets
from sed.cli.options import DataOption, given
from sed.errors import UsageError


@data_sets.command("audit")
def data_audit(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A data set; 'data import --help' says which.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Draw pictures and write audit.json here.")] = None,
    labels: Annotated[Path | None, typer.Option(help="A TOML file with [labels]: theirs = ours.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")] = False,
) -> None:
    """What a data set holds, class by class, and what is wrong with it: broken, clipped, silent, on both sides.

    Example: **earwitness data audit my_clips --out audit**
    """
    from sed.commands import data as command

    raise typer.Exit(command.audit(folder, out, labels, quiet=quiet))


@data_sets.command("import")
def data_import(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR",
            help="A folder with clips.csv, folders of classes, UrbanSound8K, ESC-50, FSD50K, or tables of events as "
            "in DESED.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder to write clips.csv into.")],
    labels: Annotated[
        Path | None,
        typer.Option(help="A TOML file with [labels]: theirs = ours; '' leaves a label out, '*' is the rest."),
    ] = None,
    licence: Annotated[str | None, typer.Option(help="Only clips this free: open, noncommercial or unknown.")] = None,
    without_suspects: Annotated[
        bool, typer.Option("--without-suspects", help="Leave out clips of other classes in which a target is heard.")
    ] = False,
    folds: Annotated[
        int | None,
        typer.Option(min=3, help="Divide into so many folds by group.", show_default="the data set's own split, or 7"),
    ] = None,
    fold: Annotated[
        int | None, typer.Option(min=1, help="The fold to test on; the next one is valid.", show_default="1")
    ] = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")] = False,
) -> None:
    """Write clips.csv for a data set, so that it can be trained on. Audio stays where it is; marked events are cut out.

    Example: **earwitness data import UrbanSound8K --out my_clips --fold 10**
    """
    from sed.commands import data as command
    from sed.train.splits import Division

    division = Division(folds, fold, seed)
    raise typer.Exit(command.take(folder, out, labels, licence, division, suspects=not without_suspects, quiet=quiet))


@app.command()
def train(
    data: DataOption,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="The model file to write.", show_default="--config's name, .onnx, here"),
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option("--label", help="A class to detect; repeatable. Default: those that alert."),
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Batches to learn from.")] = None,
    minutes: Annotated[float | None, typer.Option(help="End early after this long; the schedule is shortened.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Default: 0.")] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Of the network; mixing takes another one. Default: 1.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Members of --config that learn at once, a process each. Default: 1.")
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="auto, cpu or cuda. Default: auto, a GPU where there is one.")
    ] = None,
    finetune: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="Begin with a shipped model, or a file, and teach it other labels."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from an interrupted run's checkpoint.")] = False,
    log_dir: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keep log.csv and TensorBoard's files here.")
    ] = None,
    find_rate: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Train nothing: suggest a learning rate, and draw why (PNG, and .tsv)."),
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", metavar="FILE", help="TOML with the settings of a run.")
    ] = None,
    show_augmentations: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Train nothing: draw each augmentation of a clip of the first label (PNG)."),
    ] = None,
) -> None:
    """Train a model on labelled clips, choose its rules on the valid split, measure it on test, write one file.

    Example: **earwitness train --data my_clips --label siren --label dog_bark --out mine.onnx --minutes 60**

    Few recordings: **earwitness train --data my_clips --finetune earwitness-1 --label siren --label doorbell --out
    mine.onnx**; labels without clips are told exactly as before. 'earwitness data import' makes my_clips from a folder.

    Two GPUs, or two processes without any: **torchrun --nproc-per-node 2 -m sed train --data my_clips --out
    mine.onnx**. Each batch is divided, so they learn what one learns. Two machines, A and B, both with my_clips: on A
    **torchrun --nnodes 2 --node-rank 0 --master-addr A --nproc-per-node 2 -m sed train --data my_clips --out
    mine.onnx**, on B the same with **--node-rank 1**; A writes mine.onnx. If a process dies all end; start them again
    with --resume. They trust whoever reaches them: use a network of your own.
    """
    if show_augmentations is not None:
        _refuse_idle(
            "--show-augmentations", out=out, steps=steps, minutes=minutes, threads=threads, jobs=jobs, device=device,
            finetune=finetune, resume=resume or None, log_dir=log_dir, find_rate=find_rate,
        )  # fmt: skip
        from sed.commands import augmentations

        augmentations.run(data, show_augmentations, config, **given(labels=tuple(label or ()), seed=seed))
        return
    from sed.commands import train as command

    settings = given(
        labels=tuple(label or ()), steps=steps, minutes=minutes, seed=seed, threads=threads, jobs=jobs, device=device,
        log_dir=log_dir, finetune=finetune,
    )  # fmt: skip
    if find_rate is not None:
        _refuse_idle("--find-rate", out=out, minutes=minutes, jobs=jobs, resume=resume or None, log_dir=log_dir)
        command.find_rate(data, find_rate, config, **settings)
        return
    if out is None and config is None:
        raise UsageError("train: which file to write is not said; add --out mine.onnx")
    command.run(data, out or Path(f"{config and config.stem}.onnx"), config, resume=resume, **settings)


def _refuse_idle(what: str, **options: object) -> None:
    """Raise UsageError if one of the options is given: they are of a training, and `what` is none."""
    if idle := [f"--{name.replace('_', '-')}" for name in given(**options)]:
        raise UsageError(f"train: {what} trains nothing; leave out {' and '.join(idle)}")


@app.command()
def tune(
    data: DataOption,
    study: Annotated[
        Path,
        typer.Option(metavar="FILE", help="Keeps all trials; best settings (.toml) and a picture (.png) go beside it."),
    ] = Path("tune.db"),
    trials: Annotated[int, typer.Option(min=1, help="Finished trials the study shall have, older ones counted.")] = 30,
    minutes: Annotated[float | None, typer.Option(min=0.0, help="Begin no further trial after this long.")] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Batches that a trial learns from. Default: 1000.")] = None,
    label: Annotated[
        list[str] | None,
        typer.Option("--label", help="A class to detect; repeatable. Default: those that alert."),
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Default: 0.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Of the network. Default: 1.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu or cuda. Default: auto.")] = None,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", metavar="FILE", help="TOML with settings that all trials share.")
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Run trials side by side on a Ray cluster: local, auto or HOST:PORT."),
    ] = None,
    at_once: Annotated[
        int | None, typer.Option(min=1, help="Most trials side by side with --ray. Default: as many as there is room.")
    ] = None,
) -> None:
    """Look for better settings: short trainings on the same scenes, the hopeless ones cut off. A killed study goes on.

    Example: **earwitness tune --data my_clips --trials 30 --minutes 120 --study mine.db**, and then
    **earwitness train --data my_clips --config mine.toml --out mine.onnx**

    Trials side by side: **--ray local** uses all cores of this machine. Two machines: 'ray start --head' on the first,
    'ray start --address FIRST:6379' on the second, both with the same my_clips folder; then, on the first, **earwitness
    tune --data my_clips --trials 60 --study mine.db --ray auto**. Needs the extra 'cluster'.
    """
    from sed.commands import tune as command

    settings = given(labels=tuple(label or ()), steps=steps, seed=seed, threads=threads, device=device)
    if at_once and ray is None:
        raise UsageError("--at-once: is for --ray; without it trials run one after the other")
    cluster = command.Cluster(ray, at_once) if ray else None
    command.run(data, study, trials, minutes, config, cluster, **settings)
