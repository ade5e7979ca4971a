"""Pure functions that make a model's raw text fit for a file."""
