"""What the commands print: tables, sentences and progress on a terminal, in a pipe or as JSON."""
