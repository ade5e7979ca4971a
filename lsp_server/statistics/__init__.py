"""What became of the suggestions, counted on this machine and for its user alone.

``events`` is what is told, ``recorder`` takes it down without keeping anybody waiting, ``store`` is the file,
``report`` what the counts say. Kept are days, language ids and numbers: no code, no names of files. Nothing is sent.
"""
