"""The TLS contexts: the certificates of the system, and those of one more file."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

from tui.api.errors import Stage

BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""Where systems keep their trusted authorities; some Python builds do not know their own's."""

_VERIFY_STAGES = {
    **dict.fromkeys((2, 19, 20, 21, 27), Stage.TLS_UNKNOWN_CA),
    **dict.fromkeys((62, 63, 64), Stage.TLS_WRONG_HOST),
    9: Stage.TLS_NOT_YET_VALID,
    10: Stage.TLS_EXPIRED,
    18: Stage.TLS_SELF_SIGNED,
}
"""What OpenSSL's codes for a certificate that it does not accept (X509_V_ERR_...) say of it."""

_NOT_TLS = {
    "WRONG_VERSION_NUMBER",
    "RECORD_LAYER_FAILURE",
    "PACKET_LENGTH_TOO_LONG",
    "HTTP_REQUEST",
    "UNKNOWN_PROTOCOL",
}


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """Return a context that verifies servers by the system's store and `ca_file`.

    Built by hand, since `ssl.create_default_context` would write session secrets to the file that
    SSLKEYLOGFILE names. Raises OSError (SSLError among them) where `ca_file` cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_default_certs()
    if not context.cert_store_stats()["x509_ca"] and "SSL_CERT_FILE" not in os.environ:
        bundle = next(filter(os.path.exists, BUNDLES), None)
        if bundle:
            context.load_verify_locations(bundle)
    if ca_file is not None:
        context.load_verify_locations(ca_file)
        # As with curl, any certificate in the file is trusted by itself: an intermediate
        # authority's, or the server's own.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def no_trust() -> ssl.SSLContext:
    """Return a context that trusts no certificate: plain http needs one, and never uses it."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def is_certificate_wanted(error: BaseException) -> bool:
    """Tell whether a server ended a handshake because the program showed no certificate.

    From TLS 1.3 on, that comes only after the program has begun to send.
    """
    return isinstance(error, ssl.SSLError) and "CERTIFICATE_REQUIRED" in (error.reason or "")


def tls_stage(error: ssl.SSLError) -> Stage:
    """Return what a failed handshake tells about the server, by its codes and not by its text."""
    if not isinstance(error, ssl.SSLCertVerificationError):
        if is_certificate_wanted(error):
            return Stage.TLS_CLIENT_CERTIFICATE
        return Stage.NOT_TLS if error.reason in _NOT_TLS else Stage.TLS_OTHER
    return _VERIFY_STAGES.get(error.verify_code, Stage.TLS_BAD_CERTIFICATE)
