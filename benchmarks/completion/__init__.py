"""What the right code in and the right code out are worth: holes in real code, cross-file names, typing, waiting.

Asked through the LSP as an editor would, beside llama-server with the requests that llama.vim publishes.
"""
