"""Policy engines behind one port.

regopy's library carries parts of a newer libstdc++. Where it is what first brings the system's libstdc++ into the
process, that one binds to those parts, and other native libraries (torch for one) then crash the process on import. So
the system's is loaded here, by itself, before any engine is imported.
"""

import contextlib
import ctypes

with contextlib.suppress(OSError):  # no libstdc++ on this system: then nothing can bind to the wrong one
    ctypes.CDLL("libstdc++.so.6")
