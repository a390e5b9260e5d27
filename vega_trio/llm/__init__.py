"""Language models: adapters behind `protocols.Model`.

`open_models` gives them by name; an adapter's module, and the library it needs, load at the first call of one of
its models.
"""
