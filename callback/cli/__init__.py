"""The commands; what they print is in `tables`. No other room knows typer or rich."""
