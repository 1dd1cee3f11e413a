"""What an operator edits: settings, alerting, phrase packs, prompts, sample calls."""
