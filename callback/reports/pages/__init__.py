"""The report as an HTML page, and pictures as SVG: what needs neither a script nor a library to be seen."""
