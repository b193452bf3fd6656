"""The long-running process: threads, health, reload, an orderly end."""
