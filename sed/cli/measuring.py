"""Commands that measure: scenes to measure on, a model alone, and beside others."""

from pathlib import Path
from typing import Annotated

import typer

from sed.cli.app import app
from sed.cli.options import ConfigOption, DataOption, RuleOption, check_used, given, load
from sed.errors import UsageError

BudgetOnOption = Annotated[
    list[str] | None,
    typer.Option(
        "--budget-on",
        metavar="KIND=N",
        help="A budget of their own for recordings of a kind, as explosion=45; repeatable.",
    ),
]


@app.command()
def scenes(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder to make: WAV files, scenes.tsv, scenes.csv.")],
    data: DataOption,
    split: Annotated[str, typer.Option(help="The side to take clips from: train, valid or test.")] = "test",
    label: Annotated[
        list[str] | None,
        typer.Option("--label", help="A class to detect; repeatable. Default: those that alert."),
    ] = None,
    targets: Annotated[int, typer.Option(min=0, help="Scenes with one or two targets.")] = 240,
    distractors: Annotated[int, typer.Option(min=0, help="Scenes with one to three other sounds only.")] = 240,
    explosions: Annotated[int, typer.Option(min=0, help="Scenes with explosions, thunder or fireworks only.")] = 60,
    seconds: Annotated[float, typer.Option(min=5.0, max=600.0, help="Of a scene.")] = 30.0,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    cache: Annotated[Path | None, typer.Option(help="Decoded audio.", show_default="the user's cache folder")] = None,
) -> None:
    """Mix scenes with known events to measure on: real sounds over real beds at stated levels; same seed, same bytes.

    Example: **earwitness scenes scenes-test --data my_clips --seed 1**
    """
    from sed.commands import scenes as command

    command.run(
        out, data, split, tuple(label or ()) or command.LABELS,
        {"target": targets, "distractor": distractors, "explosion": explosions},
        seconds=seconds, seed=seed, cache=cache,
    )  # fmt: skip


@app.command()
def evaluate(
    model: Annotated[str | None, typer.Argument(metavar="[MODEL]", help="A shipped model's name, or a path.")] = None,
    scenes: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Scenes with known events, as 'earwitness scenes' makes them.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="A folder with clips.csv: false alarms on its background, music and speech.")
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(help="The side of --data to listen to.", show_default="test; with --rules tune, valid"),
    ] = None,
    json: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write every figure here.")] = None,
    report: Annotated[Path | None, typer.Option(metavar="DIR", help="Write a page with pictures here.")] = None,
    worst: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the worst misses and false alarms here, as pictures.")
    ] = None,
    each: Annotated[
        int | None,
        typer.Option(min=1, help="With --worst: pictures a label and kind of mistake.", show_default="8"),
    ] = None,
    picture: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw onset F1 and false alarms an hour here (PNG).")
    ] = None,
    rules: Annotated[
        str | None,
        typer.Option(metavar="tune", help="Choose the rules on these recordings and write them into the model file."),
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option(min=0.0, help="With --rules tune: false alarms an hour, of each label.", show_default="1"),
    ] = None,
    budget_on: BudgetOnOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="With --rules tune: the file to write. Default: the model's own.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the bootstrap.")] = 0,
    config: ConfigOption = None,
    rule: RuleOption = None,
) -> None:
    """Measure a model: F1, error rates, PSDS, average precision, false alarms, delay, recall by level; with intervals.

    Example: **earwitness evaluate mine.onnx --scenes scenes-test --data my_clips --report report --worst worst**
    """
    from sed.commands import evaluate as command

    if rules not in {None, "tune"}:
        raise UsageError(f"--rules {rules}: unknown; the one thing to do with rules is to tune them")
    check_used("evaluate", "--rules tune", rules, budget=budget, budget_on=tuple(budget_on or ()), out=out)
    check_used("evaluate", "--worst DIR", worst, each=each)
    check_used("evaluate", "--data DATA", data, split=split)
    side = command.side(split, tuning=rules is not None)
    tuning = command.Tuning(command.budget(1.0 if budget is None else budget, budget_on or ()), out) if rules else None
    wanted = command.Wanted(json, report, worst, picture=picture, **given(each=each))
    command.run(load(config, model, rule), scenes, data, split=side, wanted=wanted, seed=seed, tuning=tuning)


@app.command()
def compare(
    scenes: Annotated[
        Path, typer.Option(metavar="DIR", help="Scenes to measure on, as 'earwitness scenes --split test' makes them.")
    ],
    valid: Annotated[Path, typer.Option(metavar="DIR", help="Other scenes, to fit YAMNet on.")],
    yamnet: Annotated[Path, typer.Option(metavar="FILE", help="yamnet.tflite, its class map beside it.")],
    model: Annotated[str | None, typer.Argument(metavar="[MODEL]", help="A shipped model's name, or a path.")] = None,
    data: Annotated[
        Path | None, typer.Option(help="A folder with clips.csv: false alarms on its background, music and speech.")
    ] = None,
    budget: Annotated[
        float, typer.Option(min=0.0, help="False alarms an hour, of each label, to fit YAMNet within.")
    ] = 1,
    budget_on: BudgetOnOption = None,
    json: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write every figure here.")] = None,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw the comparison here (PNG).")] = None,
    picture: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw onset F1 and false alarms an hour alone here (PNG).")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the bootstrap.")] = 0,
    config: ConfigOption = None,
    rule: RuleOption = None,
) -> None:
    """Measure a model beside YAMNet on the same scenes, YAMNet fitted on others as generously as can be.

    Its classes, hop, thresholds, durations and the shift of its onsets are chosen label by label: once within the
    budget of false alarms, and once for the best F1 whatever the alarms. Give it the budgets that your model's rules
    were chosen for.

    Example: **earwitness compare --scenes scenes-test --valid scenes-valid --yamnet yamnet.tflite --plot compare.png**
    """
    from sed.commands import compare as command
    from sed.commands.evaluate import budget as budget_of

    peer = command.Peer(yamnet, valid, budget_of(budget, budget_on or ()))
    command.run(
        load(config, model, rule), scenes, peer, data, json_file=json, plot=plot, picture=picture, seed=seed
    )  # fmt: skip


@app.command()
def baselines(
    data: DataOption,
    model: Annotated[str | None, typer.Argument(metavar="[MODEL]", help="A shipped model's name, or a path.")] = None,
    yamnet: Annotated[
        Path | None, typer.Option(metavar="FILE", help="yamnet.tflite, its class map beside it: YAMNet, too.")
    ] = None,
    others: Annotated[int, typer.Option(min=1, help="Clips of other classes to learn from.")] = 1500,
    json: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write every figure here.")] = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    cache: Annotated[Path | None, typer.Option(help="Decoded audio.", show_default="the user's cache folder")] = None,
    config: ConfigOption = None,
    rule: RuleOption = None,
) -> None:
    """Train simple classifiers on the same clips, and tell them, YAMNet and a model apart on whole clips of test.

    Example: **earwitness baselines --data my_clips --yamnet yamnet.tflite**
    """
    from sed.commands import baselines as command

    command.run(
        load(config, model, rule), data, yamnet, others=others, json_file=json, seed=seed, cache=cache
    )  # fmt: skip
