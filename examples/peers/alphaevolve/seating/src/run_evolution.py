from alpha_evolve.client import AlphaEvolveClient
from alpha_evolve.experiment import AlphaEvolveExperiment

from .evaluate import seating_evaluation


def main():
    client = AlphaEvolveClient(project_id="some-project")
    experiment = AlphaEvolveExperiment(client, seating_evaluation, 10)
    experiment.create_experiment(
        {
            "title": "Guests around a table",
            "problem_description": "Seat six guests so that neighbours like each other.",
            "program_language": "python",
            "run_settings": {"max_programs": 8, "concurrency": 4},
        }
    )


if __name__ == "__main__":
    main()
