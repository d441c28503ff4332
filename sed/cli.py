"""The command line: one thin function a command. What a command needs is imported when it runs."""

import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

# One thread everywhere: the arrays are small, and a second thread would only spin. Before numpy is imported.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import typer  # noqa: E402

from sed.errors import EarwitnessError, UsageError  # noqa: E402

app = typer.Typer(
    name="earwitness",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Hears sirens, gun shots and breaking glass, and says within a fraction of a second when and for how long.",
)
models = typer.Typer(no_args_is_help=True, help="Look into model files.")
app.add_typer(models, name="model")
data_sets = typer.Typer(no_args_is_help=True, help="Look into data sets, and make them ready for training.")
app.add_typer(data_sets, name="data")

Paths = Annotated[list[str], typer.Argument(metavar="PATH...", help="Recordings, folders of them, or - for stdin.")]
ModelOption = Annotated[str | None, typer.Option("--model", "-m", help="A shipped model's name, or a path.")]
ConfigOption = Annotated[Path | None, typer.Option("--config", "-c", help="A TOML file: rules, model, broker.")]
ChannelOption = Annotated[str, typer.Option(help="Which channel to hear: a number from 0, or 'mix' for their mean.")]
RuleOption = Annotated[
    list[str] | None,
    typer.Option("--rule", metavar="LABEL.KEY=VALUE", help="Change a rule, as siren.on=0.7; repeatable."),
]
MqttOption = Annotated[
    str | None, typer.Option("--mqtt", metavar="URL", help="As mqtt://user@broker:1883 or mqtts://…")
]


def _version(asked: bool) -> None:
    if asked:
        from sed import __version__

        typer.echo(f"earwitness {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error comes from.")] = False,
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")] = False,
) -> None:
    import logging

    logging.basicConfig(level=logging.DEBUG if debug else logging.WARNING, format="earwitness: %(message)s")


@app.command()
def detect(
    paths: Paths,
    format: Annotated[  # noqa: A002 - the option's name
        str | None,
        typer.Option(
            "--format", "-f", help="table, tsv, jsonl, audacity or raven.", show_default="table on a terminal, else tsv"
        ),
    ] = None,
    scores: Annotated[
        Path | None,
        typer.Option(
            help="Keep the frame scores here, as sed_scores_eval reads them; a folder for several recordings."
        ),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(help="Draw spectrogram, scores and events here (PNG); a folder for several recordings."),
    ] = None,
    channel: ChannelOption = "0",
    model: ModelOption = None,
    config: ConfigOption = None,
    rule: RuleOption = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")] = False,
) -> None:
    """Find the events in recordings, as fast as the machine goes.

    Example: **earwitness detect street.wav --plot street.png**
    """
    from sed.commands import detect as command

    found = command.run(paths, format, scores, plot, _channel(channel), _config(config, model, rule), quiet=quiet)
    raise typer.Exit(found)


@app.command()
def explain(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A recording.")],
    plot: Annotated[
        Path | None, typer.Option(help="Draw the evidence for one event or rejected candidate here (PNG, SVG or PDF).")
    ] = None,
    at: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="The moment to explain.", show_default="the best event, else the nearest"),
    ] = None,
    label: Annotated[str | None, typer.Option(help="Look at this label only.")] = None,
    nearest: Annotated[int, typer.Option(min=0, help="How many rejected candidates to list.")] = 10,
    format: Annotated[  # noqa: A002 - the option's name
        str | None,
        typer.Option("--format", "-f", help="table, tsv or jsonl.", show_default="table on a terminal, else tsv"),
    ] = None,
    channel: ChannelOption = "0",
    model: ModelOption = None,
    config: ConfigOption = None,
    rule: RuleOption = None,
) -> None:
    """Say why there was an event, or which rule rejected it and by how much; and draw what the score rests on.

    Example: **earwitness explain street.wav --plot why.png --at 19.5**
    """
    from sed.commands import explain as command

    wish = command.Wish(at, label, plot, nearest, format)
    raise typer.Exit(command.run(file, _channel(channel), _config(config, model, rule), wish))


@app.command()
def replay(
    paths: Paths,
    mqtt: MqttOption = None,
    speed: Annotated[
        str, typer.Option(help="1 paces it like a microphone; 10 is ten times that; max is flat out.")
    ] = "1",
    loop: Annotated[bool, typer.Option("--loop", help="Begin again after the last one, until stopped.")] = False,
    start_time: Annotated[
        datetime | None,
        typer.Option(
            help="When the recording began (UTC unless it names a zone).",
            show_default="now",
            formats=[
                "%Y-%m-%d",
                "%Y-%m-%dT%H:%M:%S",
                "%Y-%m-%dT%H:%M:%SZ",
                "%Y-%m-%dT%H:%M:%S%z",
                "%Y-%m-%dT%H:%M:%S.%f%z",
            ],
        ),
    ] = None,
    node: Annotated[
        str | None,
        typer.Option(help="The node's name in topics and messages.", show_default="the configured one and -replay"),
    ] = None,
    source: Annotated[str, typer.Option(help="The source's name in topics and messages.")] = "replay",
    lines: Annotated[
        Path | None,
        typer.Option("--lines", metavar="FILE", help="Append the JSON lines to this file.", show_default="stdout"),
    ] = None,
    journal: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Keep the journal here; untold messages go first next time.", show_default="none kept"
        ),
    ] = None,
    channel: ChannelOption = "0",
    model: ModelOption = None,
    config: ConfigOption = None,
    rule: RuleOption = None,
) -> None:
    """Play recordings through the whole daemon: ring, journal, JSON lines on stdout, and MQTT if a broker is named.

    Example: **earwitness replay street.wav --mqtt mqtt://localhost --speed 10**
    """
    from sed.commands import replay as command

    done = command.run(
        paths, _config(config, model, rule, mqtt), _channel(channel), speed=_speed(speed), loop=loop,
        start_time=start_time, node=node, source=source, lines=lines, journal=journal,
    )  # fmt: skip
    raise typer.Exit(done)


@app.command()
def run(
    check: Annotated[bool, typer.Option("--check", help="Say whether the configuration can be used, and end.")] = False,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error; the log goes to stderr.")] = "info",
    mqtt: MqttOption = None,
    model: ModelOption = None,
    config: ConfigOption = None,
    rule: RuleOption = None,
) -> None:
    """Listen until stopped: to the default microphone, or to the sources of a file; JSON lines on stdout, and MQTT.

    SIGHUP reads the file again without losing a sample: rules, thresholds and broker. SIGTERM or Ctrl-C ends it.

    Example: **earwitness run -c /etc/earwitness/earwitness.toml**
    """
    from sed.commands import run as command

    raise typer.Exit(command.run(lambda: _config(config, model, rule, mqtt), check=check, log_level=log_level))


@app.command()
def watch(
    url: Annotated[str | None, typer.Argument(metavar="[URL]", help="The broker, as mqtt://localhost:1883.")] = None,
    node: Annotated[str, typer.Option(help="Only this node.")] = "+",
    count: Annotated[int | None, typer.Option(min=1, help="Stop after so many alerts.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a message instead of words.")] = False,
    config: ConfigOption = None,
) -> None:
    """Show alerts as they come: when, who, what, how long, how sure. Reconnects by itself; Ctrl-C ends it.

    Example: **earwitness watch mqtt://localhost**
    """
    from sed.commands import watch as command

    command.run(_config(config, mqtt=url), node=node, count=count, as_json=json)


@app.command()
def devices(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="With --meter: these microphones only.")
    ] = None,
    meter: Annotated[bool, typer.Option("--meter", help="Show live levels as bars, until Ctrl-C.")] = False,
) -> None:
    """List the microphones that can be opened as mic:NAME, and those that cannot with the reason.

    Example: **earwitness devices --meter**
    """
    from sed.commands import devices as command

    if meter:
        command.meter(names or [])
        return
    if names:
        raise UsageError("devices: names are for --meter; add it, or leave them out")
    raise typer.Exit(command.show())


@app.command()
def demo(model: ModelOption = None) -> None:
    """Hear a street: a private broker, a second client, and every alert with its delay behind the sound.

    Example: **earwitness demo**
    """
    from sed.commands import demo as command

    raise typer.Exit(command.run(_config(None, model)))


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

    command.run(_config(None, model), seconds=seconds, as_json=json)


@app.command()
def train(
    data: Annotated[Path, typer.Option("--data", help="A folder with clips.csv and the audio it names.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="The model file to write.", show_default="--config's name, .onnx, here"),
    ] = None,
    label: Annotated[
        list[str] | None, typer.Option("--label", help="A class to detect; repeatable. Default: the shipped model's.")
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Batches to learn from.")] = None,
    minutes: Annotated[float | None, typer.Option(help="End early after this long; the schedule is shortened.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Default: 0.")] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Of the network; mixing takes another one. Default: 1.")
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
    """
    if show_augmentations is not None:
        from sed.commands import augmentations

        augmentations.run(data, show_augmentations, tuple(label or ()), seed or 0)
        return
    from sed.commands import train as command

    options = {
        "labels": tuple(label or ()) or None, "steps": steps, "minutes": minutes, "seed": seed, "threads": threads,
        "device": device, "log_dir": log_dir, "finetune": finetune,
    }  # fmt: skip
    given = {name: value for name, value in options.items() if value is not None}
    if find_rate is not None:
        command.find_rate(data, find_rate, config, **given)
        return
    if out is None and config is None:
        raise UsageError("train: which file to write is not said; add --out mine.onnx")
    command.run(data, out or Path(f"{config and config.stem}.onnx"), config, resume=resume, **given)


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
    calibration: Annotated[str, typer.Option(help="With --int8: minmax or percentile.")] = "minmax",
    clips: Annotated[int, typer.Option(min=1, help="With --int8: clips of the train split to calibrate on.")] = 64,
    seed: Annotated[int, typer.Option(min=0, help="With --int8: draws the clips.")] = 0,
) -> None:
    """Write a model file from a checkpoint of training, or a model in 8-bit integers, checked before it is written.

    Example: **earwitness export mine.onnx --int8 --data my_clips --out mine-int8.onnx**
    """
    from sed.commands import export as command

    if not int8 and (data or scenes):
        raise UsageError("export: --data and --scenes are for --int8; give it, or leave them out")
    likeness = command.Likeness(like, tuple(label or ()))
    quantising = command.Quantising(data, scenes, calibration, clips, seed) if int8 else None
    command.run(source, out, name, likeness, quantising)


@app.command()
def tune(
    data: Annotated[Path, typer.Option("--data", help="A folder with clips.csv and the audio it names.")],
    study: Annotated[
        Path,
        typer.Option(metavar="FILE", help="Keeps all trials; best settings (.toml) and a picture (.png) go beside it."),
    ] = Path("tune.db"),
    trials: Annotated[int, typer.Option(min=1, help="Finished trials the study shall have, older ones counted.")] = 30,
    minutes: Annotated[float | None, typer.Option(min=0.0, help="Begin no further trial after this long.")] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Batches that a trial learns from. Default: 1000.")] = None,
    label: Annotated[
        list[str] | None, typer.Option("--label", help="A class to detect; repeatable. Default: the shipped model's.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Default: 0.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Of the network. Default: 1.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu or cuda. Default: auto.")] = None,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", metavar="FILE", help="TOML with settings that all trials share.")
    ] = None,
) -> None:
    """Look for better settings: short trainings on the same scenes, the hopeless ones cut off. A killed study goes on.

    Example: **earwitness tune --data my_clips --trials 30 --minutes 120 --study mine.db**, and then
    **earwitness train --data my_clips --config mine.toml --out mine.onnx**
    """
    from sed.commands import tune as command

    options = {
        "labels": tuple(label or ()) or None, "steps": steps, "seed": seed, "threads": threads, "device": device,
    }  # fmt: skip
    given = {name: value for name, value in options.items() if value is not None}
    command.run(data, study, trials, minutes, config, **given)


@app.command()
def scenes(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder to make: WAV files, scenes.tsv, scenes.csv.")],
    data: Annotated[Path, typer.Option("--data", help="A folder with clips.csv and the audio it names.")],
    split: Annotated[str, typer.Option(help="The side to take clips from: train, valid or test.")] = "test",
    label: Annotated[
        list[str] | None, typer.Option("--label", help="A class to detect; repeatable. Default: the shipped model's.")
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
def evaluate(
    model: Annotated[str | None, typer.Argument(metavar="[MODEL]", help="A shipped model's name, or a path.")] = None,
    scenes: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Scenes with known events, as 'earwitness scenes' makes them.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="A folder with clips.csv: false alarms on its background, music and speech.")
    ] = None,
    split: Annotated[str, typer.Option(help="The side of --data to listen to.")] = "test",
    json: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write every figure here.")] = None,
    report: Annotated[Path | None, typer.Option(metavar="DIR", help="Write a page with pictures here.")] = None,
    worst: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the worst misses and false alarms here, as pictures.")
    ] = None,
    each: Annotated[int, typer.Option(min=1, help="With --worst: pictures a label and kind of mistake.")] = 8,
    picture: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw onset F1 and false alarms an hour here (PNG).")
    ] = None,
    rules: Annotated[
        str | None,
        typer.Option(metavar="tune", help="Choose the rules on these recordings and write them into the model file."),
    ] = None,
    budget: Annotated[float, typer.Option(min=0.0, help="With --rules tune: false alarms an hour, of each label.")] = 1,
    budget_on: Annotated[
        list[str] | None,
        typer.Option(metavar="KIND=N", help="A budget of their own for recordings of a kind; repeatable."),
    ] = None,
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
    tuning = command.Tuning(command.budget(budget, budget_on or ()), out) if rules else None
    wanted = command.Wanted(json, report, worst, each, picture)
    command.run(_config(config, model, rule), scenes, data, split=split, wanted=wanted, seed=seed, tuning=tuning)


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
    budget of false alarms, and once for the best F1 whatever the alarms.

    Example: **earwitness compare --scenes scenes-test --valid scenes-valid --yamnet yamnet.tflite --plot compare.png**
    """
    from sed.commands import compare as command

    peer = command.Peer(yamnet, valid, budget)
    command.run(
        _config(config, model, rule), scenes, peer, data, json_file=json, plot=plot, picture=picture, seed=seed
    )  # fmt: skip


@app.command()
def baselines(
    data: Annotated[Path, typer.Option("--data", help="A folder with clips.csv and the audio it names.")],
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
        _config(config, model, rule), data, yamnet, others=others, json_file=json, seed=seed, cache=cache
    )  # fmt: skip


def _config(
    path: Path | None, model: str | None = None, rules: list[str] | None = None, mqtt: str | None = None
) -> Any:
    """The configuration: a file's, and over it what the command line says."""
    from sed.config import Config, load, overridden

    config = load(path) if path else Config()
    return overridden(config, model=model, rules=rules or [], mqtt_url=mqtt)


def _channel(text: str) -> Any:
    if text == "mix":
        return text
    if not text.isdecimal():
        raise UsageError(f"--channel {text}: need a number from 0, or 'mix'")
    return int(text)


def _speed(text: str) -> float | None:
    """Times real time; None is as fast as the machine goes."""
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0.01 <= speed <= 1000.0:
        raise UsageError(f"--speed {text}: need a number from 0.01 to 1000, or 'max'")
    return speed


def main() -> None:
    """Run a command; an error is one line and an exit code, with a traceback only if asked for."""
    try:
        app()
    except EarwitnessError as error:
        if "--debug" in sys.argv:
            raise
        typer.echo(f"earwitness: {error}", err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:  # 'earwitness detect … | head': the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
