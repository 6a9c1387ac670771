"""What every evaluator must do: a test class to inherit; `spec` and `files` name the problem under test."""

import json
import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace

from evaluators.contract import INTERPRETER, Certainty, Evaluation, Failure
from evaluators.process import open_judge
from evaluators.spec import JudgeSpec
from sandbox.layers import Level


class EvaluatorConformance:
    """Inherit, implement `spec` and `files`, and pytest runs the suite."""

    @abstractmethod
    def spec(self) -> JudgeSpec:
        """The problem under test."""

    @abstractmethod
    def files(self) -> Mapping[str, str]:
        """A candidate that can be scored: the seed program."""

    def judged(self, files: Mapping[str, str], *, rng_seed: int = 0) -> Evaluation:
        """One evaluation by a fresh judge."""
        with open_judge(self.spec()) as judge:
            return judge.evaluate(files, rng_seed=rng_seed)

    def test_the_seed_program_has_a_finite_score_and_a_place_on_every_axis(self) -> None:
        """Evolution can start."""
        evaluation = self.judged(self.files())
        assert evaluation.failure is None, evaluation.detail
        assert evaluation.score is not None
        assert math.isfinite(evaluation.score)
        assert set(evaluation.descriptor) == set(self.spec().axes)
        assert all(math.isfinite(value) for value in evaluation.descriptor.values() if not isinstance(value, str))

    def test_every_metric_is_a_finite_number(self) -> None:
        """Metrics are stored and drawn."""
        metrics = self.judged(self.files()).metrics
        assert metrics
        assert all(math.isfinite(value) for value in metrics.values())

    def test_the_same_candidate_is_worth_the_same_again(self) -> None:
        """A run can be repeated: only the time differs."""
        with open_judge(self.spec()) as judge:
            first, second = (judge.evaluate(self.files(), rng_seed=7) for _ in range(2))
        assert replace(first, seconds=0.0) == replace(second, seconds=0.0)
        assert replace(first, seconds=0.0) == replace(self.judged(self.files(), rng_seed=7), seconds=0.0)

    def test_the_spec_travels_as_json_and_judges_the_same(self) -> None:
        """Workers get the problem as plain data."""
        spec = JudgeSpec.from_mapping(json.loads(json.dumps(self.spec().to_mapping())))
        assert spec == self.spec()
        with open_judge(spec) as judge:
            assert judge.evaluate(self.files()).score == self.judged(self.files()).score

    def test_every_evaluation_says_how_well_its_candidate_was_confined(self) -> None:
        """Results of different confinement can be told apart."""
        name = next(iter(self.files()))
        levels = [INTERPRETER] if self.spec().language == "symbolic" else list(Level)
        with open_judge(self.spec()) as judge:
            evaluations = [judge.evaluate(self.files()), judge.evaluate({name: "def f(:\n"})]
            assert {each.level for each in evaluations} == {judge.level}
            assert judge.level in levels

    def test_text_that_does_not_parse_is_a_syntax_failure_with_a_reason(self) -> None:
        """Broken text is data: the next prompt shows what was wrong with it."""
        name = next(iter(self.files()))
        evaluation = self.judged({**self.files(), name: "def f(:\n"})
        assert evaluation.failure is Failure.SYNTAX
        assert evaluation.detail

    def test_the_judge_survives_a_candidate_that_fails(self) -> None:
        """The candidate after a broken one is judged as if nothing had happened."""
        name = next(iter(self.files()))
        with open_judge(self.spec()) as judge:
            judge.evaluate({**self.files(), name: "raise SystemExit(3)\n"})
            assert judge.evaluate(self.files()).score == self.judged(self.files()).score

    def test_a_verdict_is_no_better_than_the_score_and_its_certificate_is_json(self) -> None:
        """What is proved never promises more than what was measured."""
        with open_judge(self.spec()) as judge:
            evaluation = judge.evaluate(self.files())
            verdict = judge.verify(self.files())
        assert verdict.verdict is not Certainty.REFUTED
        assert json.loads(json.dumps(dict(verdict.certificate))) == verdict.certificate
        if verdict.verdict is Certainty.CERTIFIED:
            assert verdict.value is not None
            assert verdict.certificate
            assert evaluation.score is not None
            assert verdict.score is None or verdict.score <= evaluation.score + 1e-9

    def test_a_fit_target_is_finite_and_has_no_zero_where_errors_are_relative(self) -> None:
        """Constants can be fitted on it."""
        with open_judge(self.spec()) as judge:
            fit, low = judge.fit_target(), judge.fit_target_low()
        if fit is None:
            return
        points, values, relative = fit
        assert points.shape == values.shape
        assert all(map(math.isfinite, [*points, *values]))
        assert not relative or all(values)
        assert low is None or low.shape == values.shape

    def test_closing_twice_is_harmless(self) -> None:
        """Cleaning up never fails."""
        judge = open_judge(self.spec())
        judge.evaluate(self.files())
        judge.close()
        judge.close()
