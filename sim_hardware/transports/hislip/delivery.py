"""Which response belongs to which message, and whether the client has read it: MessageIDs and RMT-delivered. Pure.

Source: IVI-6.1, 3.1.1 (interrupted errors in synchronized mode), 3.2 (overlapped mode), 6.14 (MAV in a status query).
"""

FIRST_ID = 0xFFFF_FF00
ID_STEP = 2

_ID_MASK = 0xFFFF_FFFF
_FURTHEST_AHEAD = 64


def next_id(message_id: int) -> int:
    """Return the MessageID after `message_id`."""
    return (message_id + ID_STEP) & _ID_MASK


class Delivery:
    """What one client has sent and has been sent since the last device clear.

    Attributes:
        overlapped: Whether the session is in overlapped mode.
        received_id: MessageID of the last Data, DataEnd or Trigger; before any, what a client asks the status with.
        unread: RMT-expected: a whole response was sent, and the client has not told yet that it was read.
        unread_ends: How often a message came although the response before it had not been read (IVI-6.1 3.1.1, 2).
        false_reads: How often a client told that it has read a response where none was outstanding.
    """

    def __init__(self, *, overlapped: bool) -> None:
        self.unread_ends = 0
        self.false_reads = 0
        self.restart(overlapped=overlapped)

    def restart(self, *, overlapped: bool) -> None:
        """Begin with the first MessageID, as after a device clear; the counts stay."""
        self.overlapped = overlapped
        self.received_id = FIRST_ID - ID_STEP
        self.unread = False
        self._sent_id = FIRST_ID - ID_STEP

    def received(self, message_id: int, *, delivered: bool) -> bool:
        """Take note of a Data, DataEnd or Trigger.

        Args:
            message_id: Its MessageID.
            delivered: Its RMT-delivered flag.

        Returns:
            Whether it came instead of a read: an interrupted error that is not told to the client.
        """
        self.received_id = message_id
        if self.overlapped:
            return False
        missed, false = self.unread and not delivered, delivered and not self.unread
        self.unread = False
        self.unread_ends += missed
        self.false_reads += false
        return missed

    def is_ahead(self, message_id: int) -> bool:
        """Say whether `message_id` is one that the client has sent, by its own account, and that has not come yet."""
        return 0 < (message_id - self.received_id) & _ID_MASK <= _FURTHEST_AHEAD

    def sending(self, *, end: bool) -> int:
        """Return the MessageID for a Data, or for a DataEnd, that is about to be sent."""
        if self.overlapped:
            self._sent_id = next_id(self._sent_id)
            return self._sent_id
        self.unread = self.unread or end
        return self.received_id

    def message_available(self, asked_id: int, *, delivered: bool, waiting: bool) -> bool:
        """Return MAV for a status query, and take note of its RMT-delivered flag.

        Args:
            asked_id: The query's MessageID. In synchronized mode that of the last message sent (PyVISA-py sends that of
                the next one); in overlapped mode that of the last response read.
            delivered: Its RMT-delivered flag.
            waiting: Whether response bytes wait to be sent.
        """
        if self.overlapped:
            return waiting or asked_id != self._sent_id
        if delivered:
            self.unread = False
        current = asked_id in {self.received_id, next_id(self.received_id)}
        return current and not delivered and (waiting or self.unread)
