"""The project's own tests: which framework it has, where its tests belong, how they are run, and what came of it."""
