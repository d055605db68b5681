"""The sender as a host writes it, and hosts with names of any language."""

import pytest

from sync.mail_address import MailSender, encode_host


@pytest.mark.parametrize(
    ("text", "name", "address"),
    [
        ("Moodmiles <runs@mail.example>", "Moodmiles", "runs@mail.example"),
        ("runs@mail.example", "", "runs@mail.example"),
        ("<runs@mail.example>", "", "runs@mail.example"),
        (" Mo  < runs@mail.example > ", "Mo", "runs@mail.example"),
        ("Laufclub, Köln <mood@k.example>", "Laufclub, Köln", "mood@k.example"),
        ('"Laufclub, Köln" <mood@k.example>', "Laufclub, Köln", "mood@k.example"),
        (r'"The \"Runners\"" <a@k.example>', 'The "Runners"', "a@k.example"),
        ("Mood @ Club <mood@k.example>", "Mood @ Club", "mood@k.example"),
        ("Mood: Miles; <mood@k.example>", "Mood: Miles;", "mood@k.example"),
        ("mood@läufer.example", "", "mood@xn--lufer-gra.example"),
        ("mood@Läufer.Example", "", "mood@xn--lufer-gra.example"),
        ("Moodmiles <moodmiles@localhost>", "Moodmiles", "moodmiles@localhost"),
    ],
)
def test_a_sender_is_a_name_and_one_address(text: str, name: str, address: str) -> None:
    sender = MailSender.parse(text)

    assert (sender.name, sender.address) == (name, address)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Moodmiles",
        "Moodmiles <>",
        "a@b.example, c@d.example",
        "A <a@b.example>, C <c@d.example>",
        "A <a@b.example> and more",
        "A\r\nBcc: x@y.example <a@b.example>",
        "a\x00b@c.example",
        "läufer@club.example",
        "a..b@club.example",
        "@club.example",
        "a@",
        "a@club_house.example",
        "a@-club.example",
        "a@club.example.",
        f"{'a' * 65}@club.example",
        f"a@{'b' * 64}.example",
    ],
)
def test_what_is_no_sender_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        MailSender.parse(text)

    assert "\n" not in str(refused.value)


def test_a_host_that_is_ascii_stays_as_it_is() -> None:
    assert encode_host("mail.example.org") == "mail.example.org"
    assert encode_host("xn--lufer-gra.example") == "xn--lufer-gra.example"
