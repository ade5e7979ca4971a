"""What the actions write, on the code of public packages: ``python -m benchmarks.actions MEASURE``."""
