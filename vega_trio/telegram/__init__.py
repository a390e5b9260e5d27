"""Telegram: a bot in front of the application's agents."""
