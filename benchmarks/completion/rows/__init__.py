"""One module a measure; each has ``run(setup)``."""
