"""The life of a reservation: its states, promises, times, deadlines and slots; other rooms change these by it alone."""
