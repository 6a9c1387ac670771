"""Language models: providers, what their answers mean, retries, prices and budgets. Nobody else touches a client."""
