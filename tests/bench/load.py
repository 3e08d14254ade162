"""Where the load comes from: the C agent, compiled when it is needed, or the Python one."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["agent_command"]

HERE = Path(__file__).parent


def agent_command(folder: Path) -> tuple[str, ...]:
    """Return how to run the load agent; it is compiled into `folder` if there is a compiler that can."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is not None:
        program = str(folder / "agent")
        made = subprocess.run([compiler, "-O2", "-o", program, str(HERE / "agent.c")], capture_output=True, text=True)
        if made.returncode == 0:
            return (program,)
        print(f"{compiler} cannot compile agent.c, so the load comes from Python:\n{made.stderr}", file=sys.stderr)
    return (sys.executable, "-S", "-E", str(HERE / "agent.py"))
