"""The process that holds a PBX: its worker and jobs, what commits, what tells and raises alarms."""
