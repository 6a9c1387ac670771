"""The attacks, one module per family or part of one; each module offers `ATTACKS`."""
