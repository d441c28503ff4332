"""What anybody may send to `set`: obeyed, or refused in one line; what holds stays bounded and is a rule."""

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from sed.errors import UsageError
from sed.orders import Orders
from tests.fuzz.effort import fuzzed, one_line, spoilt
from tests.fuzz.memory import bounded
from tests.toy import metadata

LABELS = ("siren", "gun_shot")
NUMBERS = st.floats(0.0, 1.0) | st.floats() | st.integers() | st.text(max_size=3) | st.none()
COMMANDS = st.fixed_dictionaries(
    {"label": st.sampled_from([*LABELS, "*", "sirenn", ""]) | st.text(max_size=5)},
    optional={
        "enable": st.booleans() | NUMBERS,
        "threshold": NUMBERS,
        "cooldown": NUMBERS,
        "reset": st.booleans(),
        "x": NUMBERS,
    },
)
PAYLOADS = (
    COMMANDS.map(lambda command: json.dumps(command).encode())
    | spoilt(b'{"label": "siren", "threshold": 0.7, "cooldown": 10, "enable": true}')
    | st.binary(max_size=50)
    | st.recursive(st.none() | st.integers(), lambda inner: st.lists(inner, max_size=3), max_leaves=20).map(
        lambda v: json.dumps(v).encode()
    )
)


def taken(orders: Orders, payload: bytes) -> bool:
    try:
        orders.take("yard", payload)
    except UsageError as error:
        one_line(error)
        return False
    return True


def test_any_payloads(tmp_path: Path) -> None:
    @fuzzed(80)
    @given(st.lists(PAYLOADS, max_size=8))
    def obey(payloads: list[bytes]) -> None:
        path = tmp_path / "orders.json"
        path.unlink(missing_ok=True)
        orders = Orders(path, metadata(labels=LABELS).rules, ["yard"])
        for payload in payloads:
            taken(orders, payload)
            for rule in orders.rules("yard").values():
                type(rule).model_validate(rule.model_dump())
        orders.save()
        again = Orders(path, metadata(labels=LABELS).rules, ["yard"])
        assert again.rules("yard") == orders.rules("yard")
        assert not path.exists() or path.stat().st_size < 2_000

    obey()


def test_a_file_of_orders_that_was_spoilt(tmp_path: Path) -> None:
    path = tmp_path / "orders.json"
    orders = Orders(path, metadata(labels=LABELS).rules, ["yard"])
    assert taken(orders, b'{"label": "siren", "threshold": 0.7, "cooldown": 10}')
    orders.save()
    whole = path.read_bytes()

    @fuzzed(200)
    @given(spoilt(whole))
    def read(data: bytes) -> None:
        path.write_bytes(data)
        read = Orders(path, metadata(labels=LABELS).rules, ["yard"])
        for rule in read.rules("yard").values():
            type(rule).model_validate(rule.model_dump())

    read()


BOMBS = """[b"[" * 1_000, b"[" * 100_000_000, b'{"label":' * 110, b"1" * 1_000, b"1e999999999", b"\\xff" * 50]"""


def test_bombs(tmp_path: Path) -> None:
    """Nested, huge and endless JSON."""
    imports = (
        "from pathlib import Path\nfrom sed.orders import Orders\nfrom tests.fuzz.test_commands import metadata, taken"
    )
    orders = f"Orders(Path({str(tmp_path / 'orders.json')!r}), metadata().rules, ['yard'])"
    told = bounded(imports, f"orders = {orders}\nprint([taken(orders, bomb) for bomb in {BOMBS}])")
    assert told.strip() == str([False] * 6)
