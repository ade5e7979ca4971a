"""Models on disk: which there are, where their files come from, and whether they are what they claim to be.

The only importer of ``huggingface_hub``. Nothing here loads a model: that is the engine's work.
"""
