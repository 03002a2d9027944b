"""What breaks next, as pages show it: the head of every page, the page Now, its lists, and what if."""
