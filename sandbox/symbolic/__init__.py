"""The symbolic language: vocabulary, parser, renderer, canonical form and compiled interpreter."""
