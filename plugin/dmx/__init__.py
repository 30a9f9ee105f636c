"""DMX over networks: the packets of Art-Net and sACN, and the colours of a picture's zones as DMX levels."""
