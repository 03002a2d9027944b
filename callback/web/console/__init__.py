"""The console: what supervisors see and decide in a browser. Its process touches neither PBX nor gateway."""
