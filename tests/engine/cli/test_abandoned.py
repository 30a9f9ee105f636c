"""A process that was interrupted ends without closing what was abandoned."""

import subprocess
import sys

import pytest

PROGRAM = """
import sys
from sonorama.engine.cli.abandoned import abandon, end_process
class Encoder:
    def __del__(self):
        sys.stdout.write("closed")
if {abandons}:
    abandon(Encoder())
else:
    Encoder()
sys.stdout.write("said ")
sys.exit(end_process(143))
"""


@pytest.mark.parametrize(("abandons", "said"), [(True, "said "), (False, "closedsaid ")])
def test_what_was_abandoned_is_not_closed(abandons: bool, said: str) -> None:
    command = [sys.executable, "-c", PROGRAM.format(abandons=abandons)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (143, said, "")
