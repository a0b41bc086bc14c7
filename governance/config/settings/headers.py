"""The Content Security Policy: what a browser may load and run on any page (W3C CSP Level 3)."""

from csp.constants import NONE, SELF, UNSAFE_INLINE

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        # Neither inline scripts nor eval: every script is a file of ours.
        "script-src": [SELF],
        # Bars and charts set their sizes in style attributes, and Unfold its colours in a style element.
        "style-src": [SELF, UNSAFE_INLINE],
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
    }
}
