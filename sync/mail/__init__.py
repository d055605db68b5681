"""Mail: written as a promise with the decision behind it, delivered later.

`outbox` promises, `deliver` sends what is due, `messages` has the words,
`envelope` the headers, `smtp` the conversation; `mailbox` reads the embedded
mailbox back.
"""
