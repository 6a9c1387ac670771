"""Timing candidates so that the number can be believed; `docs/kernels.md` says what is countered and what cannot be."""
