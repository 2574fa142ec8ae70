"""XDR against the standard library of older Pythons, through PyVISA-py's copy of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyvisa_py.protocols import xdrlib

from impairlab.sim_hardware.transports.vxi11.xdr import Reader, TooLongError, XdrError, opaque, unsigned

UNSIGNED = st.integers(0, 2**32 - 1)


@given(UNSIGNED, st.integers(-(2**31), 2**31 - 1), st.booleans(), st.binary(max_size=30))
def test_reads_what_an_independent_packer_wrote(number, signed, flag, data):
    packer = xdrlib.Packer()
    packer.pack_uint(number)
    packer.pack_int(signed)
    packer.pack_bool(flag)
    packer.pack_opaque(data)
    packer.pack_uint(7)
    reader = Reader(packer.get_buf())
    assert (reader.unsigned(), reader.signed(), reader.boolean()) == (number, signed, flag)
    assert (reader.opaque(30), reader.unsigned()) == (data, 7)


@given(UNSIGNED, st.binary(max_size=30))
def test_an_independent_unpacker_reads_what_was_written(number, data):
    unpacker = xdrlib.Unpacker(unsigned(number, 9) + opaque(data))
    assert (unpacker.unpack_uint(), unpacker.unpack_uint(), unpacker.unpack_opaque()) == (number, 9, data)
    unpacker.done()


@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(data):
    for read in (Reader.unsigned, Reader.signed, Reader.boolean, lambda reader: reader.opaque(16)):
        try:
            read(Reader(data))
        except XdrError:
            continue


def test_too_long_is_told_before_any_of_it_is_there():
    with pytest.raises(TooLongError, match="1073741824 bytes announced, at most 16"):
        Reader(unsigned(2**30)).opaque(16)
    with pytest.raises(XdrError, match="8 bytes wanted at 4, 4 are left"):
        Reader(unsigned(8, 0)).opaque(16)
    with pytest.raises(XdrError, match="2 is no boolean"):
        Reader(unsigned(2)).boolean()
