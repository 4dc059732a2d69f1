"""Things by growing numbers."""

from zmq_transport.proxy.page_table import PageTable


def test_a_page_begins_behind_a_number_that_may_be_gone():
    numbered = PageTable()
    for number in (3, 5, 8, 9):
        numbered.add(number, f"n{number}")
    numbered.remove(5)

    assert list(numbered) == list(numbered.after(0)) == ["n3", "n8", "n9"]
    assert list(numbered.after(5)) == list(numbered.after(4)) == ["n8", "n9"]
    assert list(numbered.after(9)) == []
    assert len(numbered) == 3


def test_what_was_removed_does_not_pile_up():
    numbered = PageTable()
    for number in range(10_000):
        numbered.add(number, number)
        if number >= 10:
            numbered.remove(number - 10)

    assert len(numbered._numbers) < 200
    assert list(numbered.after(9_994)) == [9_995, 9_996, 9_997, 9_998, 9_999]
