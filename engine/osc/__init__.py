"""OSC in and out, as a bridge: a guarded socket, the table by address, and feedback to subscribers."""
