"""HTTP/1.1 in front of whatever answers requests: a conversation for `ConversationServer`, plain or over TLS."""

from impairlab.sim_hardware.transports.http.conversation import Handler, HttpConversation
from impairlab.sim_hardware.transports.http.messages import (
    HttpRequest,
    HttpResponse,
    Json,
    json_response,
    plain_response,
)
from impairlab.sim_hardware.transports.http.multipart import Part, read_form
from impairlab.sim_hardware.transports.http.parser import RequestParser
from impairlab.sim_hardware.transports.http.tls import TlsConversation

__all__ = [
    "Handler",
    "HttpConversation",
    "HttpRequest",
    "HttpResponse",
    "Json",
    "Part",
    "RequestParser",
    "TlsConversation",
    "json_response",
    "plain_response",
    "read_form",
]
