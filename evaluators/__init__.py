"""From program to numbers: the contract, stages, repeats, verification and the built-in families."""
