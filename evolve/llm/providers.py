"""Who answers: providers, and what a model string was read as."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from evolve.errors import UsageError

CLIENTS = ("anthropic", "responses", "chat")
LOCAL = ("fake", "scripted", "manual")
CHAT = "chat"
INSTALLED = "installed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Who answers: `client` is the wire format that it speaks, `price_list` its name in the package genai-prices.

    `base_url` empty means the client's own address; the environment variable `url_variable` replaces it.
    """

    name: str
    client: str
    base_url: str = ""
    prefixes: tuple[str, ...] = ()
    key_variables: tuple[str, ...] = ()
    url_variable: str = ""
    price_list: str = ""
    needs_key: bool = True
    effort: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """What a model string means. `name` is the string itself, `model` what is sent, a file or a folder."""

    name: str
    provider: Provider
    model: str
    base_url: str = ""

    @property
    def is_local(self) -> bool:
        """Whether no server answers: a fake, a script, a person."""
        return self.provider.client in LOCAL

    @property
    def identity(self) -> tuple[str, str, str]:
        """Equal for two strings that mean one model at one address."""
        return self.provider.name, self.base_url, self.model


def checked_url(url: str) -> str:
    """The address of a server, without a slash at its end.

    Raises:
        UsageError: it is no http address, or holds a password; the message does not repeat that one.
    """
    expected = "expected something like http://127.0.0.1:8000/v1"
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - reading it checks it
    except ValueError:
        raise UsageError(f"the address of a model's server cannot be read: {expected}") from None
    if parts.username or parts.password or parts.query or parts.fragment:
        raise UsageError(
            f"the address of a model's server holds more than an address: {expected}",
            hint="a key belongs in EVOLVE_API_KEY_CHAT, or in the file of keys",
        )
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f'the address of a model\'s server is "{url}": {expected}')
    return url.rstrip("/")
