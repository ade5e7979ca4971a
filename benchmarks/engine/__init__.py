"""What a keystroke costs, and what else the engine promises: ``python -m benchmarks.engine [ROW …]``.

Each row is a module of ``rows/`` and runs alone. Engines are started as the language server starts them, in a home of
their own, and asked over HTTP; the peers are started here, on the same model with as many threads, and asked in turn.
"""
