"""The OSC bridge: validation of packets, routing to parameters, and feedback to subscribers, over UDP."""
