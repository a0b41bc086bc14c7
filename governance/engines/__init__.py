"""Policy engines behind one port.

regopy's library exports an allocator of its own (C++ `operator new` and `delete`). Which allocator it and the system's
libstdc++ then use depends on what was loaded first: mixed, either every decision leaks memory, or other native
libraries (torch for one) crash the process on import. So the system's libstdc++ is loaded here first, with its symbols
global, before any engine is imported: then all libraries use the system's allocator.
"""

import contextlib
import ctypes

with contextlib.suppress(OSError):  # no libstdc++ on this system: then regopy did not link to it either
    ctypes.CDLL("libstdc++.so.6", mode=ctypes.RTLD_GLOBAL)
