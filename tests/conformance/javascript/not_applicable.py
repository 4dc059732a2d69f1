"""The tests of the suite that cannot apply to the JavaScript client, each with its reason.

They are skipped for these harnesses alone, and each skip says why. Nothing else is left out.
"""

_REPEATED = (
    "it asserts that no reply comes twice, and a Dendrite asks again for one that takes over a "
    "second: 30 MB take longer through the pipe of the subject"
)
_BLOCKED = (
    "60,000 calls through the pipe block the loop of the Python listener for longer than its "
    "Synapse waits for a sign of life"
)
EVERYWHERE = {"test_last_replies_that_find_no_room_come_when_there_is": _REPEATED}
OURS_LISTENS = {
    **EVERYWHERE,
    "test_under_a_flood_everything_is_heard_or_counted_as_missed": _BLOCKED,
}
