"""Searching: the query language, the rows it is put to, and which grants allow a request.

`query.parse` reads what was typed; `index.Index` prepares rows of text once and tells which of them a
query matches; `highlights.spans` tells which parts of a shown text to highlight. `permissions` answers
"who may POST /api/v1/transmissions?". Nothing here knows Textual or the network.
"""
