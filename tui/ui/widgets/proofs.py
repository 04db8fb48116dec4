"""A verification in lines: whether the key is accepted, then each grant."""

from __future__ import annotations

from textual import events, on
from textual.content import Content
from textual.widgets import Static

from tui.api.grants import Catalogue
from tui.keys.verification import READING_ONLY, Proof, Verdict, Verification

_MARKS = {
    Verdict.GRANTED: ("✓", "$text-success", "granted"),
    Verdict.REFUSED: ("✗", "$text-error", "refused"),
    Verdict.NOT_ACCEPTED: ("✗", "$text-error", "key not accepted"),
    Verdict.CANNOT_BE_SHOWN: ("–", "$text-muted", "can't be shown"),  # noqa: RUF001  # a dash
    Verdict.NO_ANSWER: ("!", "$text-warning", "no answer"),
}


class Proofs(Static):
    """Shows a verification, also one that is still under way."""

    DEFAULT_CSS = """
    Proofs { height: auto; }
    """

    _shown: tuple[Verification, Catalogue] | None = None

    def show(self, verification: Verification | None, catalogue: Catalogue) -> None:
        """Show `verification`; nothing where there is none."""
        self._shown = (verification, catalogue) if verification else None
        self.display = verification is not None
        self._lay_out()

    @on(events.Resize)
    def _lay_out(self) -> None:
        """Break lines where they end at this width."""
        width = self.content_size.width
        self.update(render_verification(*self._shown, width) if self._shown else Content(""))


def render_verification(verification: Verification, catalogue: Catalogue, width: int) -> Content:
    """Return a verification in lines: mark, grant, verdict, and why it says no more.

    What does not fit into `width` cells goes on in an indented line.
    """
    acceptance = {
        Verdict.GRANTED: "The server accepts the key.",
        Verdict.NOT_ACCEPTED: "The server does not accept the key.",
    }.get(verification.alive, "Whether the server accepts the key is not known yet.")
    mark, style, _ = _MARKS[verification.alive]
    lines = [Content.assemble((f"{mark} ", style), (acceptance, "bold"))]
    lines += [_line(proof, catalogue, width) for proof in verification.proofs]
    for grant in verification.awaited:
        lines.append(Content.styled(f"⋯ {catalogue.label(grant)}", "$text-muted"))
    lines += [Content.styled(f"! {hint}", "$text-warning") for hint in verification.hints]
    return Content("\n").join(lines)


def _line(proof: Proof, catalogue: Catalogue, width: int) -> Content:
    mark, style, verdict_text = _MARKS[proof.verdict]
    duration = f" {proof.seconds * 1000:.0f} ms" if proof.seconds is not None else ""
    line = Content.assemble(
        (f"{mark} ", style), f"{catalogue.label(proof.grant)}: {verdict_text}{duration}"
    )
    why = f"\n    {proof.why}" if proof.why else ""
    if proof.why == READING_ONLY:
        words = "by reading only"
        is_fitting = line.cell_length + 2 + len(words) <= width
        why = f"  {words}" if is_fitting else f"\n    {words}"
    return line + Content.styled(why, "$text-muted")
