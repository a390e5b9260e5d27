"""The HTTP server: chat, dashboard and automation over one application. Quart and hypercorn are imported only here."""
