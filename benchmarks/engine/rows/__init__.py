"""One module a row of the table: ``run(setup) -> Outcome``."""
