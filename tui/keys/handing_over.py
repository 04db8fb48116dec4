"""The journal's lines around a delivery: before the secret leaves, and after a failure."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tui.delivery.new_secret import DeliveryFailed, DeliveryFault
from tui.journal import Attempt


@asynccontextmanager
async def handing_over(attempt: Attempt | None) -> AsyncIterator[None]:
    """Note, on the disk, that the secret of a create leaves the program within this block.

    If the program is killed in here or before `stored` is noted, it is not known whether the secret
    was stored. A delivery that failed is noted, but for one that was too slow: it may have worked.
    """
    if attempt is not None:
        attempt.delivering()
        await attempt.settled()
    try:
        yield
    except DeliveryFailed as failure:
        if attempt is not None and failure.reason is not DeliveryFault.TOO_SLOW:
            attempt.undelivered(f"The delivery failed: {failure.reason.value}.")
        raise
