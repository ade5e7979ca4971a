"""The exceptions that may reach a user, as one tree.

::

    ShardlightError
    ├── ModelError
    │   ├── UnknownModelError         no such name in the catalog, no such file, no such hub id
    │   ├── ModelNotInstalledError    a known model whose files are not on this machine
    │   ├── InvalidModelFileError     a file is there, but it is not a usable GGUF
    │   ├── HardwareProfileError      a description of a machine that cannot be used
    │   ├── PlanError                 no way to run this model on this machine
    │   └── DownloadError
    │       ├── SourceUnavailableError   no network, a mirror without the part, a refusing hub
    │       ├── ChecksumError            bytes arrived, but not the promised ones
    │       └── DiskSpaceError           too little room, seen before or during the download
    ├── EngineError                   raised inside the engine process
    │   ├── ModelLoadError            llama.cpp could not load the model
    │   │   └── OutOfMemoryError          for want of memory
    │   ├── InvalidRequestError       the client asked for something impossible (HTTP 400)
    │   └── DecodeError               llama.cpp failed while evaluating
    │       └── DecodeAbortedError        it was told to stop
    ├── BackendError                  raised on the client's side of the wire
    │   ├── EngineStartError          the engine process did not come up
    │   ├── BackendUnavailableError   no answer, or the answer broke off
    │   │   ├── BackendGoneError          nobody listens there, or no longer
    │   │   ├── BackendStuckError         it is there, and nothing comes of what is asked
    │   │   └── BackendKeyError           a server elsewhere wants another key
    │   └── BackendRejectedError      an answer that says no, with its reason
    ├── PromptError                   a template is missing, or names a variable it is not given
    └── RefusedError                  an action that cannot be done well, with the reason

Each carries a sentence that says what is wrong (``str(error)``) and, where there is one, a second that says
the way out (``error.hint``). Anything else that is raised is a defect of ours.
"""

from __future__ import annotations


class ShardlightError(Exception):
    """Base of all errors meant for a person.

    Args:
        message: what is wrong, naming the file, field or shard.
        hint: what to do about it; empty if there is nothing to be done.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


class ModelError(ShardlightError):
    """Something about a model's name or files."""


class UnknownModelError(ModelError):
    """No such name in the catalog, no such file, no such hub id."""


class ModelNotInstalledError(ModelError):
    """A known model whose files are not on this machine."""


class InvalidModelFileError(ModelError):
    """A file is there, but it is not a usable GGUF."""


class HardwareProfileError(ModelError):
    """A description of a machine that cannot be used."""


class PlanError(ModelError):
    """No way to run this model on this machine, with what would fit instead."""


class DownloadError(ModelError):
    """A download did not complete; what has arrived is kept for the next try."""


class SourceUnavailableError(DownloadError):
    """No network, a mirror without the part, a refusing hub."""


class ChecksumError(DownloadError):
    """Bytes arrived, but not the promised ones."""


class DiskSpaceError(DownloadError):
    """Too little room, seen before or during the download."""


class EngineError(ShardlightError):
    """Raised inside the engine process."""


class ModelLoadError(EngineError):
    """llama.cpp could not load the model."""


class OutOfMemoryError(ModelLoadError):
    """llama.cpp could not load the model for want of memory."""


class InvalidRequestError(EngineError):
    """The client asked for something impossible (HTTP 400)."""


class DecodeError(EngineError):
    """llama.cpp failed while evaluating."""


class DecodeAbortedError(DecodeError):
    """llama.cpp stopped evaluating because it was told to."""


class BackendError(ShardlightError):
    """Raised on the client's side of the wire."""


class EngineStartError(BackendError):
    """The engine process did not come up."""


class BackendUnavailableError(BackendError):
    """No answer, or the answer broke off."""


class BackendGoneError(BackendUnavailableError):
    """Nobody listens there, or no longer."""


class BackendStuckError(BackendUnavailableError):
    """It is there, and nothing comes of what is asked."""


class BackendKeyError(BackendUnavailableError):
    """A server elsewhere wants another key, or one at all; keys change."""


class BackendRejectedError(BackendError):
    """An answer that says no, with its reason."""


class PromptError(ShardlightError):
    """A template is missing, or names a variable it is not given."""


class RefusedError(ShardlightError):
    """An action that cannot be done well, with the reason."""
