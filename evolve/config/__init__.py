"""Problems and settings: what is evolved, how it is judged, and where every setting came from.

Import the parts by module (`evolve.config.problem`, `evolve.config.settings`): only the first needs pydantic.
"""
