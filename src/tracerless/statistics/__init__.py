"""Statistics that more than one verb needs: discrimination, calibration, resampling."""
