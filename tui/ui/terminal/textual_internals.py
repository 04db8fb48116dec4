"""Every private name of Textual that the program touches; tests/ui checks each one of them."""

from __future__ import annotations

from abc import abstractmethod
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, ClassVar, NamedTuple, TypeVar

from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual._compositor import Compositor, CompositorUpdate, LayoutUpdate
from textual.app import App
from textual.css.model import RuleSet
from textual.css.styles import RulesMap
from textual.css.stylesheet import Stylesheet
from textual.css.types import CSSLocation
from textual.dom import DOMNode
from textual.driver import Driver
from textual.filter import Monochrome, NoColor
from textual.geometry import Offset, Region
from textual.keys import _character_to_key
from textual.screen import Screen
from textual.strip import SGR_STYLES, Strip
from textual.widget import Widget

Result = TypeVar("Result")

_Parsed = tuple[str, CSSLocation, bool, int, str, tuple[tuple[str, str], ...]]

ScreenPiece = tuple[int, int, Sequence[Segment]]
"""A row and a column of the screen, and the text that begins there."""


_Facts = tuple[type[DOMNode], str | None, frozenset[str], object]
"""What selectors ask of one node: type, id, classes and pseudo-classes."""


class _Matched(NamedTuple):
    """What the rules make of all nodes on the same path, and what Textual notes of them."""

    rules: RulesMap
    has_hover_style: bool
    has_focus_within: bool
    has_order_style: bool
    has_odd_or_even: bool


class CachedStylesheet(Stylesheet):
    """Style sheets that are parsed once, and matched once with all nodes that look alike to them.

    Textual parses all of them anew whenever a screen with a sheet of its own is opened first, and
    matches each node with them anew whenever its screen is shown or its focus moves.
    """

    _rules_of: ClassVar[dict[_Parsed, list[RuleSet]]] = {}
    _matches_of: ClassVar[dict[tuple[int, ...], dict[int, _Matched]]] = {}
    _paths: ClassVar[dict[tuple[int, _Facts], int]] = {}

    def __init__(self, *, variables: dict[str, str] | None = None) -> None:
        super().__init__(variables=variables)
        self._matched_rules: list[RuleSet] | None = None
        self._matches: dict[int, _Matched] = {}
        self._known: dict[Any, Any] | None = None

    def _parse_rules(
        self,
        css: str,
        read_from: CSSLocation,
        is_default_rules: bool = False,
        tie_breaker: int = 0,
        scope: str = "",
    ) -> list[RuleSet]:
        variables = tuple(self._variables.items())
        sheet = (css, read_from, is_default_rules, tie_breaker, scope, variables)
        if sheet not in self._rules_of:
            self._rules_of[sheet] = super()._parse_rules(
                css, read_from, is_default_rules, tie_breaker, scope
            )
        return self._rules_of[sheet]

    def reparse(self) -> None:
        """Take in sheets that were added, and variables that were changed."""
        self.parse()

    def apply(
        self, node: DOMNode, *, animate: bool = False, cache: dict[Any, Any] | None = None
    ) -> None:
        """Apply the rules to a node, as they were matched with the last one on the same path.

        `cache` holds for as long as all nodes stay as they are.
        """
        outer = known = self._known
        if known is None or type(node) is not DOMNode:  # such a one is a part of another
            known = {} if cache is None else cache
        self._known = known
        try:
            self._apply(node, self._path(node, known), animate)
        finally:
            self._known = outer

    def _apply(self, node: DOMNode, path: int, animate: bool) -> None:
        if self.rules is not self._matched_rules:
            self._matched_rules = self.rules
            self._matches = self._matches_of.setdefault(tuple(map(id, self.rules)), {})
        matched = self._matches.get(path)
        if matched is None:
            # Textual keeps the result where it holds for others that look alike.
            kept: dict[Any, RulesMap] = {}
            super().apply(node, animate=animate, cache=kept)
            for rules in kept.values():
                self._matches[path] = _Matched(
                    rules,
                    node._has_hover_style,
                    node._has_focus_within,
                    node._has_order_style,
                    node._has_odd_or_even,
                )
            return
        node._has_hover_style = matched.has_hover_style
        node._has_focus_within = matched.has_focus_within
        node._has_order_style = matched.has_order_style
        node._has_odd_or_even = matched.has_odd_or_even
        self.replace_rules(node, matched.rules, animate=animate)
        self._process_component_classes(node)

    @classmethod
    def replace_rules(cls, node: DOMNode, rules: RulesMap, animate: bool = False) -> None:
        """Replace the rules of a node, unless it has the same ones already."""
        if not animate and node.styles.base._rules == rules:
            node.notify_style_update()
        else:
            super().replace_rules(node, rules, animate)

    def _path(self, node: DOMNode, known: dict[Any, int]) -> int:
        """Return a number for all nodes with the same facts, below nodes with the same facts."""
        if node not in known:
            parent = node._parent
            above = self._path(parent, known) if isinstance(parent, DOMNode) else -1
            known[node] = self._paths.setdefault((above, _facts(node)), len(self._paths))
        return known[node]


def _facts(node: DOMNode) -> _Facts:
    pseudo_classes: object = node._pseudo_classes_cache_key
    if isinstance(node, App):
        pseudo_classes = node.pseudo_classes
    return type(node), node._id, frozenset(node._classes), pseudo_classes


class Patch(CompositorUpdate):
    """What an update of a part of the screen draws."""

    def __init__(self, drawn: Sequence[ScreenPiece]) -> None:
        self.pieces = drawn


class PatchCompositor(Compositor):
    """A compositor that for a part of the screen asks no widget but those that are seen there.

    Textual's own asks all that overlap with the smallest rectangle around all changes, also those
    that lie behind, for all of their rows.
    """

    def render_partial_update(self) -> Patch | None:  # type: ignore[override]  # both are updates
        """Return what draws the parts that changed, if any did."""
        regions = self._changed_regions()
        self._dirty_regions.clear()
        return Patch([*self._drawn(regions)]) if regions else None

    def _changed_regions(self) -> list[Region]:
        """Return what is drawn anew, from edge to edge of the widgets there: regions apart."""
        screen = self.size.region
        changed = filter(None, (region.intersection(screen) for region in self._dirty_regions))
        whole = [
            Region(
                first := cuts[bisect_right(cuts, start) - 1],
                y,
                cuts[bisect_left(cuts, end)] - first,
                1,
            )
            for y, start, end in self._regions_to_spans(changed)
            if (cuts := self.cuts[y])
        ]
        spans = [Region(x, y, end - x, 1) for y, x, end in self._regions_to_spans(whole)]
        return [*_stacked(spans)]

    def _drawn(self, regions: Sequence[Region]) -> Iterator[ScreenPiece]:
        """Yield what the widgets draw there, those in front first: they hide what is behind."""
        open_regions = regions
        for widget, (region, clip) in self.visible_widgets.items():
            shown, rest = region.intersection(clip), []
            for part in open_regions:
                drawn = part.intersection(shown)
                if not drawn:
                    rest.append(part)
                    continue
                strips = widget.render_lines(drawn.translate(-region.offset))
                for y, strip in zip(drawn.line_range, strips, strict=True):
                    yield from self._cut(y, drawn.x, strip)
                rest += _around(drawn, part)
            if not rest:
                return
            open_regions = rest

    def _cut(self, y: int, x: int, strip: Strip) -> Iterator[ScreenPiece]:
        """Yield a row's pieces from each edge of a widget to the next, as Textual does.

        It cuts wide characters there; to do so only in some updates would leave halves of them.
        """
        right = x + strip.cell_length
        inner = [cut for cut in self.cuts[y] if x < cut < right]
        if not inner:
            yield y, x, strip._segments
            return
        parts = strip.divide([cut - x for cut in (*inner, right)])
        for start, part in zip((x, *inner), parts, strict=True):
            yield y, start, part._segments


def _around(inner: Region, outer: Region) -> Iterator[Region]:
    """Yield what is left of a region without one inside of it."""
    beside = (
        Region.from_corners(outer.x, outer.y, outer.right, inner.y),
        Region.from_corners(outer.x, inner.y, inner.x, inner.bottom),
        Region.from_corners(inner.right, inner.y, outer.right, inner.bottom),
        Region.from_corners(outer.x, inner.bottom, outer.right, outer.bottom),
    )
    return filter(None, beside)


def _stacked(rows: Iterable[Region]) -> Iterator[Region]:
    """Yield rows that lie below each other as one region each."""
    last: Region | None = None
    for row in sorted(rows, key=lambda row: (row.x, row.width, row.y)):
        if last is not None and row.column_span == last.column_span and row.y == last.bottom:
            last = last.grow((0, 0, row.height, 0))
            continue
        if last is not None:
            yield last
        last = row
    if last is not None:
        yield last


class DiscreetApp(App[Result]):
    """An app that a fault ends with one sentence.

    Textual's own way would print a traceback with the values of all variables.
    """

    @abstractmethod
    def fault_sentence(self, error: Exception) -> str:
        """Return what the operator reads after the program ended because of `error`."""

    def crash(self, error: Exception) -> None:
        """End because of a fault outside of Textual's own handlers."""
        self._handle_exception(error)

    def _register(self, parent: DOMNode, *widgets: Widget, **options: Any) -> list[Widget]:  # noqa: ANN401  # as App has it
        """Have screens that are opened draw no more than what changed."""
        for widget in widgets:
            if isinstance(widget, Screen):
                widget._compositor = PatchCompositor()
        return super()._register(parent, *widgets, **options)

    def _display(self, screen: Any, renderable: Any) -> None:  # noqa: ANN401  # as App has it
        """Have the driver draw, which knows what the terminal shows already."""
        driver = self._driver
        is_picture = isinstance(renderable, LayoutUpdate | Patch)
        if not is_picture or not isinstance(driver, SendingDriver):
            super()._display(screen, renderable)
            return
        if self._running and not self._closed and not self._batch_count:
            cursor = self.screen.outer_size.clamp_offset(self.cursor_position)
            colours = self.console._color_system or ColorSystem.TRUECOLOR
            driver.draw(screen_pieces(renderable), cursor, colours, at_once=self._sync_available)
        self.post_display_hook()

    def action_redraw(self) -> None:
        """Draw all of the screen: something else may have written to the terminal."""
        if isinstance(self._driver, SendingDriver):
            self._driver.redraw()

    def _handle_exception(self, error: Exception) -> None:
        self._return_code = 1
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
            self._exit_renderables.append(Text(self.fault_sentence(error)))
        self._close_messages_no_wait()

    def _print_error_renderables(self) -> None:
        """Say why the program ended, where its terminal is still there."""
        with suppress(OSError):
            super()._print_error_renderables()


class SendingDriver(Driver):
    """A driver that drops frames, but not everything."""

    @abstractmethod
    def send(self, sequence: str) -> None:
        """Send a sequence that must not be dropped."""

    @abstractmethod
    def draw(
        self,
        pieces: Iterable[ScreenPiece],
        cursor: Offset,
        colours: ColorSystem,
        *,
        at_once: bool,
    ) -> None:
        """Draw these, the cursor there; `at_once` where the terminal can show it in one go."""

    @abstractmethod
    def redraw(self) -> None:
        """Draw all of the screen, whatever was drawn before."""


def limit_colours(app: App[Any], colours: ColorSystem | None) -> None:
    """Have an app draw in these colours at most, whatever Textual makes of the environment.

    Where there are none, greys are none either: bold, underlined and reversed text remains.
    """
    app.console._color_system = colours or ColorSystem.STANDARD
    app.no_color = colours is None
    app._filters = [f for f in app._filters if not isinstance(f, Monochrome | NoColor)]
    if colours is None:
        app._filters.append(NoColor())


def make_replaceable(app: App[Any], first: Screen[Any]) -> None:
    """Have `switch_screen` replace the first screen, as it does those that were pushed."""
    first._push_result_callback(app, None)


def write_to_terminal(app: App[Any], sequence: str) -> None:
    """Send an escape sequence to the app's terminal, if it has one.

    `App.copy_to_clipboard` is no way to send a secret: it keeps what it sends.
    """
    if isinstance(app._driver, SendingDriver):
        app._driver.send(sequence)


def name_of_character(character: str) -> str:
    """Return Textual's name for the key that types a character: `a`, `question_mark`, `space`."""
    return _character_to_key(character)


def sgr_codes(style: Style, colours: ColorSystem) -> tuple[str, str, str]:
    """Return the numbers of SGR for a style's attributes, its foreground and its background."""
    bits = style._attributes & style._set_attributes
    attributes = [code for bit, code in enumerate(SGR_STYLES) if bits & (1 << bit)]
    ink, paper = style._color, style._bgcolor
    return (
        ";".join(attributes),
        "39" if ink is None else ";".join(ink.downgrade(colours).get_ansi_codes()),
        "49" if paper is None else ";".join(paper.downgrade(colours).get_ansi_codes(False)),
    )


def screen_pieces(update: LayoutUpdate | Patch) -> Iterator[ScreenPiece]:
    """Yield what an update of the screen draws."""
    if isinstance(update, Patch):
        yield from update.pieces
        return
    for y, strips in enumerate(update.strips, update.region.y):
        x = update.region.x
        for strip in strips:
            yield y, x, strip._segments
            x += strip.cell_length
