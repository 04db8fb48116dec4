"""Where a secret goes when the operator says so: a clipboard, a new file, or the plain screen.

All words about delivery live here.
"""

from tui.delivery.clipboard import Sent, send_to_clipboard
from tui.delivery.file import DeliveryFailed, Reason, suggested_file_name, write_secret_file
from tui.delivery.view import plain_view

__all__ = [
    "DeliveryFailed",
    "Reason",
    "Sent",
    "plain_view",
    "send_to_clipboard",
    "suggested_file_name",
    "write_secret_file",
]
