"""What makes pages live: one change is noticed, rendered once for all who see the same, and sent to each of them.

A page names its view in `data-view`, as `/stream/queue?lane=binds`; a browser listens to `/stream?view=…&view=…`, which
may carry the views of several tabs. Events of the stream:

- a frame (no event name): `{"view", "n", "v", "at", "every_s"}` and what changed: `rows` (id → the whole row as HTML),
  `order` (lane → ids, all lanes), `gone` (id → how it left, in words), `figures` (name → text), `parts` (id of an
  element → that element as HTML), `who` (id → who has it open; all that are known). With `"whole": true` it is all that
  there is, not a difference: what it does not name is not there. Each row and part carries `data-hash`: one that a
  page has already needs no change. `v` is a place in the feed, `n` a place in the stream.
- `beat`: `{"at", "data_at", "service_at", "pbx_at", "stale", "since_at"}`, at least every 5 s, and at once when `stale`
  changes: `database`, `service` or `pbx`, the first of them that is not heard, since when.
- `resync`: what was missed is not known; fetch the page again.
- `bye`: `{"why"}` `ended` (the console stops, or begins again) or `session` (nobody is signed in any more, or with
  other rights); a `retry` says when to come back.

Who comes back says what was read last: by the header `Last-Event-ID`, as browsers do, or by `last=` in the query.
"""
