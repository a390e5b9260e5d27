"""Agents that work on agents: teams, Mother and Hermes. Plain agents with tools; the application hands in the rest."""
