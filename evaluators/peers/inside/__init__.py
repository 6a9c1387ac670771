"""What is sent into a candidate's process to serve another engine's evaluator. Imports nothing from outside here."""
