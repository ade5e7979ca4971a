"""The command ``shardlight``: the composition root, the only place that wires concrete parts together.

Each module adds one command. They are imported when that command runs, so that ``serve`` starts fast.
"""
