"""Pictures: their structure, their colours, and the one decoder that everyone who looks at a picture uses.

`decoding.decode` returns the canonical picture: the pixels that a colour-managed viewer shows, upright, in sRGB. What
a moderator scores, a reviewer sees, a model computes on and a partner receives all come from there.
"""
