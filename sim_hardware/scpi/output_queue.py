"""The responses of one session in order: units joined into messages, some held until an operation is done."""

from collections import deque

from impairlab.sim_hardware.scpi.operations import Later

Part = str | Later
"""One unit's response: there, or held until the pending operations are done."""


class OutputQueue:
    """What waits to be read, one unit after the other (IEEE 488.2 6.1.10)."""

    def __init__(self) -> None:
        self.clear()

    def __bool__(self) -> bool:
        return bool(self._parts or self._left)

    def clear(self) -> None:
        """Forget everything, what has been taken of the first message included."""
        self._parts: deque[Part | None] = deque()
        self._whole = 0
        self._begun = False
        self._open = False
        self._left = ""
        self._left_ends = False
        self.size = 0

    @property
    def ready(self) -> bool:
        """Whether the first unit is there and not held, which is what MAV tells."""
        return bool(self._left) or (bool(self._parts) and _settled(self._parts[0]))

    def put(self, part: Part) -> None:
        """Append a unit to the message under way."""
        self._parts.append(part)
        self._open = True
        self.size += _size(part)

    def end_message(self) -> None:
        """End the message under way; nothing happens where no unit was put."""
        if self._open:
            self._parts.append(None)
            self._whole += 1
            self._open = False

    def take(self, most: int, stop_at: str = "") -> tuple[bytes, bool] | None:
        """Remove and return up to `most` bytes of the first message and whether they end it; None when none is ready.

        The first `stop_at` among them, a character, is the last one taken.
        """
        text, ends = self._left, self._left_ends
        while len(text) < most and not ends and (piece := self._take_piece()):
            text, ends = text + piece[0], piece[1]
        if stop_at and (stop := text.find(stop_at, 0, most)) >= 0:
            most = stop + 1
        self._left = text[most:]
        self._left_ends = ends and bool(self._left)
        return (text[:most].encode("latin-1"), ends and not self._left) if text else None

    def _take_piece(self) -> tuple[str, bool] | None:
        while self._parts and _settled(self._parts[0]):
            part = self._parts.popleft()
            if part is None:
                self._whole -= 1
                if self._begun:
                    self._begun = False
                    return "\n", True
                continue
            self.size -= _size(part)
            text = part.text if isinstance(part, Later) else part
            if text is not None:
                separator, self._begun = ";" if self._begun else "", True
                return separator + text, False
        return None

    def take_messages(self) -> list[bytes]:
        """Remove and return the messages that are ready as a whole, each with its new line, in order.

        For a byte stream.
        """
        ready = []
        while self._whole and self._first_is_settled():
            texts = []
            while (part := self._parts.popleft()) is not None:
                self.size -= _size(part)
                text = part.text if isinstance(part, Later) else part
                if text is not None:
                    texts.append(text)
            self._whole -= 1
            begun, self._begun = self._begun, False
            if begun and texts:
                texts[0] = f";{texts[0]}"
            if begun or texts:
                ready.append(f"{';'.join(texts)}\n".encode("latin-1"))
        return ready

    def _first_is_settled(self) -> bool:
        for part in self._parts:
            if part is None:
                return True
            if not _settled(part):
                return False
        return False


def _settled(part: Part | None) -> bool:
    return not isinstance(part, Later) or part.settled


def _size(part: Part) -> int:
    """Return what a unit counts for, the same before and after it is settled."""
    return 1 if isinstance(part, Later) else len(part) + 1
