"""Art-Net and sACN in: a lighting console plays the parameters."""
