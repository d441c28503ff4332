"""Where a server of ours listens."""

from ipaddress import ip_address

from pydantic import field_validator

from sed.metadata import Settings


class Place(Settings):
    """A port of this computer, at an address that nobody else can reach unless it is set otherwise."""

    port: int
    address: str = "127.0.0.1"

    @field_validator("address")
    @classmethod
    def _numeric(cls, value: str) -> str:
        try:
            return str(ip_address(value))
        except ValueError as error:
            raise ValueError(
                f'should be an IP address of this computer, such as "127.0.0.1", or "0.0.0.0" for all, got {value!r}'
            ) from error

    @property
    def place(self) -> str:
        """As in a URL: `127.0.0.1:9464`."""
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"

    @property
    def stays_here(self) -> bool:
        """Whether only this computer can reach it."""
        return ip_address(self.address).is_loopback
