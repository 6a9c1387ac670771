"""Operators whose children a language model writes: the prompts, the conversation, and how replies are read."""
