"""Where a model's parts go on a machine, what that takes and how fast it is: pure, from heads and a description."""
