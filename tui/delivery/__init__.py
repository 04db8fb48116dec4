"""Where a secret goes when the operator says so: a clipboard, a file, a command, the plain screen.

All words about delivery live here.
"""

from tui.delivery.clipboard import ClipboardDelivery, send_to_clipboard
from tui.delivery.command import CommandDelivery
from tui.delivery.file import write_secret_file
from tui.delivery.file_set import FileDelivery, Form, form_of
from tui.delivery.names import argument_form, suggested_file_name, variable_name
from tui.delivery.parcel import Delivery, DeliveryFailed, Parcel, Reason, Sent
from tui.delivery.reading import NoSecretsRead, read_secrets
from tui.delivery.view import plain_view

__all__ = [
    "ClipboardDelivery",
    "CommandDelivery",
    "Delivery",
    "DeliveryFailed",
    "FileDelivery",
    "Form",
    "NoSecretsRead",
    "Parcel",
    "Reason",
    "Sent",
    "argument_form",
    "form_of",
    "plain_view",
    "read_secrets",
    "send_to_clipboard",
    "suggested_file_name",
    "variable_name",
    "write_secret_file",
]
