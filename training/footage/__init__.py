"""`sonorama footage`: a folder of videos, photos and sound files becomes a data set that worlds are trained on."""
