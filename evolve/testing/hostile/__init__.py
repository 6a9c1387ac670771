"""The hostile suite: programs that attack the sandbox, and the proof that each would have worked without it. Linux."""
