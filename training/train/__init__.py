"""`sonorama train`: from a folder of footage to a world that plays."""
