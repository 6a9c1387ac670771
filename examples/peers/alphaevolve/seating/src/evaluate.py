"""Guests around a table: how much neighbours like each other."""

from alpha_evolve.models import (
    AlphaEvolveEvaluationInsight,
    AlphaEvolveEvaluationInsights,
    AlphaEvolveEvaluationScore,
    AlphaEvolveEvaluationScores,
    AlphaEvolveProgramEvaluation,
)

LIKES = [[(3 * i + 5 * j + i * j) % 7 for j in range(6)] for i in range(6)]


def seating_evaluation(program):
    names = {}
    insights = []
    liking = -1e12
    try:
        exec(program["content"]["files"][0]["content"], names)
        order = names["seats"]([list(row) for row in LIKES])
        if sorted(order) == list(range(6)):
            liking = float(sum(LIKES[order[i]][order[i - 1]] for i in range(6)))
        else:
            insights.append(AlphaEvolveEvaluationInsight(label="order", text=f"nobody sits as in {order}"))
    except Exception as error:
        insights.append(AlphaEvolveEvaluationInsight(label="error", text=str(error)))
    scores = AlphaEvolveEvaluationScores(scores=[AlphaEvolveEvaluationScore(metric="liking", score=liking)])
    told = AlphaEvolveEvaluationInsights(insights=insights) if insights else None
    return AlphaEvolveProgramEvaluation(scores=scores, insights=told).model_dump()
