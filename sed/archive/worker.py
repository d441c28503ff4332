"""What runs in a worker: jobs in, outcomes out; the model is loaded once a process."""

import time
from dataclasses import replace
from pathlib import Path
from tempfile import NamedTemporaryFile

from sed.archive.engine import Done, Job, Order, Outcome, Piece, Recording
from sed.archive.fetch import fetched
from sed.archive.moment import moment
from sed.archive.pieces import hear_piece
from sed.errors import EarwitnessError
from sed.model import OnnxModel
from sed.scan import Scanner
from sed.source.file import AudioFile

_kept: dict[str, OnnxModel] = {}


def prepare(order: Order) -> OnnxModel:
    """The model of an order, loaded at the first call. Raises ModelError."""
    if (model := _kept.get(order.model_sha256)) is None:
        _kept.clear()
        with NamedTemporaryFile(prefix="earwitness-", suffix=".onnx") as file:
            file.write(order.model)
            file.flush()
            model = _kept[order.model_sha256] = OnnxModel(Path(file.name))
    return model


def work(job: Job, order: Order) -> Done:
    """Do a job. One bad recording never stops the others: it is an outcome with its error."""
    model = prepare(order)
    return Done(job, tuple(_heard(recording, job.piece, model, order) for recording in job.recordings))


def _heard(recording: Recording, piece: Piece | None, model: OnnxModel, order: Order) -> Outcome:
    began = time.perf_counter()
    try:
        with fetched(recording) as path:
            outcome = _scanned(path, Outcome(recording, piece), model, order)
    except EarwitnessError as error:
        outcome = Outcome(recording, piece, "failed", _reason(error, recording.name))
    return replace(outcome, seconds_taken=time.perf_counter() - began)


def _scanned(path: str, outcome: Outcome, model: OnnxModel, order: Order) -> Outcome:
    name = outcome.recording.name
    try:
        file = AudioFile(path, order.channel)
    except EarwitnessError as error:
        return replace(outcome, status="failed", error=_reason(error, path))
    with file:
        begins, source = moment(file, name, order)
        told = replace(outcome, sample_rate=file.sample_rate, channels=file.channels, begins=begins, time_source=source)
        if outcome.piece is not None:
            part, seconds, why = hear_piece(file, outcome.piece, model, order)
            told = replace(told, part=part, duration=seconds)
        else:
            scan = Scanner(model, order.rules, order.channel).hear(file)
            why, found = scan.error, tuple(replace(one, filename=name) for one in scan.detections)
            told = replace(told, detections=found, duration=scan.seconds)
    return told if why is None else replace(told, status="failed", error=_reason(why, path))


def _reason(error: Exception, name: str) -> str:
    return str(error).removeprefix(f"{name}: ")
