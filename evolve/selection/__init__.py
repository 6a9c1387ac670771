"""Who breeds, and by which operator: functions of the archive and of what was told before, with explicit state."""
