"""`[mqtt]`: the broker to tell."""

import os
from pathlib import Path
from typing import Literal, Self
from urllib.parse import unquote, urlsplit

from pydantic import Field, PrivateAttr, SecretStr, ValidationInfo, model_validator

from sed.config.secret import read_secret, secret_path
from sed.metadata import Settings
from sed.values import PASSWORD_VARIABLE, Age, BrokerUrl, FilePath, TopicLevel


class MqttConfig(Settings):
    """The broker to tell. No secret is part of `repr` or of an error."""

    url: BrokerUrl
    username: str | None = None
    password: SecretStr | None = None
    password_file: Path | None = None
    prefix: TopicLevel = "earwitness"
    protocol: Literal["5", "3.1.1"] = "5"
    ca_file: FilePath | None = None
    cert_file: FilePath | None = None
    key_file: FilePath | None = None
    client_id: str | None = Field(None, min_length=1, max_length=128)
    keep_alive: int = Field(30, ge=5, le=3_600, description="seconds")
    discovery: bool = True
    discovery_prefix: TopicLevel = "homeassistant"
    max_age: Age = 7 * 86_400.0
    _folder: Path = PrivateAttr(default=Path())

    @model_validator(mode="after")
    def _together(self, info: ValidationInfo) -> Self:
        if self.password is not None and self.password_file is not None:
            raise ValueError("password and password_file exclude each other")
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file go together")
        if (self.ca_file or self.cert_file) and not self.tls:
            raise ValueError("ca_file and cert_file are for mqtts:// URLs")
        self._folder = (info.context or {}).get("folder", Path())
        return self

    @property
    def host(self) -> str:
        """The broker's name or address."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """The broker's port."""
        return urlsplit(self.url).port or (8883 if self.tls else 1883)

    @property
    def tls(self) -> bool:
        """Whether the connection is encrypted."""
        return urlsplit(self.url).scheme == "mqtts"

    @property
    def user(self) -> str | None:
        """The user's name, from its own key or from the URL."""
        return self.username or unquote(urlsplit(self.url).username or "") or None

    def secret(self) -> str | None:
        """The password: from the environment, else a file, else the configuration. Raises ConfigError."""
        if PASSWORD_VARIABLE in os.environ:
            return os.environ[PASSWORD_VARIABLE]
        if self.password_file is not None:
            return read_secret("mqtt.password_file", self.secret_path(self.password_file))
        return self.password.get_secret_value() if self.password is not None else None

    def secret_path(self, path: Path) -> Path:
        """A bare name is one of systemd's credentials where there are any."""
        return secret_path(path, self._folder)
