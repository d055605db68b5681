"""Which text runners agree to: a new version asks everybody again.

Change it whenever the boxes of the consent page say something new.
"""

VERSION = "2026-11"
