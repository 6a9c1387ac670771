"""Where a model is reached and with which key; how what came from there is made safe to keep."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from evolve.errors import EvolveEnvironmentError, UsageError
from evolve.llm.keys import LEAST_SECRET_LENGTH

if TYPE_CHECKING:
    import httpx2

NO_KEY = "none"
"""Sent where a server wants no key: an SDK that is given nothing would send the environment's key to it."""

_NAMES_A_SECRET = re.compile(r"key|token|secret|cookie|password|authori[sz]ation|\bauth\b", re.IGNORECASE)
_LOOKS_LIKE_KEY = re.compile(r"\b(?:sk|pk|rk)-[\w*.-]{8,}|(?<=Bearer )[\w*.~+/=-]{8,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One model at one address. Key and headers are in no text that this gives.

    `model` is what is sent, `name` what the user called it (empty: the same); an empty `base_url` is the provider's
    own address; an empty `effort` is not sent.
    """

    model: str
    name: str = ""
    api_key: str = field(default="", repr=False)
    base_url: str = ""
    effort: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def checked(self, *, key_variable: str) -> "Connection":
        """The same, ready for a client.

        Raises:
            UsageError: an address that is none, a key that no header can hold, no key for the provider's own address.
        """
        _check_address(self.base_url)
        key = self.api_key.strip()
        if not all("!" <= letter <= "~" for letter in key):
            raise UsageError(
                f"the API key of {self.name or self.model} holds characters that no HTTP header can carry",
                hint="Expected printable ASCII without spaces: copy the key again, without quotes or line breaks.",
            )
        if not key and not self.base_url:
            raise UsageError(
                f"no API key for {self.name or self.model}",
                hint=f"Set {key_variable} in the environment, or give the address of a server that needs no key.",
            )
        return replace(self, name=self.name or self.model, api_key=key or NO_KEY)

    def redact(self, text: str) -> str:
        """`text` without keys, as UTF-8 can hold it."""
        secrets = [value for name, value in self.headers.items() if _NAMES_A_SECRET.search(name)]
        for secret in (self.api_key, *secrets):
            if len(secret) >= LEAST_SECRET_LENGTH:
                text = text.replace(secret, "[hidden]")
        return encodable(text)

    def redact_error(self, text: str) -> str:
        """The same for what an error says, where also other keys may be quoted."""
        return _LOOKS_LIKE_KEY.sub("[hidden]", self.redact(text))


def _check_address(url: str) -> None:
    parts = urlsplit(url)
    if url and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise UsageError(
            f"the base URL {url} is no address", hint="Expected http:// or https://, such as http://localhost:8000/v1."
        )
    if parts.username or parts.password:
        raise UsageError(
            f"the base URL of {parts.hostname} holds a user name or password",
            hint="Addresses are logged: give the key in the environment instead.",
        )


def encodable(text: str) -> str:
    """`text` with lone surrogates replaced: JSON can carry them, UTF-8 and SQLite cannot."""
    return text.encode("utf-8", "replace").decode("utf-8")


def is_loopback(url: str) -> bool:
    """Whether an address is on this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def open_http(address: str) -> "httpx2.AsyncClient":
    """A client for one address.

    Proxies of the environment are for the world outside: a server on this machine is asked directly. A redirect is not
    followed, as it would carry prompt and key to an address that nobody chose. No response, an error least of all, is
    longer than a model's could be.

    Raises:
        EvolveEnvironmentError: the environment's proxy or certificates cannot be used.
    """
    import httpx2

    from evolve.llm.tail import bound

    is_local = is_loopback(address)
    try:
        return httpx2.AsyncClient(
            trust_env=not is_local,
            # Loading certificates takes longer than a local request, and plain HTTP without a proxy never uses them.
            verify=not (is_local and address.startswith("http:")),
            follow_redirects=False,
            headers={"accept-encoding": "identity"},
            event_hooks={"response": [bound]},
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=100),
        )
    except (ImportError, ValueError, OSError) as error:
        raise EvolveEnvironmentError(
            f"the proxy or the certificates that the environment names cannot be used: {error}",
            hint="See HTTPS_PROXY, ALL_PROXY, SSL_CERT_FILE and SSL_CERT_DIR; socks5:// needs the package socksio.",
        ) from error


def missing_sdk(package: str) -> EvolveEnvironmentError:
    """The error for a machine without a provider's SDK."""
    return EvolveEnvironmentError(
        f"the Python package {package} is not installed", hint="Install it with: pip install 'evolve-discovery[llm]'"
    )
