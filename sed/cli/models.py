"""Commands about model files: what is in them, what they cost, and how they are written."""

from pathlib import Path
from typing import Annotated

import typer

from sed.cli.app import app, models
from sed.cli.options import ModelOption, check_used, given, load


@models.command("show")
def model_show(
    file: Annotated[str | None, typer.Argument(metavar="[FILE]", help="A shipped model's name, or a path.")] = None,
    json: Annotated[bool, typer.Option("--json", help="The metadata document as it stands in the file.")] = False,
) -> None:
    """Labels, frontend, rules, licence, scores and hash of a model.

    Example: **earwitness model show models/earwitness-1.onnx**
    """
    from sed.commands import model as command

    command.show(file, as_json=json)


@models.command("card")
def model_card(
    file: Annotated[str | None, typer.Argument(metavar="[FILE]", help="A shipped model's name, or a path.")] = None,
    scenes_json: Annotated[
        list[Path] | None,
        typer.Option("--scenes-json", metavar="FILE", help="What 'evaluate --json' wrote of it; repeatable."),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="The folder with clips.csv it was trained on: files by data set and licence.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write here.", show_default="stdout")] = None,
    seconds: Annotated[float, typer.Option(min=0.0, help="Of sound to measure cost on; 0 leaves it out.")] = 30.0,
) -> None:
    """A model's card in Markdown: labels, rules, training, licences of the data, scores, cost; nothing but its inputs.

    Example: **earwitness model card mine.onnx --scenes-json found.json --data my_clips --out mine.md**
    """
    from sed.commands import card as command

    command.run(file, scenes_json or [], data, out, seconds=seconds)


@app.command()
def bench(
    seconds: Annotated[float, typer.Option(min=1.0, help="Seconds of sound a run.")] = 30.0,
    model: ModelOption = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
) -> None:
    """What each stage costs on this machine, how much memory it takes, and how many streams a core could carry.

    Example: **earwitness bench --seconds 60**
    """
    from sed.commands import bench as command

    command.run(load(None, model), seconds=seconds, as_json=json)


@app.command()
def export(
    source: Annotated[
        str, typer.Argument(metavar="CHECKPOINT|MODEL", help="What training left (.pt), a shipped model, or a path.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The model file to write.")],
    like: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="Of a checkpoint: the model whose labels, rules and frontend it has.",
            show_default="the shipped model",
        ),
    ] = None,
    label: Annotated[
        list[str] | None, typer.Option("--label", help="Or its labels, in their order in training; repeatable.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="The model's name.", show_default="the file's, or the float model's and -int8")
    ] = None,
    int8: Annotated[bool, typer.Option("--int8", help="In 8-bit integers, compared with float.")] = False,
    data: Annotated[Path | None, typer.Option(help="With --int8: a folder with clips.csv, to calibrate on.")] = None,
    scenes: Annotated[
        Path | None, typer.Option(metavar="DIR", help="With --int8: scenes on which both are measured.")
    ] = None,
    calibration: Annotated[
        str | None, typer.Option(help="With --int8: minmax or percentile.", show_default="minmax")
    ] = None,
    clips: Annotated[
        int | None,
        typer.Option(min=1, help="With --int8: clips of the train split to calibrate on.", show_default="64"),
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="With --int8: draws the clips.", show_default="0")] = None,
) -> None:
    """Write a model file from a checkpoint of training, or a model in 8-bit integers, checked before it is written.

    Example: **earwitness export mine.onnx --int8 --data my_clips --out mine-int8.onnx**
    """
    from sed.commands import export as command

    chosen = given(method=calibration, clips=clips, seed=seed)
    quantising = command.Quantising(data, scenes, **chosen) if int8 else None
    check_used(
        "export", "--int8", quantising, data=data, scenes=scenes, calibration=calibration, clips=clips, seed=seed
    )
    likeness = command.Likeness(like, tuple(label or ()))
    command.run(source, out, name, likeness, quantising)
