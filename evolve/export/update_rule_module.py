"""The optimizer class around an update rule of our language, for torch."""

from collections.abc import Mapping, Sequence
from typing import Final

from evolve.export.update_rule_text import WrittenRule, written_rules
from evolve.export.update_rule_words import definitions
from sandbox.update_rules.rule import UpdateRule

_IMPORTS: Final = """\
import math as _math

import torch as _torch
"""

_MATRIX_WORDS: Final = '''\
def left_gram(x):
    return Matrices([_gram(each, 0) for each in x.each])


def right_gram(x):
    return Matrices([_gram(each, 1) for each in x.each])


def _gram(each, side):
    if _side(each, side) is None:
        return None
    table = _flat(each)
    return table.mT @ table if side else table @ table.mT


def transpose(matrices):
    return matrices.map(lambda one: one.mT)


def basis(gram, old, t):
    """Eigenvectors, of the largest eigenvalue first, improved by a step of QR every ten steps."""
    if not _is_refreshed(t):
        return old
    if t <= 1:
        return gram.map(lambda one: _torch.linalg.eigh(_wide(one))[1].flip(1).to(one.dtype))
    return gram.map(lambda one, two: _torch.linalg.qr(_wide(one @ two))[0].to(one.dtype), old)


def inverse_root(gram, old, t):
    """To the power -1/4, anew every ten steps."""
    return gram.map(_inverse_root) if _is_refreshed(t) else old


def _inverse_root(matrix):
    values, vectors = _torch.linalg.eigh(_wide(matrix))
    values = values.clamp(min=0.0)
    values = (values + 1e-06 * values.amax()).clamp(min=1e-12)
    return ((vectors * values**-0.25) @ vectors.mT).to(matrix.dtype)


def _is_refreshed(t):
    return _math.isfinite(t) and (t <= 1 or _math.floor(t - 1) % 10 == 0)


def _wide(matrix):
    """What the decompositions of torch can take: at least single precision, no infinity."""
    wide = matrix if matrix.dtype == _torch.float64 else matrix.float()
    return wide.nan_to_num(nan=0.0, posinf=0.0, neginf=0.0)
'''

_DOCUMENTED: Final = '''
class @CLASS@(_torch.optim.Optimizer):
    """The evolved update rule: every step takes lr times its update from the parameters.

    The parameters of a group change together (`torch._foreach_*`), in sets of one type, device and number of steps.
    Slots of the state are called as in the rule.
@TOTALS@
    Args:
        params: Parameters, or dictionaries of parameter groups with options of their own.
        lr: The learning rate; the rule was judged with a warm-up and a linear decay to zero.
        weight_decay: Decoupled: every step first multiplies a parameter by 1 - lr * weight_decay.
        maximize: Climb instead of descending.
@HIDDEN_ARGUMENT@    """

    def __init__(self, params, lr=@RATE@, *, weight_decay=0.0, maximize=False@HIDDEN_OPTION@):
@HESSIANS@        defaults = {"lr": lr, "weight_decay": weight_decay, "maximize": maximize@HIDDEN_DEFAULT@}
        super().__init__(params, defaults)
'''

_HIDDEN_ARGUMENT: Final = """\
        hidden: Whether matrices of a group are hidden layers. Give embeddings and the last layer a group with
            hidden=False: the rule treats them as it does vectors.
"""

_IN_PARTS: Final = """\
            for part in _parts(members):
                self._change(part, kind, number + 1@LOSS@)
"""

_TOGETHER: Final = """\
            self._change(members, kind, number + 1@LOSS@)
"""

_PARTS: Final = '''\
def _parts(members):
    """All at once; on a CPU as many as its cache holds."""
    if members[0][0].device.type != "cpu":
        yield members
        return
    part, n_numbers = [], 0
    for parameter, group in members:
        if part and n_numbers + parameter.numel() > 65536:
            yield part
            part, n_numbers = [], 0
        part.append((parameter, group))
        n_numbers += parameter.numel()
    yield part


'''

_TOTALS: Final = """\
    What the rule measures over all parameters together is measured over such a set@ACROSS@.
"""

_APPLY: Final = """\
        rate, decay = float(members[0][1]["lr"]), members[0][1]["weight_decay"]
        if decay:
            _torch._foreach_mul_(parameters, 1.0 - rate * decay)
        _torch._foreach_add_(parameters, changes, alpha=-rate)
"""

_APPLY_TO_EACH: Final = """\
        for (each, group), change in zip(members, changes):
            rate = float(group["lr"])
            if group["weight_decay"]:
                each.mul_(1.0 - rate * group["weight_decay"])
            each.add_(change, alpha=-rate)
"""

_SWITCH: Final = """\
        if not isinstance(options["maximize"], bool):
            raise ValueError(f"maximize is {options['maximize']!r}, expected True or False")
"""

_SWITCHES: Final = """\
        for name in ("maximize", "hidden"):
            if not isinstance(options[name], bool):
                raise ValueError(f"{name} is {options[name]!r}, expected True or False")
"""

_CLASS: Final = (
    _DOCUMENTED
    + '''
    def add_param_group(self, param_group):
        """Add a group of parameters, after a look at its options."""
        options = {**self.defaults, **param_group}
        for name in ("lr", "weight_decay"):
            value = options[name]
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0.0 <= value < _math.inf:
                raise ValueError(f"{name} is {value!r}, expected a finite number, 0 or more")
@SWITCHES@        super().add_param_group(param_group)

    @_torch.no_grad()
    def step(self, closure=None):
        """Change every parameter that has a gradient; returns what `closure` returns."""
        loss = None
        if closure is not None:
            with _torch.enable_grad():
                loss = closure()
@LOSS_CHECK@        for (kind, number, *_), members in self._alike().items():
@EACH_PART@        return loss

    def _alike(self):
        """The parameters with a gradient, each with its group, in sets that change together."""
        sets = {}
        for place, group in enumerate(self.param_groups):
            for parameter in group["params"]:
                if parameter.grad is None or not parameter.numel():
                    continue
                if parameter.grad.layout != _torch.strided:
                    raise RuntimeError("this optimizer takes dense gradients only: build embeddings with sparse=False")
                if not parameter.is_floating_point():
                    raise RuntimeError("this optimizer takes real parameters only: use torch.view_as_real")
                kind, number = @KIND@, self.state[parameter].get("step", 0)
                key = (kind, number, @PLACE@, group["maximize"], parameter.dtype, parameter.device)
                sets.setdefault(key, []).append((parameter, group))
        return sets

    def _change(self, members, kind, number@LOSS_PARAMETER@):
        rule, inputs, slots = _RULES[kind]
        parameters = [each for each, _ in members]
        upside_down = members[0][1]["maximize"]
        gradients = [-each.grad if upside_down else each.grad for each, _ in members]
        layers = @LAYERS@
        values = {
            "w": Many(parameters, layers),
            "g": Many(gradients, layers),
            "t": float(number),
            "lr": float(members[0][1]["lr"]),
@ORACLES@        }
        for name in slots:
            kept = [_kept(self.state[each], name, each) for each in parameters]
            values[name] = Many(kept, layers)@MATRIX_SLOTS@
        result = rule(*(values[name] for name in inputs))
        update, *news = result if slots else (result,)
        borrowed = {id(each) for each in (*parameters, *gradients)}
        changes = [_own(change, borrowed) for change in update.each]
        for name, new in zip(slots, news):
            for each, value in zip(parameters, new.each):
                self.state[each][name] = value if value is None else _own(value, borrowed)
        for each in parameters:
            self.state[each]["step"] = number
@APPLY@

@PARTS@def _own(value, borrowed):
    """The value, or a copy if it is a tensor of somebody else, or one number that stands for many."""
    if id(value) in borrowed or 0 in value.stride():
        return value.clone(memory_format=_torch.contiguous_format)
    return value


def _kept(state, name, parameter):
    """A slot of the state, which starts at zero."""
    if name not in state:
        state[name] = @ZEROS@
    return state[name]
'''
)

_HESSIANS: Final = '''
    def estimate_hessian(self, loss):
        """Estimate the Hessian's diagonal by Hutchinson's method; call it with a loss that has its graph.

        The rule was judged with a new estimate every ten steps, the first one before the first step.
        """
        parameters = [each for group in self.param_groups for each in group["params"] if each.requires_grad]
        gradients = _torch.autograd.grad(loss, parameters, create_graph=True, materialize_grads=True)
        signs = [_torch.randint_like(each, 2) * 2 - 1 for each in parameters]
        pairs = [(one, sign) for one, sign in zip(gradients, signs) if one.requires_grad]
        curved, along = [one for one, _ in pairs], [sign for _, sign in pairs]
        products = [_torch.zeros_like(each) for each in parameters]
        if pairs:  # else the loss has no curvature
            products = _torch.autograd.grad(curved, parameters, along, materialize_grads=True)
        self.hessians = {each: sign * product for each, sign, product in zip(parameters, signs, products)}

    def _hessian(self, parameter, upside_down):
        if parameter not in self.hessians:
            raise RuntimeError("this rule reads the Hessian's diagonal: call estimate_hessian(loss) every ten steps")
        estimate = self.hessians[parameter].to(parameter.dtype)
        return -estimate if upside_down else estimate
'''

_MATRIX_ZEROS: Final = '''

_SIDE_OF_SLOT = {"l": 0, "p": 0, "r": 1, "q": 1}


def _zeros(parameter, name):
    """A slot at the start; parameters without rows, or with too many, have no matrix."""
    if name not in _SIDE_OF_SLOT:
        return _torch.zeros_like(parameter)
    side = _side(parameter, _SIDE_OF_SLOT[name])
    return None if side is None else parameter.new_zeros((side, side))


def _side(parameter, side):
    """The number of rows (0) or columns (1), None where there is no matrix."""
    if parameter.dim() < 2:
        return None
    length = parameter.shape[0] if side == 0 else parameter[0].numel()
    return length if length <= 2048 else None
'''


def torch_module(rule: UpdateRule, name: str, rate: float) -> str:
    """The text of a module with the rule's function or functions and an optimizer class called `name`."""
    written = written_rules(rule)
    parts = written.values()
    words = {word for each in parts for word in each.words}
    has_matrices = any(each.has_matrices for each in parts)
    texts = "\n\n".join(each.text for each in parts)
    body = _filled(_CLASS, {**_always(name, rate), **_as_needed(rule, written, has_matrices=has_matrices)})
    hessians = _HESSIANS if "h" in rule.needs else ""
    before, mark, after = body.partition("\n\ndef _parts(" if "def _parts(" in body else "\n\ndef _own(")
    return (
        f"{_IMPORTS}\n\n{definitions(words, matrices=_MATRIX_WORDS if has_matrices else '')}\n\n"
        "# The evolved rule. w: parameters, g: gradients, t: number of the step. It gives the update and its state.\n"
        f"\n\n{texts}\n\n{_table(written)}\n{before}{hessians}{mark}{after}{_MATRIX_ZEROS if has_matrices else ''}"
    )


def _table(written: Mapping[str, WrittenRule]) -> str:
    rows = "".join(
        f'    "{kind}": ({each.name}, {_quoted(each.inputs)}, {_quoted(each.slots)}),\n'
        for kind, each in written.items()
    )
    about = "# For each kind of parameter: the function, what it takes, and the slots of the state that it returns."
    return f"{about}\n_RULES = {{\n{rows}}}\n"


def _quoted(names: Sequence[str]) -> str:
    return "(" + "".join(f'"{name}", ' for name in names).removesuffix(" " if len(names) == 1 else ", ") + ")"


def _always(name: str, rate: float) -> dict[str, str]:
    return {"@CLASS@": name, "@RATE@": repr(rate)}


def _as_needed(rule: UpdateRule, written: Mapping[str, WrittenRule], *, has_matrices: bool) -> dict[str, str]:
    """What the class says only for some rules."""
    by_shape = "hidden" in written or any("by_shape" in each.words for each in written.values())
    reads_loss, reads_hessian = "f" in rule.needs, "h" in rule.needs
    layers = '[group["hidden"] and each.dim() > 1 for each, group in members]' if by_shape else "[False] * len(members)"
    kind = '"hidden" if group["hidden"] and parameter.dim() > 1 else "others"'
    oracles = '            "f": -float(loss) if upside_down else float(loss),\n' if reads_loss else ""
    if reads_hessian:
        oracles += '            "h": Many([self._hessian(each, upside_down) for each in parameters], layers),\n'
    loss_check = (
        "        if loss is None:\n"
        '            raise RuntimeError("this rule reads the loss: call step(closure), which has to return it")\n'
    )
    has_totals = "total_" in rule.text
    # Groups with other rates cannot be one set for a rule that reads the rate.
    across = has_totals and "lr" not in rule.needs
    return {
        "@EACH_PART@": _TOGETHER if has_totals else _IN_PARTS,
        "@PARTS@": "" if has_totals else _PARTS,
        "@HIDDEN_ARGUMENT@": _HIDDEN_ARGUMENT if by_shape else "",
        "@HIDDEN_OPTION@": ", hidden=True" if by_shape else "",
        "@HIDDEN_DEFAULT@": ', "hidden": hidden' if by_shape else "",
        "@HESSIANS@": "        self.hessians = {}\n" if reads_hessian else "",
        "@SWITCHES@": _SWITCHES if by_shape else _SWITCH,
        "@TOTALS@": _TOTALS if has_totals else "",
        "@ACROSS@": ", across groups" if across else ", across groups of one learning rate",
        "@PLACE@": "None" if across else 'group["lr"]' if has_totals else "place",
        "@APPLY@": _APPLY_TO_EACH if has_totals else _APPLY,
        "@LOSS_CHECK@": loss_check if reads_loss else "",
        "@LOSS@": ", loss" if reads_loss else "",
        "@LOSS_PARAMETER@": ", loss" if reads_loss else "",
        "@KIND@": f"({kind})" if "hidden" in written else '"all"',
        "@LAYERS@": layers,
        "@ORACLES@": oracles,
        "@MATRIX_SLOTS@": " if name not in _SIDE_OF_SLOT else Matrices(kept)" if has_matrices else "",
        "@ZEROS@": "_zeros(parameter, name)" if has_matrices else "_torch.zeros_like(parameter)",
    }


def _filled(template: str, words: Mapping[str, str]) -> str:
    for word, text in words.items():
        template = template.replace(word, text)
    return template
