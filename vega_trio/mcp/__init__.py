"""The client of the Model Context Protocol: one supervised connection per server, its tools as ours.

    config       what a server is            registry     the well-known ones
    guardian     a program: runs a server and sees to it that nothing of it outlives us
    process      starts and ends a guardian  stdio, transports   the streams to a server
    definitions  what a server says of its tools, pinned and made safe
    results      what a call gave            connection   one connection, from handshake to loss
    peer         what a server may ask of us
    source       a server over all its connections: its tools, its calls

`mcp`, the SDK, costs most of a second to import: only `connection`, `stdio` and `transports` do, at the first use.
"""
