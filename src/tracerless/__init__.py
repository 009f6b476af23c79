"""From a hospital's brain scans to a de-identified dataset, regional tables and synthetic FDG-PET.

Research use only; not a medical device.
"""

__version__ = "0.1.0"
