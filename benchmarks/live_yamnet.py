"""YAMNet as a live detector to measure beside: `python -m benchmarks.live_yamnet yamnet.tflite`, until killed."""

import os
import sys
import time

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")

import numpy as np
from ai_edge_litert.interpreter import Interpreter

RATE, WINDOW, HOP = 16_000, 15_600, 7_680


def main() -> None:
    """A decision each 0.48 s, as Frigate and bark-sensor ask for them."""
    interpreter = Interpreter(model_path=sys.argv[1], num_threads=1)
    interpreter.allocate_tensors()
    (given,), taken = interpreter.get_input_details(), interpreter.get_output_details()[0]["index"]
    sound = np.random.default_rng(0).normal(0.0, 0.01, 10 * WINDOW).astype(np.float32)
    print("ready", flush=True)
    due, start = time.monotonic(), 0
    while True:
        due += HOP / RATE
        time.sleep(max(0.0, due - time.monotonic()))
        start = (start + HOP) % (len(sound) - WINDOW)
        interpreter.set_tensor(given["index"], sound[start : start + WINDOW])
        interpreter.invoke()
        interpreter.get_tensor(taken)


if __name__ == "__main__":
    main()
