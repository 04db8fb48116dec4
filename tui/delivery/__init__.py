"""Where a secret goes when the operator says so: a clipboard, a file, a command, the plain screen.

All words about delivery live here.
"""

from tui.delivery.clipboard import send_to_clipboard
from tui.delivery.command import CommandDelivery
from tui.delivery.file_set import FileDelivery, Form, form_of
from tui.delivery.names import argument_form, suggested_file_name, variable_name
from tui.delivery.new_secret import Delivery, DeliveryFailed, DeliveryFault, NewSecret, Sent
from tui.delivery.plain_view import plain_view
from tui.delivery.read_back import NoSecretsRead, read_secrets
from tui.delivery.secret_file import does_not_answer, typed_path, write_secret_file

__all__ = [
    "CommandDelivery",
    "Delivery",
    "DeliveryFailed",
    "DeliveryFault",
    "FileDelivery",
    "Form",
    "NewSecret",
    "NoSecretsRead",
    "Sent",
    "argument_form",
    "does_not_answer",
    "form_of",
    "plain_view",
    "read_secrets",
    "send_to_clipboard",
    "suggested_file_name",
    "typed_path",
    "variable_name",
    "write_secret_file",
]
