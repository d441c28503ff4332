"""Why a broker cannot be reached or used, in one line that says what to do."""

import socket
import ssl
from dataclasses import dataclass

from paho.mqtt.reasoncodes import ReasonCode

from sed.config import MqttConfig
from sed.errors import EarwitnessError


@dataclass(frozen=True, slots=True)
class Refusal:
    """`final` says that waiting does not help: somebody has to change something."""

    line: str
    final: bool = False


_CODES = {
    "Bad user name or password": "set mqtt.username and mqtt.password_file",
    "Not authorized": "set mqtt.username and mqtt.password_file, or allow this user in the broker's access list",
    "Bad authentication method": "set mqtt.username and mqtt.password_file",
    "Banned": "the broker's owner has banned this client",
    "Client identifier not valid": "set another mqtt.client_id",
    "Unsupported protocol version": 'set mqtt.protocol = "3.1.1"',
    "Session taken over": "does another client use the same id? Give each node its own name, or set mqtt.client_id",
}

_MISNAMED = {62, 64}  # X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH


def of_error(config: MqttConfig, error: Exception) -> Refusal:
    """Why no connection came about."""
    at = f"broker {config.host}:{config.port}"
    match error:
        case EarwitnessError():
            return Refusal(f"{at}: {error}", final=True)
        case socket.gaierror() | UnicodeError():
            return Refusal(f"{at}: its name cannot be resolved; check mqtt.url and the network")
        case ConnectionRefusedError():
            return Refusal(f"{at}: connection refused; is it running, and is the port right?")
        case ssl.SSLCertVerificationError():
            named = error.verify_code in _MISNAMED
            advice = "write mqtt.url with a name that is in its certificate" if named else "set mqtt.ca_file"
            return Refusal(f"{at}: TLS: {error.verify_message.rstrip('.')}; {advice}", final=True)
        case ConnectionResetError() if config.tls:
            return Refusal(f"{at}: TLS: hung up on; is this its TLS port? Without TLS write mqtt://")
        case ssl.SSLError():
            reason = (error.reason or str(error)).replace("_", " ").lower()
            return Refusal(f"{at}: TLS: {reason}; is this its TLS port? Without TLS write mqtt://", final=True)
        case TimeoutError():
            return Refusal(f"{at}: no answer; check the address and the firewall")
        case OSError():
            return Refusal(f"{at}: {(error.strerror or str(error)).lower()}; check mqtt.url and the network")
    return Refusal(f"{at}: {error}")


def of_code(config: MqttConfig, code: ReasonCode, about: str = "") -> Refusal:
    """Why the broker said no, or hung up."""
    name = code.getName()
    advice = f"; {_CODES[name]}" if name in _CODES else ""
    return Refusal(f"broker {config.host}:{config.port}: {name.lower()}{about}{advice}", final=name in _CODES)


def of_silence(config: MqttConfig) -> Refusal:
    """Something listens there, and does not answer as a broker would."""
    advice = "Does it want a certificate (mqtt.cert_file)?" if config.tls else "For TLS write mqtts://"
    at = f"broker {config.host}:{config.port}"
    return Refusal(f"{at}: does not answer as a broker would; is it one, on its right port? {advice}")


def of_loss(config: MqttConfig, again: bool) -> Refusal:
    """It was there, and is gone; `again` says that it goes as soon as it comes."""
    hint = f" again and again; {_CODES['Session taken over']}" if again else ""
    return Refusal(f"broker {config.host}:{config.port}: connection lost{hint}")
