"""Files and formats: the only rooms, with the workspace, that open anything."""
