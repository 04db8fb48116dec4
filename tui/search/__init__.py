"""Searching: the query language, the rows it is put to, and which grants allow a request.

A screen makes a search of its rows once per listing: `matches.TextSearch` of an `index.Index`, or
`key_search.KeySearch`, in a thread. At each key stroke it gives `matches` what is typed, which
returns row numbers, and for each line that it paints it asks `highlights.spans` what to highlight.
`UnfinishedQuery` leaves the last result as it is; `QueryError` has the column to point at. A reload
makes a new search.

`permissions` answers "who may POST /api/v1/transmissions?".
"""
