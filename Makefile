# make demo   set everything up and hear a street: alerts over a real broker
# make test   set everything up, lint, type-check and run the tests
# make soak   the tests that take minutes or hours: slow faults, long fuzzing, a day of sound through the daemon
# make scale  an archive and a fleet in full: a scan of hours on workers and on Ray, a thousand boxes for ten minutes
# make lint   only ruff and mypy
# make clean  remove what make has made

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

# Debian packages: the broker of the demo and the tests, PortAudio for microphones; for the tests a client of the broker,
# openssl, for their certificates, PulseAudio, for a microphone without hardware, GStreamer's RTSP server, for a camera
# without one, a browser for the page, with the typeface of its pictures, and PostgreSQL, for a fleet's events.
DEMO_PACKAGES := mosquitto libportaudio2
TEST_PACKAGES := $(DEMO_PACKAGES) mosquitto-clients openssl systemd pulseaudio pulseaudio-utils libasound2-plugins \
	gir1.2-gst-rtsp-server-1.0 python3-gi gstreamer1.0-plugins-base gstreamer1.0-plugins-good \
	chromium chromium-driver fonts-inter postgresql

.PHONY: demo test soak scale lint clean demo-packages test-packages

demo: demo-packages $(VENV)/demo.stamp
	$(BIN)/earwitness demo

test: test-packages lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 4 --dist loadfile

soak: test-packages $(VENV)/dev.stamp
	$(BIN)/python -m pytest -m soak
	HYPOTHESIS_PROFILE=soak $(BIN)/python -m pytest tests/fuzz --timeout 3600
	$(BIN)/python -m benchmarks.soak

scale: test-packages $(VENV)/dev.stamp
	$(BIN)/python -m pytest -m scale
	$(BIN)/python -m benchmarks.archive
	$(BIN)/python -m benchmarks.archive_ray
	$(BIN)/python -m benchmarks.fleet

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

demo-packages:
	@sh .ci/debian-packages $(DEMO_PACKAGES)

test-packages:
	@sh .ci/debian-packages $(TEST_PACKAGES)

$(VENV)/demo.stamp: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "make: no virtual environment: install python3-venv" >&2; exit 2; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[web]'
	@touch $@

$(VENV)/dev.stamp: pyproject.toml $(VENV)/demo.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV) dist .ci/artefacts examples/street.wav examples/street.tsv .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
