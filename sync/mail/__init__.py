"""Mail: enqueued with the decision behind it, delivered later.

`outbox` enqueues, `deliver` sends what is due; `kinds` has one module for each kind
of mail, `layouts` and `templates` the forms that they share, `envelope` the headers,
`smtp` the connection; `mailbox` reads the embedded mailbox.
"""
