"""The test bed: hosts in network namespaces, the gateway, and what is needed to call it and to look at it.

    owner        names that say which process made a thing, and the sweep of what dead ones left
    process      child processes that end with us, and waiting for a line they print
    namespace    one host: a network namespace, its interface, sockets inside it
    network      caller, callee, web and gateway on one switch
    region       huge pages and the region files on them
    settings     the settings file of a gateway, as text
    registry     accounts, modules and numbers of a test, as text
    gateway      the two planes of one gateway
    sanitizer    what programs built with sanitizers are told, and say
    tool         the `tollgate` command line
    web          nginx
    prompt       sounds made by espeak-ng and sox
    scenario     SIPp scenarios, put together from steps
    sipp         SIPp
    conductor    what SIPp tells the test, and what the test tells SIPp
    phone        a far end's RTP: sends and counts
    pcap         captured packets
    capture      a capture that begins and ends exactly
    rtp          the streams in a capture, and what is wrong with them
    cdr          CDR rows
    document     documents
    world        all of that for one case
    check        what every call's capture and records must agree on
    case         what a case can say about itself
    story        the call that shows everything once
"""
