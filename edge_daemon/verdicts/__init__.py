"""From p_yes to verdicts and events: pure state machines; time comes in as an argument."""
