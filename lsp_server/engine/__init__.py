"""The engine process: it holds the weights and answers over HTTP on loopback.

Only ``native/`` touches llama.cpp. Everything above it works on token lists, so that it can be read without knowing
the C API: ``layout`` and ``chat`` build token lists, ``generation`` turns one into text step by step, ``scheduler``
decides whose step comes next, ``service`` owns all of them, ``http/`` speaks the wire, ``process`` is the program.
"""
