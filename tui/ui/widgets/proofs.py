"""What was found out about a key: a line for each grant."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from tui.api.grants import Catalogue
from tui.keys.verification import READING_ONLY, Proof, Reading, Verification

_MARKS = {
    Reading.GRANTED: ("✓", "$text-success", "granted"),
    Reading.REFUSED: ("✗", "$text-error", "refused"),
    Reading.NOT_ACCEPTED: ("✗", "$text-error", "key not accepted"),
    Reading.CANNOT_BE_SHOWN: ("–", "$text-muted", "can't be shown"),  # noqa: RUF001  # a dash
    Reading.NO_ANSWER: ("!", "$text-warning", "no answer"),
}


class Proofs(Static):
    """A verification as it goes on: the key itself first, then every grant."""

    DEFAULT_CSS = """
    Proofs { height: auto; }
    """

    def show(self, verification: Verification | None, catalogue: Catalogue) -> None:
        """Tell what is known so far."""
        self.update(Content("") if verification is None else tell(verification, catalogue))


def tell(verification: Verification, catalogue: Catalogue) -> Content:
    """Return a verification in lines: mark, grant, reading, and why it says no more."""
    accepted = {
        Reading.GRANTED: "The server accepts the key.",
        Reading.NOT_ACCEPTED: "The server does not accept the key.",
    }.get(verification.alive, "Whether the server accepts the key is not known yet.")
    mark, style, _ = _MARKS[verification.alive]
    lines = [Content.assemble((f"{mark} ", style), (accepted, "bold"))]
    lines += [_line(proof, catalogue) for proof in verification.proofs]
    for grant in verification.awaited:
        lines.append(Content.styled(f"⋯ {catalogue.label(grant)}", "$text-muted"))
    lines += [Content.styled(f"! {hint}", "$text-warning") for hint in verification.hints]
    return Content("\n").join(lines)


def _line(proof: Proof, catalogue: Catalogue) -> Content:
    mark, style, words = _MARKS[proof.reading]
    took = f" in {proof.seconds * 1000:.0f} ms" if proof.seconds is not None else ""
    why = f"\n    {proof.why}" if proof.why else ""
    if proof.why == READING_ONLY:
        why = "  by reading only"
    return Content.assemble(
        (f"{mark} ", style),
        f"{catalogue.label(proof.grant)}: {words}{took}",
        (why, "$text-muted"),
    )
