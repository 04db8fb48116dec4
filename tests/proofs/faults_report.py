"""For each row of docs/faults.md: the tests that show it, and what came of them.

Run by hand: `python -m tests.proofs.faults_report [OPTION …]`; options go to pytest. It runs the
tests that tests/proofs/fault_tests.toml names, and ends with 1 where a row isn't covered or a test
fails.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

from tests.proofs.fault_rows import ROOT, begin_of, names_in, places_of_tests, rows, shown_by


def results_of(places: list[str], options: list[str]) -> dict[str, list[bool]]:
    """Run tests; return for each place whether its cases passed."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}", *options]
        subprocess.run([*command, *places], cwd=ROOT, check=False)  # noqa: S603  # its own tests
        cases = ElementTree.parse(report).iter("testcase")  # noqa: S314  # pytest's own
        results: dict[str, list[bool]] = {}
        for case in cases:
            path = case.attrib["classname"].replace(".", "/")
            place = f"{path}.py::{case.attrib['name'].partition('[')[0]}"
            failed = any(case.find(kind) is not None for kind in ("failure", "error", "skipped"))
            results.setdefault(place, []).append(not failed)
    return results


def main(options: list[str]) -> int:
    """Print the table; return 1 where something in it is wrong."""
    table, ids = shown_by(), places_of_tests()
    names = names_in(table)
    results = results_of(sorted(place for name in names for place in ids.get(name, [])), options)
    wrong = 0
    for row in rows():
        begin = begin_of(row, table)
        tests = table[row.section][begin] if begin else "NOT COVERED"
        wrong += begin is None
        sys.stdout.write(f"\n{row.section}  {row.text[:90]}\n")
        if isinstance(tests, str):
            sys.stdout.write(f"     - {tests}\n")
            continue
        for name in tests:
            passed = [ok for place in ids.get(name, []) for ok in results.get(place, [])]
            sign = "✓" if passed and all(passed) else "✗"
            wrong += sign == "✗"
            sys.stdout.write(f"     {sign} {name} ({sum(passed)} of {len(passed)})\n")
    sys.stdout.write(f"\n{len(rows())} rows, {len(names)} tests, {wrong} wrong\n")
    return min(wrong, 1)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
