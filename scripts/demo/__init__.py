"""The demo: the main job of Assent, end to end, through its public REST API."""
