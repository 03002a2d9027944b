"""The life of a reservation: its states, promises, deadlines and slots. No other room writes them."""
