"""`sonorama fit`: E_a and E_RNN for a world whose generator somebody else trained."""
