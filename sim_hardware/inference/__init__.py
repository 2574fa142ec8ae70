"""A simulated inference service: the OpenAI-compatible API over a model of continuous batching, on real sockets."""

from .faults import EngineFreeze, Fault, HttpError, StreamFreeze, StreamReset, TruncatedStream
from .hosting import RunningService, serve_inference
from .profiles import PROFILES, Profile
from .service import ServedRequest

__all__ = [
    "PROFILES",
    "EngineFreeze",
    "Fault",
    "HttpError",
    "Profile",
    "RunningService",
    "ServedRequest",
    "StreamFreeze",
    "StreamReset",
    "TruncatedStream",
    "serve_inference",
]
