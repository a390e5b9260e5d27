"""The application as a server of the Model Context Protocol: its agents and workflows are tools of any client.

offers   what is offered, and what a call does      server   the protocol, by the SDK
stdio    on stdin and stdout: `vega mcp serve`      mount    on `/mcp` of the HTTP server
"""
