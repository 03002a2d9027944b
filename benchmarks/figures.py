"""Figures: shares, ranks, memory, and a table of them."""

from __future__ import annotations

import os
import statistics
from collections.abc import Sequence
from pathlib import Path


def tree_rss_mb(pid: int) -> float:
    """Give the memory in RAM of a process and its children; 0 when it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0.0
    resident = next((line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")), "0")
    return int(resident) / 1024 + sum(tree_rss_mb(int(child)) for child in children)


def cpu_s(pid: int) -> float:
    """Give the CPU seconds that a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rank(values: Sequence[float], share: float) -> float:
    """Give the value that this share of all does not exceed; 0 where there is none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def spread(values: Sequence[float]) -> str:
    """Show the median, and between what the values lie."""
    return f"{statistics.median(values):,.0f} ({min(values):,.0f}-{max(values):,.0f})"


def load() -> str:
    """Show how busy the machine was in the last minute."""
    return f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
