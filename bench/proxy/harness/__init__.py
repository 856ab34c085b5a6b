"""The benchmark of the first hop."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2]))  # bench, which has machine.py
