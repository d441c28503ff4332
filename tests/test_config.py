"""The configuration: keys are a contract, and an error says where, which key, which rule, which value."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from sed.config import (
    Config,
    FleetConfig,
    HttpConfig,
    MetricsConfig,
    MqttConfig,
    SourceConfig,
    ZmqConfig,
    default_journal,
    default_node,
    load,
    merged_rules,
    overridden,
)
from sed.errors import ConfigError
from sed.metadata import FrontendSettings, Metadata, Rule

WHOLE = """
node = "gate"
model = "earwitness-1"

[[source]]
name = "yard"
url = "mic:USB Audio"
channel = "mix"
gain_db = 6

[[source]]
name = "street"
url = "file:street.wav"
channel = 1

[rules.glass_break]
on = 0.8
off = 0.5
min_duration = 0.08
max_gap = 0.4
cooldown = 5.0
median = 3
alert = true

[mqtt]
url = "mqtts://gate@broker:8884"
username = "yard"
password_file = "secret"
prefix = "home"
protocol = "3.1.1"
ca_file = "ca.pem"
cert_file = "/etc/earwitness/cert.pem"
key_file = "~/key.pem"
client_id = "gate-1"
keep_alive = 60
max_age = "2d"

[journal]
path = "journal.db"
max_age = "12h"
max_size = "2GB"
"""
MODEL = Metadata(
    name="toy",
    version="1",
    labels=("siren", "glass_break"),
    frontend=FrontendSettings(),
    rules={"siren": Rule(on=0.6, off=0.3), "glass_break": Rule()},
    licence="MIT",
)


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    passwords = ("EARWITNESS_MQTT_PASSWORD", "EARWITNESS_DATABASE_PASSWORD")
    for name in (*passwords, "CREDENTIALS_DIRECTORY", "STATE_DIRECTORY", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "gate.toml"


def test_every_key(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    file.write_text(WHOLE)
    (file.parent / "secret").write_text("geheim\n")
    config = load(file)
    assert (config.node, config.model, config.file) == ("gate", "earwitness-1", file)
    assert [(s.name, s.url, s.channel, s.gain_db) for s in config.source] == [
        ("yard", "mic:USB Audio", "mix", 6.0),
        ("street", "file:street.wav", 1, 0.0),
    ]
    assert [(s.kind, s.rest) for s in config.source] == [("mic", "USB Audio"), ("file", "street.wav")]
    assert config.source[1].path == file.parent / "street.wav"
    assert merged_rules(config, MODEL)["glass_break"] == Rule(
        on=0.8, off=0.5, min_duration=0.08, max_gap=0.4, cooldown=5.0, median=3, alert=True
    )
    mqtt = config.mqtt
    assert mqtt is not None
    assert (mqtt.host, mqtt.port, mqtt.tls, mqtt.user, mqtt.secret()) == ("broker", 8884, True, "yard", "geheim")
    assert (mqtt.prefix, mqtt.protocol, mqtt.client_id, mqtt.keep_alive) == ("home", "3.1.1", "gate-1", 60)
    assert (mqtt.ca_file, mqtt.cert_file) == (file.parent / "ca.pem", Path("/etc/earwitness/cert.pem"))
    assert mqtt.key_file == Path("/home/someone/key.pem")
    assert mqtt.max_age == 172_800
    assert (config.journal.path, config.journal.max_age) == (file.parent / "journal.db", 43_200)
    assert config.journal.max_size == 2_000_000_000


def test_no_key_at_all(file: Path) -> None:
    file.write_text("")
    config = load(file)
    assert config.model_dump() == Config().model_dump()
    assert (config.node, config.mqtt) == (default_node(), None)
    assert [(source.name, source.url, source.channel) for source in config.source] == [("mic", "mic:", 0)]
    assert config.metrics is None
    assert config.journal.path == default_journal()
    assert (config.clips.enabled, config.clips_folder) == (False, default_journal().parent / "clips")
    assert config.may_keep_audio


CLIPS = """
[clips]
enabled = true
path = "recordings"
pre = 1.5
post = 2
max_length = 30
max_age = "2d"
max_size = "200MB"
labels = ["siren"]
"""


def test_clips_lie_beside_the_config_or_the_journal(file: Path) -> None:
    file.write_text(CLIPS)
    clips = load(file).clips
    assert (clips.enabled, clips.pre, clips.post, clips.max_length) == (True, 1.5, 2.0, 30.0)
    assert (clips.max_age, clips.max_size, clips.labels) == (2 * 86_400.0, 200_000_000, ("siren",))
    assert load(file).clips_folder == file.parent / "recordings"
    file.write_text('[journal]\npath = "state/journal.db"')
    assert load(file).clips_folder == file.parent / "state" / "clips"


def test_privacy_forbids_clips_and_says_so_to_whoever_asks(file: Path) -> None:
    file.write_text("[privacy]\naudio = false")
    assert not load(file).may_keep_audio
    file.write_text(f"{CLIPS}[privacy]\naudio = false")
    complaint = "clips.enabled: should be false where privacy.audio = false forbids it, got true"
    with pytest.raises(ConfigError, match=f"^{file}: {complaint}$"):
        load(file)


def test_zmq_is_for_this_computer_unless_keys_say_who_may_listen(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def found(text: str) -> ZmqConfig:
        file.write_text(f"[zmq]\n{text}")
        zmq = overridden(load(file), node="other").zmq
        assert zmq is not None
        return zmq

    assert found("").publish is None
    for here in ("tcp://127.0.0.1:5556", "tcp://[::1]:5556", "tcp://localhost:5556", "tcp://127.1.2.3:1"):
        assert (found(f'publish = "{here}"').publish, found("").key_files) == (here, None)
    assert found('publish = "ipc://run/ear"').publish == f"ipc://{file.parent}/run/ear"
    for out in ("tcp://*:5556", "tcp://0.0.0.0:5556", "tcp://[::]:5556", "tcp://eth0:5556", "tcp://192.168.1.2:5556"):
        with pytest.raises(
            ConfigError, match=f"^{file}: zmq: publish = '.*' is open to other computers: it needs secret_"
        ):
            found(f'publish = "{out}"')
        zmq = found(f'publish = "{out}"\nsecret_key_file = "gate.key"\nallowed_keys = "friends"')
        assert (zmq.publish, zmq.key_files) == (out, (file.parent / "gate.key", file.parent / "friends"))
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials")
    assert zmq.key_files == (Path("/run/credentials/gate.key"), file.parent / "friends")


def test_metrics_are_for_this_computer_unless_told_otherwise(file: Path) -> None:
    file.write_text("[metrics]")
    assert load(file).metrics == MetricsConfig(port=9464, address="127.0.0.1")
    file.write_text('[metrics]\nport = 9999\naddress = "::"')
    everybody = load(file).metrics
    assert everybody == MetricsConfig(port=9999, address="::")
    assert (everybody.place, MetricsConfig().place) == ("[::]:9999", "127.0.0.1:9464")


def test_the_page_is_for_this_computer_unless_there_is_a_token(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def found(text: str) -> HttpConfig:
        file.write_text(f"[http]\n{text}")
        http = load(file).http
        assert http is not None
        return http

    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    assert found("").place == "127.0.0.1:8095"
    assert found("").token() is None
    for here in ("127.0.0.2", "::1"):
        assert found(f'address = "{here}"').stays_here
    everybody = found('address = "0.0.0.0"\ntoken_file = "token"\nhosts = ["Gate.example"]')
    assert (everybody.hosts, everybody.stays_here) == (("gate.example",), False)
    for text, line in (
        (None, "http.token_file: .*token: no such file or directory; make it readable for this user"),
        ("short", "http.token_file: .*token: should hold one word of at least 12 ASCII characters; 'openssl rand"),
        ("two words are no token", "http.token_file: .*: should hold one word"),
        ("unerhört-geheim", "http.token_file: .*: should hold one word"),
    ):
        if text is not None:
            (file.parent / "token").write_text(text)
        with pytest.raises(ConfigError, match=line):
            everybody.token()
    (file.parent / "token").write_text("correct-horse-battery\n")
    assert everybody.token() == "correct-horse-battery"
    assert "correct" not in repr(everybody)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('nod = "gate"', "nod: no such key, did you mean 'node'?"),
        (
            "zzz = 1",
            "zzz: no such key, known: clips, fleet, http, journal, metrics, model, mqtt, node, privacy, rules, source, "
            "zmq",
        ),
        (
            'node = "a/b"',
            "node: is a level of MQTT topics: should have characters, none of + # /, no $ first, got 'a/b'",
        ),
        ('node = ""', "node: is a level of MQTT topics: should have characters, none of + # /, no $ first, got ''"),
        ("model = 3", "model: should be a valid string, got 3"),
        ('[clips]\nlabels = "siren"', "clips.labels: should be a list such as [\"siren\"], got 'siren'"),
        ("[clips]\npre = 9", "clips.pre: should be less than or equal to 5, got 9"),
        (
            "[clips]\nmax_length = 5",
            "clips: max_length should be more than pre + post, got max_length=5, pre=2, post=3",
        ),
        ("[clips]\nmax_sice = 5", "clips.max_sice: no such key, did you mean 'max_size'?"),
        ("[privacy]\nadio = false", "privacy.adio: no such key, did you mean 'audio'?"),
        ("[fleet]\nkepp = '7d'", "fleet.kepp: no such key, did you mean 'keep'?"),
        ("[fleet]\nkeep = '7'", 'fleet.keep: should be an age such as "12h" or "30d", got \'7\''),
        ("[fleet]\nkeep = '9999999d'", "fleet.keep: should be less than or equal to 3155760000, got"),
        ("[fleet]\nsession = '5s'", "fleet.session: should be greater than or equal to 60, got 5"),
        ("[fleet]\ngroup = 'a/b'", "fleet.group: is a level of MQTT topics: should have characters, none of"),
        (
            "[fleet]\ndatabase = 'fleet.db'",
            "fleet.database: should be sqlite:///PATH or postgresql://USER@HOST[:PORT]/NAME",
        ),
        ("[fleet]\ndatabase = 'mysql://h/f'", "fleet.database: should be sqlite:///PATH or postgresql://USER@HOST"),
        ("[fleet]\ndatabase = 'postgresql://u:geheim@h/f'", "fleet.database: no password in the URL, please: use "),
        (
            "[fleet]\ndatabase = 'postgresql://host'",
            "fleet.database: should be sqlite:///PATH or postgresql://USER@HOST",
        ),
        (
            '[http]\naddress = "0.0.0.0"',
            "http: address = '0.0.0.0' is open to other computers: it needs token_file, a file with a long random word "
            "such as 'openssl rand -hex 16' makes; or listen at 127.0.0.1",
        ),
        ('[http]\ntoken = "geheim"', "http.token: no such key, did you mean 'token_file'?"),
        ('[http]\nhosts = ["http://gate"]', "http.hosts[0]: should be a name without a port, such as "),
        ("[metrics]\nport = 0", "metrics.port: should be greater than or equal to 1, got 0"),
        (
            '[metrics]\naddress = "gate"',
            'metrics.address: should be an IP address of this computer, such as "127.0.0.1", or "0.0.0.0" for all, '
            "got 'gate'",
        ),
        ('[metrics]\nadress = "::1"', "metrics.adress: no such key, did you mean 'address'?"),
        ('[zmq]\nallowed_keys = "a"', "zmq: secret_key_file and allowed_keys go together"),
        (
            '[zmq]\npublish = "tcp://127.0.0.1"',
            "zmq.publish: should be tcp://ADDRESS:PORT, such as tcp://127.0.0.1:5556, ",
        ),
        ('[zmq]\npublish = "tcp://127.0.0.1:99999"', "zmq.publish: should be tcp://ADDRESS:PORT"),
        ('[zmq]\npublish = "ipc://"', "zmq.publish: should be tcp://ADDRESS:PORT"),
        (f'[zmq]\npublish = "ipc:///{"a" * 100}"', "zmq.publish: should be a path of at most 100 bytes, got "),
        ('[zmq]\npublsh = "ipc://a"', "zmq.publsh: no such key, did you mean 'publish'?"),
        ("source = 3", "source: should be a list of tables, got 3"),
        ("source = []", "source: should have at least one [[source]], got none"),
        ('[[source]]\nname = "#"', "source[0].name: is a level of MQTT topics: should have characters, none of + # /"),
        ('[[source]]\nurl = ""', "source[0].url: should have at least 1 character, got ''"),
        (
            '[[source]]\nurl = "rtps://me:geheim@host/1"',
            "or - for standard input, got 'rtps'",
        ),
        ('[[source]]\nurl = "file:"', "source[0].url: should be mic: or mic:NAME, file:PATH, rtsp://"),
        (
            '[[source]]\nurl = "rtsp://me:p#w@camera/1"',
            "source[0].url: should be rtsp://[USER[:PASSWORD]@]HOST[:PORT][/PATH]; in a user or password @ is written",
        ),
        (
            '[[source]]\nurl = "https:///x"',
            "source[0].url: should be https://[USER[:PASSWORD]@]HOST[:PORT][/PATH]; in a ",
        ),
        (
            '[[source]]\nurl = "rtsp://camera"\npassword_file = "x"',
            "source[0]: password_file needs a user in the URL: rtsp://USER@HOST/...",
        ),
        (
            '[[source]]\nurl = "rtsp://me:pw@camera"\npassword_file = "x"',
            "source[0]: a password in the URL and password_file exclude each other",
        ),
        (
            '[[source]]\nurl = "rtsp://me@camera"\npassword_file = "nope"',
            "source mic: password_file: ",
        ),
        ('[[source]]\nca_file = "x"', "source[0]: ca_file is for https:// and rtsps:// URLs"),
        ('[source]\nname = "a"', "source: should be a list of tables, got a table"),
        ('[[source]]\nname="a"\nurl="-"\n[[source]]\nname="b"\nurl="-"', "source: should be one at most that reads"),
        ("[[source]]\nchannel = -1", 'source[0].channel: should be a channel number from 0 on, or "mix", got -1'),
        ("[[source]]\nchannel = true", 'source[0].channel: should be a channel number from 0 on, or "mix", got True'),
        ('[[source]]\nchanel = "mix"', "source[0].chanel: no such key, did you mean 'channel'?"),
        ("[[source]]\ngain_db = 99", "source[0].gain_db: should be less than or equal to 60, got 99"),
        *(
            (
                f'[[source]]\nurl = "zmq+tcp://{place}"',
                "source[0].url: should be zmq+tcp://ADDRESS:PORT[/SATELLITE], with",
            )
            for place in ("box.lan:5557", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:70000", "1.2.3:1", "127.0.0.1:1/a/b")
        ),
        (
            '[[source]]\nurl = "zmq+tcp://127.0.0.1:5557"\nchannel = 1',
            "source[0]: channel: a satellite sends one only, chosen there with --channel; got 1",
        ),
        (
            '[[source]]\nname = "gate"\nurl = "zmq+tcp://0.0.0.0:5557"',
            "source gate: tcp://0.0.0.0:5557 is open to other computers: it needs secret_key_file and allowed_keys in",
        ),
        (
            '[[source]]\nname="a"\nurl="zmq+tcp://127.0.0.1:1/gate"\n[[source]]\nname="gate"\nurl="zmq+tcp://127.0.0.1:1"',
            "source: should each have a satellite of its own, got 'gate' twice",
        ),
        (
            '[privacy]\naudio = false\n[[source]]\nname = "gate"\nurl = "zmq+tcp://127.0.0.1:5557"',
            "source gate: sound of a satellite, which privacy.audio = false forbids",
        ),
        ('[[source]]\nname="a"\n[[source]]\nname="a"', "source: should each have a name of its own, got 'a' twice"),
        ("[rules.siren]\non = 1.5", "rules.siren.on: should be less than or equal to 1, got 1.5"),
        ("[rules.siren]\non = nan", "rules.siren.on: should be a finite number, got nan"),
        ("[rules.siren]\ncooldwn = 1", "rules.siren.cooldwn: no such key, did you mean 'cooldown'?"),
        ("[rules.siren]\nmin_duration = -1", "rules.siren.min_duration: should be greater than or equal to 0, got -1"),
        ("rules = [1]", "rules: should be a table, got [1]"),
        ("[mqtt]\nprefix = 'x'", "mqtt.url: missing"),
        ("mqtt = 'mqtt://h'", "mqtt: should be a table, got 'mqtt://h'"),
        ("[mqtt]\nurl = 'h'", "mqtt.url: should be mqtt://[USER@]HOST[:PORT], or mqtts:// for TLS, got 'h'"),
        ("[mqtt]\nurl = 'http://h'", "mqtt.url: should be mqtt://[USER@]HOST[:PORT], or mqtts:// for TLS"),
        ("[mqtt]\nurl = 'mqtt://h:99999'", "mqtt.url: should be mqtt://[USER@]HOST[:PORT], or mqtts:// for TLS"),
        ("[mqtt]\nurl = 'mqtt://h/topic'", "mqtt.url: should be mqtt://[USER@]HOST[:PORT], or mqtts:// for TLS"),
        ("[mqtt]\nurl = 'mqtt://h'\nprefix = 'a+'", "mqtt.prefix: is a level of MQTT topics"),
        ("[mqtt]\nurl = 'mqtt://h'\nprotocol = 5", "mqtt.protocol: should be '5' or '3.1.1', got 5"),
        ("[mqtt]\nurl = 'mqtt://h'\nca_file = 'x'", "mqtt: ca_file and cert_file are for mqtts:// URLs"),
        ("[mqtt]\nurl = 'mqtts://h'\ncert_file = 'x'", "mqtt: cert_file and key_file go together"),
        (
            "[mqtt]\nurl = 'mqtt://h'\npassword_file = 'nope'",
            "no such file or directory; make it readable for this user",
        ),
        ("[mqtt]\nurl = 'mqtt://h'\nkeep_alive = 1", "mqtt.keep_alive: should be greater than or equal to 5, got 1"),
        ("[journal]\nmax_age = '30 days'", 'journal.max_age: should be an age such as "12h" or "30d", got \'30 days\''),
        ("[journal]\nmax_age = 0", "journal.max_age: should be greater than 0, got 0"),
        ("[journal]\nmax_size = '5'", 'journal.max_size: should be a size such as "500MB" or "2GB", got \'5\''),
        ("[journal]\nmax_size = 5", "journal.max_size: should be greater than or equal to 100000, got 5"),
        ("node = ", "not TOML: Invalid value (at end of document)"),
        ("node = 'a'\nnode = 'b'\n", "not TOML: Cannot overwrite a value (at line 2, column 11)"),
    ],
)
def test_what_is_wrong_is_one_line(file: Path, text: str, line: str) -> None:
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(file)
    told = str(caught.value)
    assert told.startswith(f"{file}: ")
    assert line in told
    assert "\n" not in told
    assert caught.value.exit_code == 2


def test_several_errors_are_several_lines(file: Path) -> None:
    file.write_text('nod = "gate"\n[rules.siren]\non = 1.5\n')
    with pytest.raises(ConfigError) as caught:
        load(file)
    assert str(caught.value).split("\n") == [
        f"{file}: rules.siren.on: should be less than or equal to 1, got 1.5",
        f"{file}: nod: no such key, did you mean 'node'?",
    ]


def test_a_file_that_is_not_there_or_not_a_file_or_not_text(file: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gate.toml: no such file or directory; name a readable TOML file"):
        load(file)
    with pytest.raises(ConfigError, match="is a directory; name a readable TOML file"):
        load(tmp_path)
    file.write_bytes(b"node = '\xff'")
    with pytest.raises(ConfigError, match="not TOML: 'utf-8' codec can't decode"):
        load(file)


@pytest.mark.parametrize(
    "text",
    [
        "[mqtt]\nurl = 'mqtt://gate:geheim@h'",
        "[mqtt]\nurl = 'mqtt://gate:geheim@h:99999'",
        "[mqtt]\nurl = 'http://gate:geheim@h'",
        "[mqtt]\nurl = 'mqtt://h'\npassword = ['geheim']",
        "[mqtt]\nurl = 'mqtt://h'\npassword = 'geheim'\npassword_file = 'x'",
        "[mqtt]\nurl = 'mqtt://h'\npassword = 'geheim'\ncert_file = 'x'",
        "[mqtt]\nurl = 'mqtt://h'\npassword = 'geheim'\nport = 5",
        "[[mqtt]]\nurl = 'mqtt://h'\npassword = 'geheim'",
        "mqtt = 'mqtt://gate:geheim@h'",
    ],
)
def test_no_error_shows_a_secret(file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(file)
    assert "geheim" not in str(caught.value)
    assert "mqtt" in str(caught.value)


def test_no_repr_shows_a_secret() -> None:
    mqtt = MqttConfig(url="mqtt://h", password=SecretStr("geheim"))
    assert mqtt.secret() == "geheim"
    assert "geheim" not in f"{mqtt!r} {mqtt} {Config(mqtt=mqtt)!r} {mqtt.model_dump()} {mqtt.model_dump_json()}"


@pytest.mark.parametrize(
    "text",
    [
        "[source]\nurl = 'rtsp://me:geheim@camera/1'",
        "source = 'rtsp://me:geheim@camera/1'",
        "[[source]]\nurl = 'rtsp://me:geheim@camera:99999/1'",
        "[[source]]\nurl = 'rtsp://me:geheim@camera/a b'",
        "[[source]]\nurl = 'http://me:geheim@/'",
        "[[source]]\nurl = 'rtsp://me:geheim@camera'\npassword_file = 'x'",
        "[[source]]\nurl = 'rtsp://me:geheim@camera'\nchannel = -1",
    ],
)
def test_no_error_shows_the_password_of_a_camera(file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(ConfigError, match="source") as caught:
        load(file)
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtsp://me:geheim@camera:8554/stream1?token=geheim", "rtsp://camera:8554/..."),
        ("rtsp://camera/user=me_password=geheim_channel=1", "rtsp://camera/..."),
        ("http://[fe80::1]:8000", "http://[fe80::1]:8000"),
        ("mic:USB Audio", "mic:USB Audio"),
    ],
)
def test_of_a_stream_only_the_host_is_shown(url: str, shown: str) -> None:
    source = SourceConfig(name="yard", url=url)
    assert (source.shown, source.address()) == (shown, url)
    config = Config(source=(source,))
    assert "geheim" not in f"{source!r} {source} {config!r} {config}"
    assert shown in repr(source)


def test_where_a_satellite_comes_to_and_what_it_calls_itself() -> None:
    local = SourceConfig(name="gate", url="zmq+tcp://localhost:5557")
    other = SourceConfig(name="yard", url="zmq+tcp://[::]:5557/roof")
    assert [(s.endpoint, s.satellite, s.shown) for s in (local, other)] == [
        ("tcp://127.0.0.1:5557", "gate", "zmq+tcp://localhost:5557"),
        ("tcp://[::]:5557", "roof", "zmq+tcp://[::]:5557/roof"),
    ]


def test_a_password_file_of_a_camera(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (file.parent / "secret").write_text("p@ss/w:rd\n")
    file.write_text("[[source]]\nurl = 'rtsp://me@camera:554/1?x=2'\npassword_file = 'secret'")
    config = overridden(load(file), node="other")
    assert config.source[0].address() == "rtsp://me:p%40ss%2Fw%3Ard@camera:554/1?x=2"
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(file.parent / "credentials"))
    (file.parent / "credentials").mkdir()
    (file.parent / "credentials" / "secret").write_text("from systemd")
    assert config.source[0].address() == "rtsp://me:from%20systemd@camera:554/1?x=2"


def test_where_the_password_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "inline").write_text("from the file\r\n")
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "inline").write_text("from systemd")
    mqtt = MqttConfig.model_validate({"url": "mqtt://h", "password_file": "inline"}, context={"folder": tmp_path})
    assert mqtt.secret() == "from the file"
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    assert mqtt.secret() == "from systemd"
    monkeypatch.setenv("EARWITNESS_MQTT_PASSWORD", "from the environment")
    assert mqtt.secret() == "from the environment"


def test_a_fleets_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/earwitness")
    assert FleetConfig().database == "sqlite:////var/lib/earwitness/fleet.db"
    assert (FleetConfig().secret(), FleetConfig().session, FleetConfig().keep) == (None, 7 * 86_400.0, None)
    context = {"folder": tmp_path}
    beside = FleetConfig.model_validate({"database": "sqlite:///fleet.db", "password_file": "db"}, context=context)
    assert beside.database == f"sqlite:///{tmp_path}/fleet.db"
    absolute = FleetConfig.model_validate({"database": "sqlite:////srv/fleet.db"}, context=context)
    assert absolute.database == "sqlite:////srv/fleet.db"
    with pytest.raises(ConfigError, match=r"fleet.password_file: .*/db: no such file or directory; make it readable"):
        beside.secret()
    (tmp_path / "db").write_text("from the file\n")
    assert beside.secret() == "from the file"
    monkeypatch.setenv("EARWITNESS_DATABASE_PASSWORD", "from the environment")
    assert beside.secret() == "from the environment"


def test_the_command_line_goes_over_the_table_of_a_fleet(file: Path) -> None:
    file.write_text("[fleet]\nkeep = '7d'\ngroup = 'gatherers'\n")
    config = overridden(load(file), mqtt_url="mqtt://h", tables={"fleet": {"keep": "2d"}})
    assert (config.fleet.keep, config.fleet.group) == (172_800.0, "gatherers")
    with pytest.raises(ConfigError, match=r"^command line: fleet.keep: should be an age"):
        overridden(Config(), tables={"fleet": {"keep": "long"}})


def test_the_user_may_stand_in_the_url() -> None:
    assert MqttConfig(url="mqtt://car%20park@h").user == "car park"
    assert MqttConfig(url="mqtt://h").user is None
    assert MqttConfig(url="mqtt://[::1]").host == "::1"
    assert [MqttConfig(url=url).port for url in ("mqtt://h", "mqtts://h", "mqtt://h:1")] == [1883, 8883, 1]


def test_where_the_journal_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    assert default_journal() == Path("/home/someone/.local/state/earwitness/journal.db")
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert default_journal() == Path("/state/earwitness/journal.db")
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/earwitness:/var/lib/more")
    assert default_journal() == Path("/var/lib/earwitness/journal.db")


@pytest.mark.parametrize(
    ("host", "node"), [("gate", "gate"), ("gate.local", "gate"), ("ga/te#1", "ga-te-1"), ("", "earwitness")]
)
def test_the_node_is_the_host(host: str, node: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: host)
    assert Config().node == node


def test_rules_keep_what_is_not_given() -> None:
    config = overridden(Config(), rules=["siren.on=0.7", "siren.alert=false"])
    rules = merged_rules(config, MODEL)
    assert rules == {"siren": Rule(on=0.7, off=0.3, alert=False), "glass_break": Rule()}


@pytest.mark.parametrize(
    ("rules", "line"),
    [
        (["glass_brake.on=0.5"], "rules.glass_brake: no such label in toy, did you mean 'glass_break'?"),
        (["dog.on=0.5"], "rules.dog: no such label in toy, known: glass_break, siren"),
        (
            ["glass_break.off=0.8", "glass_break.on=0.5"],
            "rules.glass_break: need 0 <= off <= on <= 1, got off=0.8, on=0.5",
        ),
        (["siren.on=0.2"], "rules.siren: need 0 <= off <= on <= 1, got off=0.3, on=0.2 (off is the model's)"),
        (["siren.median=2"], "rules.siren: need an odd number of rows, got median=2"),
    ],
)
def test_rules_that_do_not_fit_the_model(rules: list[str], line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        merged_rules(overridden(Config(), rules=rules), MODEL)
    assert str(caught.value) == line


def test_rules_that_do_not_fit_name_the_file(file: Path) -> None:
    file.write_text("[rules.dog]\non = 0.5\n[rules.siren]\non = 0.1\n")
    with pytest.raises(ConfigError) as caught:
        merged_rules(load(file), MODEL)
    assert [line.split(": ")[:2] for line in str(caught.value).split("\n")] == [
        [str(file), "rules.dog"],
        [str(file), "rules.siren"],
    ]


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        ("siren.on=1.5", "command line: rules.siren.on: should be less than or equal to 1, got 1.5"),
        ("siren.onn=0.5", "command line: rules.siren.onn: no such key, did you mean 'on'?"),
        ("siren=0.5", "command line: siren=0.5: should be LABEL.KEY=VALUE, as siren.on=0.7"),
        ("siren.on=high", "command line: siren.on=high: should be LABEL.KEY=VALUE, as siren.on=0.7"),
    ],
)
def test_a_wrong_rule_on_the_command_line(rule: str, line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        overridden(Config(), rules=[rule])
    assert str(caught.value) == line


def test_the_command_line_goes_over_the_file(file: Path) -> None:
    file.write_text("[rules.siren]\non = 0.9\noff = 0.2\n[mqtt]\nurl = 'mqtt://h'\nprefix = 'home'\npassword = 'x'\n")
    config = overridden(load(file), model="other", rules=["siren.on=0.5"], mqtt_url="mqtt://g")
    assert (config.model, config.file) == ("other", file)
    assert merged_rules(config, MODEL)["siren"] == Rule(on=0.5, off=0.2)
    assert config.mqtt is not None
    assert (config.mqtt.host, config.mqtt.prefix, config.mqtt.secret()) == ("g", "home", "x")
    assert overridden(load(file)) == load(file)
