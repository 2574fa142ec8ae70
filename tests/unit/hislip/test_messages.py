"""HiSLIP messages between a client and the server: queries, MessageIDs, interruption, both modes, device clear."""

import struct

from impairlab.sim_hardware.transports.hislip import HislipServer

IDENTITY = b"impairlab,Lamp,L1,1.0\n"
MAV, SERVICE = 0x10, 0x40


def test_query_is_answered_with_its_message_id(client) -> None:
    for _ in range(3):
        used = client.write(b"*IDN?")
        answer = client.receive(client.sync)
        assert answer == (7, 0, used, IDENTITY)
        client.rmt = 1
    assert client.ask(b"SYST:ERR?\n") == b'0,"No error"\n'


def test_message_in_parts_is_put_together_and_answered_with_the_id_of_its_end(client) -> None:
    client.write(b"*ID", kind=6)
    client.write(b"N", kind=6)
    used = client.write(b"?")
    assert client.receive(client.sync) == (7, 0, used, IDENTITY)


def test_version_1_0_is_answered_to_a_client_of_version_2_0(server, open_client) -> None:
    client = open_client(server, version=0x0200)
    assert client.version == 0x0100
    assert client.ask(b"*IDN?") == IDENTITY


def test_empty_sub_address_is_the_same_instrument(server, open_client) -> None:
    assert open_client(server, sub_address=b"").ask(b"*IDN?") == IDENTITY


def test_response_is_cut_to_the_size_that_the_client_takes(client) -> None:
    answer = client.tell(15, payload=struct.pack("!Q", 116))
    assert answer == (16, 0, 0, struct.pack("!Q", 1 << 20))
    used = client.write(b"LONG? 1000")
    pieces = [client.receive(client.sync) for _ in range(11)]
    assert b"".join(piece.payload for piece in pieces) == b"0123456789" * 100 + b"\n"
    assert [(piece.kind, piece.parameter) for piece in pieces] == [(6, used)] * 10 + [(7, used)]
    assert max(len(piece.payload) for piece in pieces) == 100


def test_ten_megabytes_arrive_whole(client) -> None:
    assert client.ask(b"LONG? 10000000") == b"0123456789" * 1_000_000 + b"\n"


def test_message_sent_instead_of_a_read_is_an_error_that_is_not_told(server: HislipServer, client) -> None:
    client.write(b"*IDN?")
    assert client.receive(client.sync).kind == 7
    assert client.write(b"*OPC?", rmt=0)
    assert client.read() == b"1\n"
    assert client.is_quiet(client.asynchronous)
    assert client.ask(b"SYST:ERR?;*ESR?") == b'-410,"Query INTERRUPTED";132\n'
    assert server.sessions[0].delivery.unread_ends == 1


def test_read_flag_that_is_never_cleared_is_counted_and_no_error(server: HislipServer, client) -> None:
    client.ask(b"*IDN?")
    for _ in range(3):
        client.write(b"*CLS", rmt=1)
    assert client.ask(b"SYST:ERR?") == b'0,"No error"\n'
    assert server.sessions[0].delivery.false_reads == 2


def test_message_before_the_response_was_sent_interrupts_it_on_both_channels(client) -> None:
    client.write(b"GLOW 50;*OPC?")
    used = client.write(b"*IDN?")
    assert client.receive(client.asynchronous) == (14, 0, used, b"")
    assert client.receive(client.sync) == (13, 0, used, b"")
    assert client.receive(client.sync) == (7, 0, used, IDENTITY)
    client.rmt = 1
    assert client.ask(b"SYST:ERR?") == b'-410,"Query INTERRUPTED"\n'


def test_two_queries_in_one_segment_interrupt_the_first(client) -> None:
    header = struct.Struct("!2sBBIQ")
    queries = b"".join(header.pack(b"HS", 7, 0, 0xFFFFFF00 + 2 * n, 5) + b"*IDN?" for n in range(2))
    client.sync.sendall(queries)
    client.message_id = 0xFFFFFF04
    assert client.receive(client.asynchronous)[::2] == (14, 0xFFFFFF02)
    assert client.receive(client.sync)[::2] == (13, 0xFFFFFF02)
    assert client.receive(client.sync)[::2] == (7, 0xFFFFFF02)


def test_overlapped_mode_answers_all_with_the_servers_own_ids(client) -> None:
    assert client.clear(features=1) == 1
    for question in (b"*ESE 1;*ESE?", b"*ESE 2;*ESE?", b"*ESE 3;*ESE?"):
        client.write(question)
    answers = [client.receive(client.sync) for _ in range(3)]
    assert [(each.kind, each.parameter, each.payload) for each in answers] == [
        (7, 0xFFFFFF00, b"1\n"), (7, 0xFFFFFF02, b"2\n"), (7, 0xFFFFFF04, b"3\n"),
    ]  # fmt: skip
    assert client.tell(21, 0, 0xFFFFFF02).control & MAV
    assert not client.tell(21, 0, 0xFFFFFF04).control & MAV
    assert client.ask(b"SYST:ERR?") == b'0,"No error"\n'
    assert client.is_quiet(client.asynchronous)


def test_server_may_prefer_overlapped_mode_and_the_client_may_not(instrument, open_client) -> None:
    with HislipServer(instrument, port=0, prefers_overlap=True) as server:
        client = open_client(server)
        assert client.overlapped == 1
        client.write(b"*ESE?")
        client.write(b"*ESE?")
        assert client.read() + client.read() == b"0\n0\n"
        assert client.tell(19).control == 1
        client.send(client.sync, 8, 0)
        assert client.receive(client.sync) == (9, 0, 0, b"")


def test_device_clear_forgets_a_held_response_and_begins_the_ids_anew(client) -> None:
    client.write(b"*ESE 7")
    client.write(b"GLOW 50;*OPC?")
    assert client.clear() == 0
    used = client.write(b"*ESE?")
    assert used == 0xFFFFFF00
    assert client.receive(client.sync) == (7, 0, used, b"7\n")
    client.rmt = 1
    assert client.ask(b"SYST:ERR?") == b'0,"No error"\n'


def test_device_clear_forgets_half_a_message_and_what_follows_until_it_is_complete(client) -> None:
    client.write(b"*ESE 9", kind=6)
    assert client.tell(19).kind == 23
    client.write(b"*ESE 9")
    client.send(client.sync, 8)
    assert client.receive(client.sync).kind == 9
    client.message_id = 0xFFFFFF00
    assert client.ask(b"*ESE?") == b"0\n"


def test_device_clear_stops_a_long_response_between_two_messages(client) -> None:
    client.write(b"LONG? 10000000")
    assert client.clear() == 0
    assert client.ask(b"*IDN?") == IDENTITY


def test_trigger_has_its_id_and_reaches_the_device(client, lamp) -> None:
    used = client.write(b"", kind=12)
    assert client.message_id == used + 2
    assert client.ask(b"*IDN?") == IDENTITY
    assert lamp.triggers == 1


def test_message_longer_than_is_taken_is_lost_whole_and_the_connection_lives(client) -> None:
    client.write(b"*ESE 5;", kind=6)
    client.send(client.sync, 6, 0, client.message_id, bytes((1 << 20) + 1))
    assert client.receive(client.sync)[:2] == (3, 4)
    client.write(b";*ESE 6")
    assert client.ask(b"*ESE?;:SYST:ERR?") == b'0;-363,"Input buffer overrun"\n'


def test_unknown_messages_are_errors_and_the_connection_lives(client) -> None:
    for kind, code in ((99, 1), (200, 3), (21, 1), (8, 1)):
        client.send(client.sync, kind)
        assert client.receive(client.sync)[:2] == (3, code)
    for kind, code in ((99, 1), (200, 3), (7, 1)):
        assert client.tell(kind)[:2] == (3, code)
    assert client.tell(4, 9)[:2] == (3, 2)
    assert client.tell(10, 7)[:2] == (3, 2)
    assert client.tell(15, payload=b"12")[:2] == (3, 0)
    assert client.ask(b"*IDN?") == IDENTITY
