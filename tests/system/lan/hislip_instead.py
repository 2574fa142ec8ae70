"""A pytest plug-in: PyVISA's suite for real instruments talks HiSLIP, to the port that HISLIP_PORT names."""

import os

from pyvisa.testsuite.keysight_assisted_tests import RESOURCE_ADDRESSES

RESOURCE_ADDRESSES["TCPIP::INSTR"] = f"TCPIP::127.0.0.1::hislip0,{os.environ['HISLIP_PORT']}::INSTR"
