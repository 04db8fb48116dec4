"""Searching: the query language, the rows it is put to, and which grants allow a request.

A screen makes an `index.Index` of its rows once per listing, in a thread, with `query.prepare()`;
for keys there is `key_rows.index_of_keys`. At each key stroke it gives `query.parse(text)` to
`index.Finder.matches`, which returns row numbers, and for each line that it paints it asks
`highlights.spans` what to highlight. `Unfinished` leaves the last result as it is; `QueryError` has
the column to point at. A reload makes a new index and a new `Finder`.

`permissions` answers "who may POST /api/v1/transmissions?".
"""
