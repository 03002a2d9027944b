"""One PBX with the rules in force for it, the wording of its texts, and its links."""
