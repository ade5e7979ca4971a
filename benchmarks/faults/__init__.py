"""What becomes of requests when engines are killed, stopped, crash, or lack what they need.

``python -m benchmarks.faults kills [--times N]``, ``… harm`` and ``… states``, with the small model; the tables go into
``docs/reliability.md``. All of it happens in folders of its own: no engine of yours is touched.
"""
