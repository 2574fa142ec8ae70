"""Hold a simulated inference service open: in a thread of its own for tests, or as a process of its own."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from .driver import PreciseSelector
from .faults import Fault
from .profiles import PROFILES, Profile
from .service import InferenceService, ServedRequest

DEFAULT_PROFILE = "dc-8b-h100"
DEFAULT_TOKENS = 128


@dataclass(frozen=True)
class ServiceSpec:
    """All that a service needs to know before it starts. Port 0 asks for a free one."""

    profile: Profile = PROFILES[DEFAULT_PROFILE]
    host: str = "127.0.0.1"
    port: int = 0
    seed: int = 0
    default_tokens: int = DEFAULT_TOKENS
    faults: tuple[Fault, ...] = ()


def precise_loop() -> asyncio.AbstractEventLoop:
    """An event loop whose timers are good to tens of microseconds."""
    return asyncio.SelectorEventLoop(PreciseSelector())


@asynccontextmanager
async def listening(
    spec: ServiceSpec, sink: Callable[[ServedRequest], None]
) -> AsyncIterator[tuple[InferenceService, str]]:
    """The service and its address, inside a running loop; closed on the way out.

    Raises:
        OSError: The address cannot be had.
    """
    service = InferenceService(
        spec.profile, seed=spec.seed, default_tokens=spec.default_tokens, faults=spec.faults, sink=sink
    )
    try:
        host, port = await service.start(spec.host, spec.port)
        yield service, f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    finally:
        await service.close()


@dataclass
class RunningService:
    """A service that is listening in a thread of this process.

    `served` holds one entry for each finished generation request, in the order in which they finished.
    """

    address: str
    model: str
    served: list[ServedRequest]
    _loop: asyncio.AbstractEventLoop
    _service: InferenceService

    def freeze(self, duration_ns: int) -> None:
        """Stop the engine for `duration_ns` from now on, for all requests in it."""
        self._loop.call_soon_threadsafe(self._service.freeze, duration_ns)


class _Thread(threading.Thread):
    """The service's own thread: started, then either `running` or `failed` is set, stopped through `stop`."""

    def __init__(self, spec: ServiceSpec) -> None:
        super().__init__(name="inference-service")
        self._spec = spec
        self._decided = threading.Event()
        self._stop_asked: asyncio.Event | None = None
        self._running: RunningService | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._failure: OSError | None = None

    def run(self) -> None:
        with asyncio.Runner(loop_factory=precise_loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        served: list[ServedRequest] = []
        loop = self._loop = asyncio.get_running_loop()
        self._stop_asked = asyncio.Event()
        try:
            async with listening(self._spec, served.append) as (service, address):
                self._running = RunningService(address, self._spec.profile.name, served, loop, service)
                self._decided.set()
                await self._stop_asked.wait()
        except OSError as error:
            self._failure = error
        finally:
            self._decided.set()

    def wait_running(self) -> RunningService:
        self._decided.wait()
        if self._running is None:
            self.join()
            raise self._failure or RuntimeError("the service thread ended before it listened")
        return self._running

    def stop(self) -> None:
        if self._running is not None and self._loop is not None and self._stop_asked is not None:
            self._loop.call_soon_threadsafe(self._stop_asked.set)
        self.join()


@contextmanager
def serve_inference(
    profile: Profile | str = DEFAULT_PROFILE,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    seed: int = 0,
    default_tokens: int = DEFAULT_TOKENS,
    faults: Sequence[Fault] = (),
) -> Iterator[RunningService]:
    """A simulated inference service in a thread of its own, closed with its connections on the way out.

    Raises:
        KeyError: No profile has that name.
        OSError: The address cannot be had.
    """
    named = PROFILES[profile] if isinstance(profile, str) else profile
    thread = _Thread(ServiceSpec(named, host, port, seed, default_tokens, tuple(faults)))
    thread.start()
    try:
        yield thread.wait_running()
    finally:
        thread.stop()
