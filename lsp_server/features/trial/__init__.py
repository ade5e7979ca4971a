"""Trying a Python function out in a shell of the user's project: what does it do?"""

from lsp_server.features.trial.exploring import Explorer
from lsp_server.features.trial.steps import Step, Trial, needed

__all__ = ["Explorer", "Step", "Trial", "needed"]
