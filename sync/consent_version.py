"""The version of the text that runners agree to: a new one asks everybody again.

Change it whenever the consent page's boxes change their meaning.
"""

VERSION = "2026-11"
