"""The generator's end of the conversation with its controller: commands from stdin, reports to stdout."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from .protocol import AbortCommand, Command, FailedLine, NotInProtocol, Report, StopCommand, read_command


class Stdio:
    """Commands in order of arrival, and a way to report that never blocks. Made by `open_stdio`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._commands: asyncio.Queue[Command | None] = asyncio.Queue()

    def say(self, report: Report) -> None:
        """Report; what the controller does not read yet is kept."""
        self._writer.write(report.to_line().encode())

    async def command(self) -> Command | None:
        """The next command; None when stdin has ended, after which only signals give commands."""
        return await self._commands.get()

    def take(self, command: Command | None) -> None:
        """Put a command in the queue."""
        self._commands.put_nowait(command)

    async def listen(self) -> None:
        """Read commands until stdin ends. A line that is none is reported, and ends the run."""
        while line := await self._reader.readline():
            try:
                self.take(read_command(line.decode("utf-8", "replace")))
            except NotInProtocol as error:
                self.say(FailedLine(failed=str(error)))
                self.take(AbortCommand(abort=True))
        self.take(None)

    async def flush(self) -> None:
        """Wait until the controller has read everything, or is gone."""
        with suppress(ConnectionError):
            await self._writer.drain()


@asynccontextmanager
async def open_stdio() -> AsyncIterator[Stdio]:
    """Speak over this process's stdin and stdout, which must be pipes or sockets. SIGINT stops, SIGTERM aborts."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    source, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, sys.stdout)
    transport.set_write_buffer_limits(high=0)
    writer = asyncio.StreamWriter(transport, protocol, None, loop)
    stdio = Stdio(reader, writer)
    loop.add_signal_handler(signal.SIGINT, stdio.take, StopCommand(stop=True))
    loop.add_signal_handler(signal.SIGTERM, stdio.take, AbortCommand(abort=True))
    listening = asyncio.create_task(stdio.listen())
    try:
        yield stdio
    finally:
        await stdio.flush()
        listening.cancel()
        source.close()
        writer.close()
