"""OSC in and out: a guarded socket, the table by address, feedback, and the page written from it."""
