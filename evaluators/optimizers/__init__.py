"""How well an update rule trains: tasks, batched training, tuning, references, scores."""
