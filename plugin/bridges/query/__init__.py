"""OSCQuery and the tablet's page as a bridge: the parameters over HTTP and web sockets."""
