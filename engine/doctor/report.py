"""What a check found: one sentence a finding, and whether the task may be trained and resumed exactly."""

from __future__ import annotations

from typing import Literal

import msgspec

Kind = Literal["misfit", "inexact", "note"]
"""`misfit`: a batch cannot be trained or evaluated as meant. `inexact`: a resumed run may differ. `note`: neither."""

POSSIBLE = " is not in the checkpoint. If "  # in a warning of a number that changes, which may be there for a log line


class Finding(msgspec.Struct, frozen=True):
    """One thing that a check found."""

    kind: Kind
    message: str


class Report(msgspec.Struct):
    """The findings of a check, and what was compared."""

    task: str
    findings: list[Finding] = []
    batches: int = 0
    """Training batches of each of the two trainings that were compared; 0 where none was."""
    compared: bool = False
    """A resume in a new process was compared with an uninterrupted training."""

    @property
    def exact(self) -> bool:
        """Whether nothing was found that fails a batch or makes a resume inexact."""
        return all(finding.kind == "note" for finding in self.findings)

    def add(self, kind: Kind, message: str) -> None:
        """Add a finding, unless it was found already."""
        finding = Finding(kind, message)
        if finding not in self.findings:
            self.findings.append(finding)

    def settle(self) -> None:
        """Make notes of the causes that a comparison has refuted, and drop those that were only possible ones."""
        self.findings = [
            Finding("note", f"{finding.message} In this check the bits were the same.")
            if finding.kind == "inexact"
            else finding
            for finding in self.findings
            if finding.kind != "inexact" or POSSIBLE not in finding.message
        ]

    def conclusion(self) -> str:
        """Return the result of the check in one line."""
        if any(finding.kind == "misfit" for finding in self.findings):
            return "The task cannot be trained as it is."
        if not self.exact:
            return "A resumed run may differ from an uninterrupted one."
        if self.compared:
            return (
                f"Exact: after a save and a resume in a new process, weights, optimizer and metrics had the same bits as"
                f" {self.batches} batches in one go."
            )
        return "One batch of training and one of evaluation fit. Give --resume to test a resume in a new process."
