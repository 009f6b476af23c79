"""Registration: the brain in a head, similarity of volumes, rigid and affine alignment."""
