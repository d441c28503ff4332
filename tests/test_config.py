"""The configuration: keys are a contract, and an error says where, which key, which rule, which value."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from sed.config import Config, MqttConfig, default_journal, default_node, load, merged_rules, overridden
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
    for name in ("EARWITNESS_MQTT_PASSWORD", "CREDENTIALS_DIRECTORY", "STATE_DIRECTORY", "XDG_STATE_HOME"):
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
    assert config.journal.path == default_journal()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('nod = "gate"', "nod: no such key, did you mean 'node'?"),
        ("zzz = 1", "zzz: no such key, known: journal, model, mqtt, node, rules, source"),
        (
            'node = "a/b"',
            "node: is a level of MQTT topics: should have characters, none of + # /, no $ first, got 'a/b'",
        ),
        ('node = ""', "node: is a level of MQTT topics: should have characters, none of + # /, no $ first, got ''"),
        ("model = 3", "model: should be a valid string, got 3"),
        ("source = 3", "source: should be a list of tables, got 3"),
        ("source = []", "source: should have at least one [[source]], got none"),
        ('[[source]]\nname = "#"', "source[0].name: is a level of MQTT topics: should have characters, none of + # /"),
        ('[[source]]\nurl = ""', "source[0].url: should have at least 1 character, got ''"),
        (
            '[[source]]\nurl = "rtps://me:geheim@host/1"',
            "source[0].url: should be mic: or mic:NAME, file:PATH, or - for standard input, got 'rtps'",
        ),
        ('[[source]]\nurl = "file:"', "source[0].url: should be mic: or mic:NAME, file:PATH, or - for standard input"),
        ('[[source]]\nname="a"\nurl="-"\n[[source]]\nname="b"\nurl="-"', "source: should be one at most that reads"),
        ("[[source]]\nchannel = -1", 'source[0].channel: should be a channel number from 0 on, or "mix", got -1'),
        ("[[source]]\nchannel = true", 'source[0].channel: should be a channel number from 0 on, or "mix", got True'),
        ('[[source]]\nchanel = "mix"', "source[0].chanel: no such key, did you mean 'channel'?"),
        ("[[source]]\ngain_db = 99", "source[0].gain_db: should be less than or equal to 60, got 99"),
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
