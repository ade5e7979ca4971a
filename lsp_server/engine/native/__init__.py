"""llama.cpp behind four small classes: the only modules that import ``llama_cpp``.

Handles of the C API stay inside. Callers own the objects and must ``close()`` contexts before their model.
"""
