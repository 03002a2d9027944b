"""A site: one PBX, its rules in force, the wording of its texts and its links; and `Work`, one transaction at it."""
