"""The way of a frame: source, mailbox, inference, verdicts, and everyone who listens."""
