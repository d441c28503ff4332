"""What the whole path costs beside YAMNet's, in the same run on one thread: ratios, because machines are noisy.

    python benchmarks/against_yamnet.py --model yamnet.tflite

YAMNet (TFLite, XNNPACK) gets a decision each 0.48 s from windows of 0.975 s; earwitness one each 40 ms.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")

from ai_edge_litert.interpreter import Interpreter

from sed.commands.bench import street_like
from sed.frontend import LogMel
from sed.level import LevelMeter
from sed.model import OnnxModel
from sed.pipeline import detect
from sed.postprocess import Tracker
from sed.shipped import DEFAULT_MODEL, model_path
from sed.signals import Block, Floats

RATE = 16_000
YAMNET_WINDOW, YAMNET_HOP = 15_600, 7_680


def yamnet(path: Path, sound: Floats) -> Callable[[], None]:
    """A pass of YAMNet over `sound`."""
    interpreter = Interpreter(model_path=str(path), num_threads=1)
    interpreter.allocate_tensors()
    (given,), taken = interpreter.get_input_details(), interpreter.get_output_details()[0]["index"]

    def run() -> None:
        for start in range(0, len(sound) - YAMNET_WINDOW + 1, YAMNET_HOP):
            interpreter.set_tensor(given["index"], sound[start : start + YAMNET_WINDOW])
            interpreter.invoke()
            interpreter.get_tensor(taken)

    return run


def earwitness(model: OnnxModel, sound: Floats, block_ms: int) -> Callable[[], None]:
    """A pass of the whole path over `sound`, as the daemon takes it."""
    size = RATE * block_ms // 1000
    blocks = [Block(start, sound[start : start + size]) for start in range(0, len(sound), size)]

    def run() -> None:
        model.reset()
        tracker = Tracker(model.metadata.labels, model.metadata.rules, RATE)
        for _ in detect(blocks, LogMel(model.metadata.frontend), model, tracker, LevelMeter(RATE)):
            pass

    return run


def cost(run: Callable[[], None], seconds: float) -> float:
    """Milliseconds of CPU per second of sound."""
    begin = time.process_time()
    run()
    return (time.process_time() - begin) / seconds * 1000.0


def main() -> None:
    """Take turns, so that a slow moment of the machine hits all of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="yamnet.tflite")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    sound = street_like(RATE, arguments.seconds)
    model = OnnxModel(model_path(DEFAULT_MODEL))
    runs = {"YAMNet, 0.48 s hop": yamnet(arguments.model, sound)}
    runs |= {f"earwitness, {ms} ms blocks": earwitness(model, sound, ms) for ms in (100, 20, 10)}
    for run in runs.values():
        run()  # warm
    rounds = [{name: cost(run, arguments.seconds) for name, run in runs.items()} for _ in range(arguments.rounds)]
    peer = "YAMNet, 0.48 s hop"
    print(f"{'':28}{'ms of CPU per s':>16}{'ratio to YAMNet':>18}   (medians of {arguments.rounds} rounds)")
    for name in runs:
        milliseconds = statistics.median(row[name] for row in rounds)
        ratio = statistics.median(row[name] / row[peer] for row in rounds)
        print(f"{name:28}{milliseconds:16.3f}{ratio:18.2f}")


if __name__ == "__main__":
    main()
