"""The tables of `problem.toml` as pydantic models: the names, types, ranges and defaults of every key.

Rules that need two keys of one table are checked on the later key, so that they are reported beside all other
mistakes. Rules that need two tables or the folder are in `evolve.config.checks`.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, ValidationInfo, field_validator

from evolve.config.table_archive import (
    ArchiveTable,
    CategoriesAxisTable,
    EdgesAxisTable,
    RangeAxisTable,
)
from evolve.config.table_family import FamilyTable
from evolve.config.table_values import (
    NAME_PATTERN,
    Finite,
    Identifier,
    Mebibytes,
    Module,
    Positive,
    PositiveInt,
    Seconds,
    Table,
    Text,
    Texts,
    inside_folder,
    plain_parameters,
    wrong,
)

MAX_ISLANDS = 1024


class ProblemTable(Table):
    """`[problem]`: what is searched for, in words that a language model can read too.

    `tier` says what two cores reach in half an hour: the best known value (A), a thousandth of it (B), a hundredth (C),
    that only with structure (D), nothing of the kind (E).
    """

    name: Annotated[str, Field(pattern=NAME_PATTERN)]
    title: Text
    statement: Text
    language: Literal["symbolic", "python"]
    score: str = "higher is better"
    tags: Texts = ()
    area: Annotated[str, Field(pattern=r"^([a-z0-9][a-z0-9_]*)?$")] = ""
    tier: Literal["", "A", "B", "C", "D", "E"] = ""


class SeedTable(Table):
    """`[seed]`: the files of the program that evolution starts from; the first is the entry."""

    files: Annotated[Texts, Field(min_length=1)] = ("seed.py",)

    @field_validator("files")
    @classmethod
    def _plain_names(cls, files: tuple[str, ...]) -> tuple[str, ...]:
        for name in files:
            inside_folder(name)
        if len(set(files)) != len(files):
            raise wrong("different names")
        return files


class SymbolicTable(Table):
    """`[symbolic]`: the language of a symbolic candidate, and how bursts choose what they change next.

    `vocabulary` is a built-in name or a .py file. All programs of up to `enumerate` operations over + - * / are tried
    while the search begins; 0 for none. Each screen joins the pairs of about `screen` small expressions; 0 for no
    screens, None for some where the vocabulary has more than + - * /.
    """

    vocabulary: Text = "arithmetic"
    inputs: Annotated[tuple[Identifier, ...], Field(strict=False, min_length=1)] = ("x",)
    function: Identifier = "f"
    max_operations: PositiveInt = 14
    max_constants: Annotated[int, Field(ge=0)] = 12
    enumerate: Annotated[int, Field(ge=0, le=6)] = 6
    screen: Annotated[int, Field(ge=0, le=100_000)] | None = None
    strategy: Literal["map_elites", "tree_search"] = "map_elites"

    @field_validator("vocabulary")
    @classmethod
    def _in_folder(cls, vocabulary: str) -> str:
        return inside_folder(vocabulary) if vocabulary.endswith(".py") else vocabulary


class StageTable(Table):
    """One of `[[evaluator.stages]]`: candidates that score below `threshold` there go no further.

    An `exclusive` one measures time, and nothing else is measured beside it.
    """

    name: Text
    threshold: Finite | None = None
    exclusive: bool = False


class EvaluatorTable(Table):
    """`[evaluator]`: the judge: a built-in family with options, or a file of the problem's folder.

    `wall_seconds` is what the evaluator may take for itself, `verify_seconds` the same for `verify`, `memory_mb` limits
    its own process. An `exclusive` one measures time, and nothing else is measured beside it. `repeats` scores of one
    program are combined; None for the best of constructions and the median of all else. `paired` ones are taken with
    the same random states for every program of a run.
    """

    family: Text | None = None
    file: Annotated[Text | None, Field(validate_default=True)] = None
    options: dict[str, Any] = Field(default_factory=dict)
    repeats: PositiveInt = 1
    combine: Literal["median", "best", "mean"] | None = None
    paired: bool = False
    stages: Annotated[tuple[StageTable, ...], Field(strict=False)] = ()
    wall_seconds: Seconds = 60.0
    verify_seconds: Seconds = 600.0
    memory_mb: Annotated[int, Field(ge=256, le=1 << 24)] = 8192
    exclusive: bool = False

    @field_validator("exclusive")
    @classmethod
    def _timed_by_a_file(cls, exclusive: bool, info: ValidationInfo) -> bool:
        if exclusive and "file" in info.data and info.data["file"] is None:
            raise wrong("it only with evaluator.file: built-in families measure no time")
        return exclusive

    @field_validator("file")
    @classmethod
    def _one_judge(cls, file: str | None, info: ValidationInfo) -> str | None:
        if "family" in info.data and (file is None) == (info.data["family"] is None):
            raise wrong("exactly one of evaluator.family and evaluator.file")
        return None if file is None else inside_folder(file)


class LimitsTable(Table):
    """`[limits]`: what one candidate's process may use."""

    wall_seconds: Seconds = 10.0
    cpu_seconds: Seconds = 60.0
    memory_mb: Mebibytes = 1024
    output_kb: Annotated[int, Field(ge=1, le=1 << 20)] = 64
    result_mb: Annotated[int, Field(ge=1, le=4095)] = 16
    n_threads: Annotated[int, Field(ge=1, le=4096)] = 1
    n_processes: Annotated[int, Field(ge=1, le=1 << 15, validate_default=True)] = 32
    n_files: Annotated[int, Field(ge=16, le=1 << 15)] = 64
    scratch_mb: Annotated[int, Field(ge=0, le=1 << 20)] = 0
    gpu_memory_mb: Annotated[int, Field(ge=0, le=1 << 24)] = 0
    shared_mb: Annotated[int, Field(ge=0, le=1 << 20)] = 0
    gpu_shared_mb: Annotated[int, Field(ge=0, le=1 << 20)] = 0

    @field_validator("n_processes")
    @classmethod
    def _room_for_threads(cls, n_processes: int, info: ValidationInfo) -> int:
        if n_processes < info.data.get("n_threads", 1):
            raise wrong(f"at least n_threads = {info.data['n_threads']}: every thread counts")
        return n_processes


GpuNumbers = Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(strict=False)]
GpuWord = Literal["none", "auto", "needed"]
GpuChoice = Annotated[
    Annotated[GpuNumbers, Tag("numbers")] | Annotated[GpuWord, Tag("word")],
    Discriminator(lambda value: "word" if isinstance(value, str) else "numbers"),
]
GPU_CHOICES = ("numbers", "word")


class SandboxTable(Table):
    """`[sandbox]`: what Python candidates find there.

    `preload` are modules already imported; the slow ones belong here. `gpus` are graphics cards, numbered as
    `nvidia-smi` shows them, or a word: whether cards are needed, used if there are any, or not used. `gpu_share` is
    what one evaluation gets: a part of a card, or whole ones.
    """

    preload: Annotated[tuple[Module, ...], Field(strict=False)] = ("numpy",)
    gpus: GpuChoice = ()
    gpu_share: Annotated[Positive | None, Field(validate_default=True)] = None

    @field_validator("preload")
    @classmethod
    def _distinct(cls, preload: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(preload)) != len(preload):
            raise wrong("different modules")
        return preload

    @field_validator("gpus")
    @classmethod
    def _different_cards(cls, gpus: tuple[int, ...] | str) -> tuple[int, ...] | str:
        if len(set(gpus)) != len(gpus) and not isinstance(gpus, str):
            raise wrong("different numbers")
        return gpus

    @field_validator("gpu_share")
    @classmethod
    def _share_of_what(cls, share: float | None, info: ValidationInfo) -> float | None:
        if share is None:
            return None
        if share > 1 and share != int(share):
            raise wrong("a part of a card, such as 0.25, or a whole number of cards")
        if info.data.get("gpus", ()) in ((), "none"):
            raise wrong('it only with graphics cards: gpus = "auto", "needed" or [0]')
        return share


class IslandsTable(Table):
    """`[islands]`: how many archives breed alone, and how often they trade elites."""

    count: Annotated[PositiveInt, Field(le=MAX_ISLANDS)] = 1
    migrate_every: PositiveInt = 50
    migrants: PositiveInt = 3


class SearchTable(Table):
    """`[search]`: how many children are in flight, which operators take part, how big one symbolic burst is.

    `strategy` is who breeds: elites of all cells, or in the baselines always the seed program (`iid`) or the last best
    (`sequential`). `toolbox` names the steps of which programs are strategies; operators that know them join. With
    `inherit` a program is given the best construction so far.
    """

    window: PositiveInt = 8
    operators: Texts = ()
    burst_work: Positive = 1.0
    strategy: Literal["map_elites", "iid", "sequential"] = "map_elites"
    toolbox: str = ""
    inherit: bool = False


class LlmTable(Table):
    """`[llm]`: which language models take part and what they may spend, unless the command line says otherwise.

    `operators` are kinds such as `diff`; all if empty. `symbolic` says whether the operators without a model join.
    A prompt has at most `prompt_tokens` tokens, a reply `max_output_tokens`. An idea is written as a program if its
    reviewer gives it `idea_threshold` of 10 points. `usd_per_second` is what a core-second is worth when operators
    compete for the budget. `keep_prompts` writes prompts into `run.db`. An answer may take `reply_seconds` in all, and
    `idle_seconds` between two pieces.
    """

    models: Annotated[Texts, Field(validate_default=True)] = ()
    operators: Texts = ()
    symbolic: bool = True
    budget_usd: Positive | None = None
    budget_tokens: PositiveInt | None = None
    prompt_tokens: Annotated[int, Field(ge=1000)] = 24_000
    max_output_tokens: Annotated[int, Field(ge=16)] = 8192
    idea_threshold: Annotated[int, Field(ge=0, le=10)] = 6
    usd_per_second: Positive = 0.001
    keep_prompts: bool = True
    reply_seconds: Seconds = 600.0
    idle_seconds: Seconds = 120.0

    @field_validator("models")
    @classmethod
    def _no_address(cls, models: tuple[str, ...]) -> tuple[str, ...]:
        if any("://" in model for model in models):
            raise wrong(
                "names without an address",
                "a problem cannot say where your key is sent: give addresses with --model or in your settings",
            )
        return models


class BudgetTable(Table):
    """`[budget]`: when a run stops unless the command line says otherwise."""

    evaluations: PositiveInt | None = None
    seconds: Positive | None = None
    target: Finite | None = None


class KnownTable(Table):
    """`[known]`: the best value known to the world, and who says so.

    `direction` says whether a large or a small value is good: for a problem whose score is the negative of what the
    world counts. `alphaevolve` is the value that AlphaEvolve published. `file` is a CSV file of the folder with values
    for other `[parameters]`: their names, value, source, year and alphaevolve are its columns.
    """

    value: Finite
    kind: str = "score"
    source: str = ""
    year: int | None = None
    direction: Literal["max", "min"] = "max"
    alphaevolve: Finite | None = None
    file: Annotated[Text, AfterValidator(inside_folder)] | None = None


class BaselinesTable(Table):
    """`[baselines]`: a JSON file of the folder with values to compare with."""

    file: Annotated[Text, AfterValidator(inside_folder)]


class ExportTable(Table):
    """`[export]`: what a program of this problem is to the world, for `evolve export --as`.

    `function` names the function of a Python program that is meant: the update rule, or what returns the construction.
    """

    form: Literal["function", "update_rule", "construction"]
    function: Annotated[Identifier | None, Field(validate_default=True)] = None

    @field_validator("function")
    @classmethod
    def _construction_needs_function(cls, function: str | None, info: ValidationInfo) -> str | None:
        if info.data.get("form") == "construction" and function is None:
            raise wrong("the name of the function that returns the construction")
        return function


class ProblemFile(Table):
    """All of `problem.toml`."""

    problem: ProblemTable
    seed: SeedTable = SeedTable()
    symbolic: SymbolicTable = SymbolicTable()
    evaluator: EvaluatorTable
    limits: LimitsTable = LimitsTable()
    sandbox: SandboxTable = SandboxTable()
    archive: ArchiveTable
    islands: IslandsTable = IslandsTable()
    search: SearchTable = SearchTable()
    budget: BudgetTable = BudgetTable()
    llm: LlmTable = LlmTable()
    parameters: Annotated[dict[str, Any], AfterValidator(plain_parameters)] = Field(default_factory=dict)
    family: FamilyTable | None = None
    known: KnownTable | None = None
    baselines: BaselinesTable | None = None
    export: ExportTable | None = None


TABLES: dict[tuple[str, ...], type[Table]] = {
    (): ProblemFile,
    ("problem",): ProblemTable,
    ("seed",): SeedTable,
    ("symbolic",): SymbolicTable,
    ("evaluator",): EvaluatorTable,
    ("evaluator", "stages"): StageTable,
    ("limits",): LimitsTable,
    ("sandbox",): SandboxTable,
    ("archive",): ArchiveTable,
    ("archive", "axes", "linear"): RangeAxisTable,
    ("archive", "axes", "log"): RangeAxisTable,
    ("archive", "axes", "edges"): EdgesAxisTable,
    ("archive", "axes", "categories"): CategoriesAxisTable,
    ("islands",): IslandsTable,
    ("search",): SearchTable,
    ("budget",): BudgetTable,
    ("llm",): LlmTable,
    ("family",): FamilyTable,
    ("known",): KnownTable,
    ("baselines",): BaselinesTable,
    ("export",): ExportTable,
}
