"""The program that the commands are added to, and what happens to their errors."""

import os
import sys
from typing import Annotated

# One thread everywhere: the arrays are small, and a second thread would only spin. Before numpy is imported.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import typer  # noqa: E402

from sed.errors import EarwitnessError  # noqa: E402

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
