"""Transcripts: recorded from each box that can be replayed, replayed through its driver, and tampered with."""

import json
import re
from contextlib import contextmanager

import pytest
from scripted_netropy import FINGERPRINT, KEY, Netropy

from impairlab.drivers import connect
from impairlab.drivers.model.errors import FileError
from impairlab.drivers.testing.replay import TranscriptMismatch, replay
from impairlab.drivers.testing.ssh_peer import House, ssh_peer
from impairlab.drivers.testing.transcript import read_transcript, record_transcript
from impairlab.drivers.testing.transcripts import TranscriptContract
from impairlab.sim_hardware.appliance import SimulatedAppliance
from impairlab.sim_hardware.attero import SimulatedAttero
from impairlab.sim_hardware.chimera import SimulatedChimera
from impairlab.sim_hardware.itrinegy import SimulatedNeOne
from impairlab.sim_hardware.lanforge import SimulatedLanforge
from impairlab.sim_hardware.planes import NullPlane
from impairlab.sim_hardware.sne import SimulatedSne

SECRET = "s3cret-of-the-lab"  # noqa: S105 - of nobody
MAP = {"mapName": "wan", "format": "impairlab-1",
       "links": [{"from": a, "to": 1 - a, "disruptors": [{"name": f"D{a}", "type": "PacketDelayDisruptor"}]}
                 for a in (0, 1)]}  # fmt: skip


@contextmanager
def scpi(_folder):
    with SimulatedAppliance(NullPlane()) as simulator:
        yield "tcp://{}:{}".format(*simulator.serve_scpi("127.0.0.1", 0)), None


@contextmanager
def chimera(_folder):
    with SimulatedChimera(NullPlane(), password=SECRET) as simulator:
        yield simulator.address, SECRET


@contextmanager
def attero(_folder):
    with SimulatedAttero(NullPlane()) as simulator:  # the answer to the challenge of its login cannot be replayed
        yield simulator.address, None


@contextmanager
def netropy(_folder):
    with ssh_peer(Netropy().serve, House(KEY, passwords={"admin": SECRET})) as (host, port):
        yield f"ssh://admin@{host}:{port}?paths=1,2&line=1Gbps&fingerprint={FINGERPRINT}", SECRET


@contextmanager
def lanforge(_folder):
    with SimulatedLanforge(NullPlane()) as simulator:
        yield f"{simulator.address}&line=1Gbps", None


@contextmanager
def ne_one(_folder):
    with SimulatedNeOne(NullPlane(), passwords={"lab": SECRET}) as simulator:
        yield simulator.address, SECRET


@contextmanager
def sne(folder):
    (folder / "wan.json").write_text(json.dumps(MAP))
    with SimulatedSne(NullPlane(), users={"admin": SECRET}, update_ns=1_000_000) as simulator:
        settings = "?user=admin&auth=bearer"
        connect(f"{simulator.address}{settings}&upload={folder}/wan.json", "calnex-sne", secret=SECRET).close()
        yield f"{simulator.address}{settings}&map=wan", SECRET


EXERCISE = {"scpi": "look-and-write", "calnex-attero100g": "look-and-write", "apposite-netropy": "look-and-write",
            "lanforge-ice": "look-and-write", "itrinegy-ne1": "look-and-write"}  # fmt: skip
"""What is short enough to be written here; the others are looked at."""

BOXES = {"scpi": scpi, "xena-chimera": chimera, "calnex-attero100g": attero, "calnex-sne": sne,
         "apposite-netropy": netropy, "lanforge-ice": lanforge, "itrinegy-ne1": ne_one}  # fmt: skip


@pytest.fixture(scope="module", params=BOXES)
def recorded(request, tmp_path_factory):
    """A transcript; whoever recorded it is gone."""
    folder = tmp_path_factory.mktemp("transcript")
    with BOXES[request.param](folder) as (address, secret):
        results = list(
            record_transcript(folder / "box.jsonl", request.param, address, EXERCISE.get(request.param, "look"), secret)
        )
    assert results[0][0] == "identity"
    return folder / "box.jsonl"


@pytest.fixture(scope="module")
def of_scpi(tmp_path_factory):
    """A short transcript, to tamper with."""
    folder = tmp_path_factory.mktemp("scpi")
    with scpi(folder) as (address, _):
        list(record_transcript(folder / "box.jsonl", "scpi", address, "look"))
    return folder / "box.jsonl"


@pytest.fixture(scope="module")
def of_netropy(tmp_path_factory):
    """A short transcript of a shell, to tamper with."""
    folder = tmp_path_factory.mktemp("netropy")
    with netropy(folder) as (address, secret):
        list(record_transcript(folder / "box.jsonl", "apposite-netropy", address, "look", secret))
    return folder / "box.jsonl"


class TestRecordedFromSimulators(TranscriptContract):
    @pytest.fixture(autouse=True)
    def _one(self, recorded):
        self.transcript = recorded


def test_it_says_how_it_came_about_and_no_secret(recorded):
    transcript = read_transcript(recorded)
    assert BOXES[transcript.header.driver]
    assert transcript.header.versions["impairlab"]
    assert SECRET not in recorded.read_text()
    was_written = any(done.startswith("set ") for done, _ in transcript.results)
    assert was_written == (transcript.results[-1] == ("restored", True)) == (transcript.header.driver in EXERCISE)


def tampered(of_scpi, tmp_path, direction, change):
    """Return a copy in which the last line of a direction that `change` alters is altered, and its number."""
    lines = of_scpi.read_text().splitlines()
    for at in reversed(range(len(lines))):
        record = json.loads(lines[at])
        if record["direction"] == direction and (text := change(record["text"])) != record["text"]:
            lines[at] = json.dumps(record | {"text": text})
            (tmp_path / "tampered.jsonl").write_text("\n".join(lines) + "\n")
            return tmp_path / "tampered.jsonl", at + 1
    raise AssertionError("there is nothing to alter")


@pytest.mark.parametrize("recording", ["of_scpi", "of_netropy"])
def test_a_line_that_was_never_sent_is_named(recording, request, tmp_path):
    path, number = tampered(request.getfixturevalue(recording), tmp_path, "sent", lambda text: f"{text}X")
    with pytest.raises(TranscriptMismatch, match=rf"differs at line {number}: expected '.*X', got "):
        replay(read_transcript(path))


def test_an_answer_that_was_never_given_makes_a_difference(of_scpi, tmp_path):
    path, _ = tampered(of_scpi, tmp_path, "received", lambda text: re.sub(r"\d", lambda n: str(9 - int(n[0])), text))
    with pytest.raises(TranscriptMismatch):
        replay(read_transcript(path))


def test_what_a_shell_never_showed_makes_a_difference(of_netropy, tmp_path):
    (tmp_path / "tampered.jsonl").write_text(of_netropy.read_text().replace("Delay: None", "Delay: Constant 25 ms"))
    with pytest.raises(TranscriptMismatch, match=r"programmed path 1 a-b: expected .*, got .*25"):
        replay(read_transcript(tmp_path / "tampered.jsonl"))


def test_a_result_that_never_came_is_named(of_scpi, tmp_path):
    path, _ = tampered(of_scpi, tmp_path, "event", lambda text: text.replace('"manufacturer": "', '"manufacturer": "X'))
    with pytest.raises(TranscriptMismatch, match=r"identity: expected .*'X.*, got identity: "):
        replay(read_transcript(path))


def test_a_transcript_that_was_cut_short_is_noticed(of_scpi, tmp_path):
    lines = of_scpi.read_text().splitlines(keepends=True)
    (tmp_path / "short.jsonl").write_text("".join(lines[: len(lines) // 2]))
    with pytest.raises(TranscriptMismatch, match=r"after its end: got|results, expected|nothing more"):
        replay(read_transcript(tmp_path / "short.jsonl"))


def test_a_wire_log_without_a_header_is_no_transcript(tmp_path):
    (tmp_path / "wire").write_text('{"ns": 1, "direction": "sent", "text": "*IDN?"}\n')
    with pytest.raises(FileError, match="has no header"):
        read_transcript(tmp_path / "wire")
