"""The two ends of a program with state: which inputs its text names, and what its `return` must give."""

import ast
import difflib
from collections.abc import Sequence
from types import MappingProxyType
from typing import Final, NoReturn

from sandbox.errors import CandidateSyntaxError
from sandbox.symbolic.function import Signature

_OTHER_NAMES: Final = {
    "w": "weight weights param params parameter parameters theta x",
    "g": "grad grads gradient gradients dw",
    "h": "hess hessian hvp hutchinson",
    "f": "loss objective",
    "t": "step steps iteration k i n",
    "lr": "learning_rate eta alpha step_size lr_t",
    "m": "momentum exp_avg mu first_moment buf buffer state",
    "v": "variance exp_avg_sq nu second_moment",
    "s": "max_exp_avg_sq sum",
    "d": "previous prev prev_grad previous_grad grad_prev g_prev last_grad",
    "ema": "lerp interpolate interp average moving_average",
    "agree": "where mask greater gt same_sign cautious",
    "clip": "clamp clip_by_value",
    "debias": "bias_correct bias_correction unbias",
    "orthogonal": "newton_schulz newtonschulz ns ns5 msign zeropower polar svd",
    "dot": "sum norm inner vdot",
    "total_dot": "global_norm",
    "largest": "amax absmax max_abs linf",
    "rms": "std",
    "sign": "sgn",
    "square": "pow power sq",
    "row_mean": "mean_rows mean_row",
    "col_mean": "column_mean mean_cols mean_columns",
    "basis": "eigh eig eigenbasis eigenvectors qr",
    "inverse_root": "matrix_power inv_root inverse_fourth_root left_root right_root",
    "left_gram": "gram outer",
    "by_shape": "by_role by_kind",
    "transpose": "T t mT",
    "minimum": "min",
    "maximum": "max relu",
}

OTHER_NAMES: Final = MappingProxyType(
    {other: name for name, others in _OTHER_NAMES.items() for other in others.split()}
)
"""What people and language models call the inputs and words of update rules elsewhere: only for hints."""


def check_inputs(names: Sequence[str], signature: Signature, offered: Sequence[str] | None, line: int) -> None:
    """Refuse inputs that the vocabulary, or the problem (`offered`), does not have.

    Raises:
        CandidateSyntaxError: an unknown input; the message lists the inputs and the slots.
    """
    allowed = [name for name in signature.inputs if offered is None or name in offered]
    for name in names:
        if name in allowed:
            continue
        usual = OTHER_NAMES.get(name)
        close = [usual] if usual in allowed else difflib.get_close_matches(name[:60], allowed, n=1)
        hint = f" (did you mean `{close[0]}`?)" if close else ""
        known = "is not offered by this problem" if name in signature.inputs else "is no input"
        raise CandidateSyntaxError(
            f"line {line}: `{ascii(name)[1:-1][:60]}` {known}{hint}; {listed_inputs(allowed, signature)}"
        )


def listed_inputs(allowed: Sequence[str], signature: Signature) -> str:
    """The inputs and slots that a text may name, in words."""
    read = [name for name in allowed if name not in signature.slots]
    slots = [f"{name} ({signature.type_of(name)})" for name in allowed if name in signature.slots]
    return f"the function may take {', '.join(read)} and the state slots {', '.join(slots) or 'none'}"


def returned_values(statement: ast.Return, slots: Sequence[str]) -> list[ast.expr]:
    """The expressions of the update and of every named slot's new value.

    Raises:
        CandidateSyntaxError: there are more or fewer values than the signature asks for.
    """
    value = statement.value
    values = list(value.elts) if isinstance(value, ast.Tuple | ast.List) else [] if value is None else [value]
    if len(values) != 1 + len(slots):
        _refuse_count(statement.lineno, len(values), slots)
    return values


def _refuse_count(line: int, n_values: int, slots: Sequence[str]) -> NoReturn:
    plural = "s" if n_values != 1 else ""
    if slots:
        wanted = f"the signature names the state slots {', '.join(slots)}, so write `return update, {', '.join(slots)}`"
        wanted += ": the update, then the new value of every slot in this order"
    else:
        wanted = "the signature names no state slot, so return the update alone, or name slots (m, v, ...) as inputs"
    raise CandidateSyntaxError(f"line {line}: `return` has {n_values} value{plural}; {wanted}")
