"""What does not hold yet, by test: whoever mends it takes its line out."""

CLOSED = "sync of a transport that is closed meanwhile raises LinkClosed"
PUBLISHED = "publish does not look at the size limit"
TOO_MANY = "capabilities have no bound where they are named"
PORTS = "a server has stopped before its ports are free"

FAILING = {
    "test_nobody_is_heard_after_a_restart_when_the_listeners_have_gone[memory]": (
        "MemoryHub.restart leaves publishers with the listeners of before"
    ),
    "test_sync_of_a_transport_that_is_closed_meanwhile_is_unreachable[memory]": CLOSED,
    "test_sync_of_a_transport_that_is_closed_meanwhile_is_unreachable[cosmo]": CLOSED,
    "test_what_is_published_over_the_limit_goes_nowhere_and_harms_nothing[memory]": PUBLISHED,
    "test_what_is_published_over_the_limit_goes_nowhere_and_harms_nothing[cosmo]": PUBLISHED,
    "test_the_limit_binds_who_sends_and_not_who_is_sent_to[cosmo]": (
        "the sockets of a client cut off what is over its own limit"
    ),
    "test_more_capabilities_than_fit_are_refused_where_they_are_named[memory-names0]": TOO_MANY,
    "test_more_capabilities_than_fit_are_refused_where_they_are_named[memory-names1]": TOO_MANY,
    "test_more_capabilities_than_fit_are_refused_where_they_are_named[cosmo-names0]": TOO_MANY,
    "test_more_capabilities_than_fit_are_refused_where_they_are_named[cosmo-names1]": TOO_MANY,
}
SOMETIMES_FAILING = {
    "test_a_server_that_stops_tells_its_dendrites_and_is_found_when_it_is_back": PORTS,
    "test_a_server_that_has_stopped_left_its_ports_to_the_next": PORTS,
}
