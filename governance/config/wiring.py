def bind_all():
    pass
