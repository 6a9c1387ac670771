"""Models from other packages: entry points of the group `evolve.models`, asked for as `PROVIDER:NAME`.

An entry point is called `make(model, name=..., api_key=..., base_url=...)` and gives a `LanguageModel`; `name` is what
the model has to call itself, the key and the address may be empty.
"""

from importlib import metadata

from evolve.errors import EvolveEnvironmentError
from evolve.llm.contract import LanguageModel
from evolve.llm.keys import Key
from evolve.llm.providers import INSTALLED, ModelSpec, Provider

MODEL_GROUP = "evolve.models"


def installed_providers() -> dict[str, Provider]:
    """A provider for every entry point."""
    names = sorted(metadata.entry_points(group=MODEL_GROUP).names)
    return {name: Provider(name=name, client=INSTALLED, needs_key=False) for name in names}


def open_installed(spec: ModelSpec, key: Key | None) -> LanguageModel:
    """The model that another package makes.

    Raises:
        EvolveEnvironmentError: the package cannot be loaded, or its model has another name.
    """
    entry_point = metadata.entry_points(group=MODEL_GROUP)[spec.provider.name]
    try:
        make = entry_point.load()
    except (ImportError, AttributeError) as error:
        raise EvolveEnvironmentError(
            f'the provider "{spec.provider.name}" cannot be loaded from {entry_point.value}: {error}',
            hint="install its package anew, or remove it",
        ) from error
    model: LanguageModel = make(
        spec.model, name=spec.name, api_key="" if key is None else key.reveal(), base_url=spec.base_url
    )
    if model.name != spec.name:
        raise EvolveEnvironmentError(
            f'the provider "{spec.provider.name}" gave a model called "{model.name}", expected "{spec.name}"',
            hint=f"report it to the authors of {entry_point.value}",
        )
    return model
