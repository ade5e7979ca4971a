"""Two hours of mixed use at a stretch: what memory, descriptors and answers are like at its end.

``python -m benchmarks.soak [--minutes N] [--seed N]`` with the small model. Language servers with an engine that they
share, over LSP, as editors use them, at a person's pace. What is seen goes into a file each minute;
``--from FILE`` makes the tables of one, also where the run was broken off.
"""
