"""What the tests and scenarios in Python share; fault_proxy.py, a tool of its own, is beside the support of the C++ tests."""
import pathlib

__path__.append(str(pathlib.Path(__file__).parents[2] / "support"))
