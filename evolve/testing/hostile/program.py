"""What attacks of several families share: a text from lines, and judges that look at how an attack ended."""

from evolve.testing.hostile.attack import Judge, Outcome, is_claimed, is_evident


def body(*lines: str, definitions: str = "") -> str:
    """The text of an attack whose function has these lines; they may use `world`."""
    text = "".join(f"    {line}\n" for line in lines)
    return f"from prelude import *\n{definitions}\ndef attack(world):\n{text}"


def is_harmed(outcome: Outcome) -> bool:
    """Something changed outside, or the sandbox itself gave up: its server must outlive every candidate."""
    return is_evident(outcome) or outcome.error == "sandbox"


def is_broken(outcome: Outcome) -> bool:
    """A step worked, by its own words; only for what leaves no trace outside."""
    return is_harmed(outcome) or is_claimed(outcome)


def is_believed(outcome: Outcome) -> bool:
    """It got a score, or the evaluator fell over it, which an honest program could then be blamed for."""
    return is_evident(outcome) or outcome.error in ("evaluator", "sandbox")


def steers(outcome: Outcome) -> bool:
    """Its text can move the cursor of a terminal, or says things that a person does not see and a model reads."""
    said = outcome.detail + outcome.output
    return is_believed(outcome) or not all(sign.isprintable() or sign in "\n\t" for sign in said)


def ends_as(*kinds: str, telling: str = "") -> Judge:
    """Breached unless the attack ended as one of these failures, and the text says what `telling` says."""

    def judge(outcome: Outcome) -> bool:
        return is_evident(outcome) or outcome.error not in kinds or telling not in outcome.detail

    return judge
