"""Typed program search over a vocabulary: compiled bursts with fitted constants, and plain mutations."""
