"""Training: from a recipe and data to a run folder that can be killed, resumed and drawn from."""
