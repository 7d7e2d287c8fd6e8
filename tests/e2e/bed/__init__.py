"""The test bed: hosts in network namespaces, the gateway, and what is needed to call it and to look at it.

    owner        names that say which process made a thing, and the sweep of what dead ones left
    process      child processes that end with us, and waiting for a line they print
    namespace    one host: a network namespace, its interface, sockets inside it
    network      caller, callee, web and gateway on one switch
    region       huge pages and the region files on them
    settings     the settings file of a gateway, as text
    registry     accounts, modules and numbers of a test, as text
    gateway      the two planes of one gateway
    tool         the `tollgate` command line
    web          nginx
    prompt       sounds made by espeak-ng and sox
    sipp         SIPp
    conductor    what SIPp tells the test, and what the test tells SIPp
    phone        a far end's RTP: sends and counts
    pcap         captured packets
    capture      a capture that begins and ends exactly
    rtp          the streams in a capture, and what is wrong with them
    cdr          CDR rows
"""
