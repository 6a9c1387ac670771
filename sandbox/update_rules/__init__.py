"""Update rules of optimizers as programs with state: their words, the arrays they work on, how a rule takes a step."""
